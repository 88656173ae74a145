// Reads events of a closed list, and knows what to do with the others.
//
//     pawl::decoder<order_events> decode{pawl::unknown_events::skip};
//     book orders;
//     while (const pawl::event* at = events.next())
//         if (auto done = decode(*at, orders); !done)
//             return done.error();
//     use(decode.skipped());
//
// dispatch() with a memory for what it passed over: old shapes reach the visitor in their newest.
// Used by one thread at a time. As fast as dispatch().
#pragma once

#include <pawl/codec/dispatch.hpp>

#include <cstdint>

namespace pawl {

// What becomes of an event whose type or schema version no table of the list ever had. There is no
// default: a reader that skips what it does not know must have said so.
enum class unknown_events : std::uint8_t {
    fail,  // unknown_event
    skip,  // and count
};

namespace detail {

template <class Table>
[[nodiscard]] constexpr bool had_version(std::uint16_t version) noexcept {
    if (version == event_traits<Table>::schema_version)
        return true;
    if constexpr (has_versions<Table>)
        return []<class... Old>(versions<Old...>, std::uint16_t asked) {
            return ((event_traits<Old>::schema_version == asked) || ...);
        }(typename history<Table>::versions{}, version);
    else
        return false;
}

template <class... Tables>
[[nodiscard]] constexpr bool knows(event_list<Tables...>, const typed_payload& at) noexcept {
    return ((event_traits<Tables>::type == at.type && had_version<Tables>(at.schema_version)) ||
            ...);
}

}  // namespace detail

template <some_event_list Events>
class decoder {
  public:
    explicit decoder(unknown_events unknown, payload_check check = payload_check::verify) noexcept
        : unknown_{unknown}, check_{check} {}

    // As dispatch<Events>(from, visit), but for events that are not known.
    template <payload_source Source, class Visitor>
    [[nodiscard]] result<void> operator()(const Source& from, Visitor&& visit) {
        if (unknown_ == unknown_events::skip && !detail::knows(Events{}, detail::payload_of(from)))
            [[unlikely]] {
            ++skipped_;
            return {};
        }
        return dispatch<Events>(from, visit, check_);
    }

    [[nodiscard]] std::uint64_t skipped() const noexcept { return skipped_; }

  private:
    unknown_events unknown_;
    payload_check check_;
    std::uint64_t skipped_ = 0;
};

}  // namespace pawl
