// Reads events of a closed list, and either skips or refuses all others.
//
//     pawl::decoder<order_events> decode{pawl::unknown_events::skip};
//     book orders;
//     while (const pawl::event* at = events.next())
//         if (auto done = decode(*at, orders); !done)
//             return done.error();
//     use(decode.skipped());
//
// Like dispatch(), but it can skip unknown events, and counts them. An event in an old shape
// reaches the visitor in its newest. One thread at a time uses it. As fast as dispatch().
#pragma once

#include <pawl/codec/dispatch.hpp>

#include <cstdint>

namespace pawl {

// How a decoder treats an event whose type or schema version no table of the list ever had. There
// is no default: a reader that skips unknown events must ask for it.
enum class unknown_events : std::uint8_t {
    fail,  // return unknown_event
    skip,  // skip it and count it
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

    // Like dispatch<Events>(from, visit), except for unknown events.
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
