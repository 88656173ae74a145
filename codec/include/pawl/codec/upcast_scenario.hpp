// Tests upcasting without a journal: given this old event, then these new ones.
//
//     pawl::upcast_scenario<pawl::event_list<paid, fee>> old{orders_bfbs()};
//     auto verdict = old.given([](auto& b) { return v1::Createpaid(b, 7, 3); })
//                        .then([](auto& b) { return Createpaid(b, 7, 300); });
//     use(verdict.holds, verdict.why);
//
// Events are compared by their content, and shown as JSON if they differ. Depends on no test
// framework; one thread uses it.
#pragma once

#include <pawl/codec/detail/encoded.hpp>
#include <pawl/codec/dispatch.hpp>
#include <pawl/codec/json.hpp>
#include <pawl/codec/schema.hpp>
#include <pawl/codec/verdict.hpp>
#include <pawl/journal/detail/guarded.hpp>

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pawl {

namespace detail {

[[nodiscard]] verdict compare_upcast(const std::vector<std::string>& is,
                                     const std::vector<std::string>& should);

// `type: {...}`, or the reason if it cannot be printed. Throws std::bad_alloc.
[[nodiscard]] std::string show_event(std::span<const std::byte> bfbs, std::string_view table,
                                     std::span<const std::byte> payload);

// A visitor that prints payloads as tables of the list.
template <class Events>
struct event_shower;
template <class... Tables>
struct event_shower<event_list<Tables...>> {
    std::span<const std::byte> bfbs;
    std::vector<std::string>& shown;

    void record(const typed_payload& made) const {
        (void)((made.type == event_traits<Tables>::type &&
                (shown.push_back(
                     show_event(bfbs, Tables::Traits::fully_qualified_name, made.bytes)),
                 true)) ||
               ...);
    }
};

}  // namespace detail

template <some_event_list Events>
class upcast_scenario {
  public:
    // `bfbs` is the binary schema of every table of the list; its bytes must outlive this object.
    explicit upcast_scenario(std::span<const std::byte> bfbs) noexcept : bfbs_{bfbs} {}

    // The old event: stored bytes, aligned to 8, or a callable that builds them.
    upcast_scenario& given(const typed_payload& old) {
        attempt([&] {
            const detail::event_shower<Events> visitor{bfbs_, made_};
            auto done = dispatch<Events>(old, visitor);
            if (!done && done.error().code == errc::out_of_memory)
                without_memory_ = true;
            else if (!done)
                made_.push_back("failed: " + done.error().message());
        });
        return *this;
    }
    template <event_build Build>
    upcast_scenario& given(Build&& build) {
        using table = detail::built_table<Build>;
        attempt([&] {
            const std::vector<std::uint64_t> words = encode(build);
            given(typed_payload{event_traits<table>::type, event_traits<table>::schema_version,
                                std::as_bytes(std::span{words}).first(bytes_)});
        });
        return *this;
    }

    // Expects exactly these events, each a callable that builds one of the list. Forgets the given
    // events. A scenario that runs out of memory does not hold.
    template <event_build... Builds>
    verdict then(const Builds&... builds) {
        auto judged = detail::guarded([&]() -> result<verdict> {
            std::vector<std::string> should;
            (expect(should, builds), ...);
            return detail::compare_upcast(made_, should);
        });
        made_.clear();
        if (std::exchange(without_memory_, false) || !judged)
            return {false, "out of memory"};
        return std::move(*judged);
    }
    verdict then_dropped() { return then(); }

  private:
    template <class Act>
    void attempt(const Act& act) {
        if (!detail::guarded(act))
            without_memory_ = true;
    }
    template <class Build>
    std::vector<std::uint64_t> encode(const Build& build) {
        flatbuffers::FlatBufferBuilder builder;
        builder.Finish(build(builder));
        bytes_ = builder.GetSize();
        std::vector<std::uint64_t> words((bytes_ + 7) / 8);
        std::memcpy(words.data(), builder.GetBufferPointer(), bytes_);
        return words;
    }
    template <class Build>
    void expect(std::vector<std::string>& should, const Build& build) {
        using table = detail::built_table<Build>;
        const std::vector<std::uint64_t> words = encode(build);
        should.push_back(detail::show_event(bfbs_, table::Traits::fully_qualified_name,
                                            std::as_bytes(std::span{words}).first(bytes_)));
    }

    std::span<const std::byte> bfbs_;
    std::vector<std::string> made_;
    std::size_t bytes_ = 0;
    bool without_memory_ = false;
};

}  // namespace pawl
