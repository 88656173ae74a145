// Folds a journal into a state on several threads.
//
//     auto books = pawl::fold_by_stream<exchange>("orders", {}, {.threads = 4});
//
// The result equals that of the sequential fold on any number of threads: all threads verify
// segments, and the division of the work does not depend on their number. Sealed segments are read
// in parallel; one thread reads the rest at the end. Memory: at most `window_bytes` of mapped
// segments, plus 4 bytes for each of their events.
//
// `evolve` is called from several threads, each with its own state, and must throw nothing but
// std::bad_alloc, which becomes out_of_memory.
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/replay/decider.hpp>
#include <pawl/replay/detail/segment_groups.hpp>
#include <pawl/replay/fold.hpp>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace pawl {

inline constexpr std::uint32_t max_shards = 4096;

struct parallel_options {
    std::uint32_t threads = 0;  // including the calling one; 0: one per core
    std::uint32_t shards = 64;  // states over which the streams are spread; 1 to 4096
    // Of segments mapped at once; at least one per thread is mapped.
    std::uint64_t window_bytes = std::uint64_t{256} << 20;
    visibility show = visibility::published;
    payload_check check = payload_check::verify;
    bool allow_network_file_system = false;  // cursor_options
};

// A fold whose states can be merged: merge(into, from) adds `from` to `into`, and adding an initial
// state changes nothing. The two functions below each require more.
template <class Fold>
concept merges = folds_events<Fold> && requires(const Fold& fold, typename Fold::state& into,
                                                typename Fold::state&& from) {
    { fold.merge(into, std::move(from)) } -> std::same_as<void>;
};

namespace detail {

// One of several states that threads write to concurrently, on its own cache lines.
template <class State>
struct alignas(64) shard_state {
    State state;
    std::optional<error> failure{};  // of its first event that failed
};

// Finds the failure at which the sequential fold stops.
template <class State>
[[nodiscard]] std::optional<error> first_failure(std::optional<error> found,
                                                 std::vector<shard_state<State>>& shards) {
    for (auto& shard : shards)
        if (shard.failure && (!found || shard.failure->sequence < found->sequence))
            found = std::move(shard.failure);
    return found;
}

// Applies a group's events of one shard, in order.
template <folds_events Fold>
void fold_shard(std::span<const group_segment> group, std::uint32_t number, const Fold& by,
                shard_state<typename Fold::state>& shard, payload_check check) {
    constexpr std::size_t ahead = 8;
    for (const group_segment& segment : group) {
        const std::span<const std::uint32_t> places = segment.places(number);
        for (std::size_t i = 0; i < places.size(); ++i) {
            if (i + ahead < places.size())
                segment.prefetch(places[i + ahead]);
            const event from = segment.at(places[i]);
            if (auto done = evolve(by, shard.state, from, check); !done) [[unlikely]] {
                shard.failure = at_event(std::move(done.error()), from);
                return;
            }
        }
    }
}

// Applies the events after the sealed segments.
template <folds_events Fold, class StateOf>
[[nodiscard]] result<void> fold_tail(const std::filesystem::path& directory, const Fold& by,
                                     StateOf&& state_of, fold_progress& progress,
                                     const parallel_options& options) {
    auto tail =
        cursor::open(directory, {.from = from_point{progress.point},
                                 .show = options.show,
                                 .allow_network_file_system = options.allow_network_file_system});
    if (!tail)
        return std::unexpected(std::move(tail.error()));
    const auto read = tail->for_each([&](const event& from) -> result<void> {
        if (auto done = evolve(by, state_of(from), from, options.check); !done)
            return std::unexpected(at_event(std::move(done.error()), from));
        ++progress.events;
        progress.point = from.point();
        progress.digest.add(from);
        return {};
    });
    if (!read)
        return std::unexpected(read.error());
    return {};
}

}  // namespace detail

// Spreads the streams over `shards` states and merges them at the end; the events of a stream are
// applied in order. Correct if an event changes, and `evolve` reads, only what belongs to its own
// stream; `merge` combines the states of different streams. Fails at the same event and with the
// same error as fold.
template <merges Fold>
[[nodiscard]] result<folded<Fold>> fold_by_stream(const std::filesystem::path& directory,
                                                  const Fold& by = {},
                                                  parallel_options options = {}) {
    return detail::guarded([&]() -> result<folded<Fold>> {
        auto groups = detail::segment_groups::open(
            directory, {.allow_network_file_system = options.allow_network_file_system},
            options.threads, options.window_bytes);
        if (!groups)
            return std::unexpected(std::move(groups.error()));
        if (options.shards == 0 || options.shards > max_shards)
            return fail(errc::invalid_argument, "the number of shards is not from 1 to 4096");
        using shard = detail::shard_state<typename Fold::state>;
        std::vector<shard> shards;
        shards.reserve(options.shards);
        for (std::uint32_t i = 0; i < options.shards; ++i)
            shards.push_back(shard{by.initial()});

        while (groups->next()) {
            auto failed = groups->read([&](detail::group_segment& segment, std::size_t) {
                segment.partition(directory, options.shards);
            });
            if (auto done = groups->crew().run(options.shards,
                                               [&](std::size_t i) {
                                                   detail::fold_shard(groups->group(),
                                                                      static_cast<std::uint32_t>(i),
                                                                      by, shards[i], options.check);
                                               });
                !done)
                return std::unexpected(std::move(done.error()));
            failed = detail::first_failure(std::move(failed), shards);
            if (failed)
                return std::unexpected(std::move(*failed));
        }
        fold_progress progress = groups->progress();
        const auto state_of = [&](const event& from) -> typename Fold::state& {
            return shards[detail::shard_of(from.stream(), options.shards)].state;
        };
        if (auto done = detail::fold_tail(directory, by, state_of, progress, options); !done)
            return std::unexpected(std::move(done.error()));

        folded<Fold> whole{std::move(shards.front().state), progress};
        for (std::uint32_t i = 1; i < options.shards; ++i)
            by.merge(whole.state, std::move(shards[i].state));
        return whole;
    });
}

// Folds each segment from an initial state and merges the results in order. Correct if `merge`
// gives the same state as applying the later events to the earlier state, as for sums, counts and
// last values. Fails at the same event and with the same error as fold.
template <merges Fold>
[[nodiscard]] result<folded<Fold>> fold_by_segment(const std::filesystem::path& directory,
                                                   const Fold& by = {},
                                                   parallel_options options = {}) {
    return detail::guarded([&]() -> result<folded<Fold>> {
        auto groups = detail::segment_groups::open(
            directory, {.allow_network_file_system = options.allow_network_file_system},
            options.threads, options.window_bytes);
        if (!groups)
            return std::unexpected(std::move(groups.error()));
        using part = detail::shard_state<typename Fold::state>;

        folded<Fold> whole{by.initial()};
        std::vector<part> parts;
        while (groups->next()) {
            parts.clear();
            for (std::size_t i = 0; i < groups->group().size(); ++i)
                parts.push_back(part{by.initial()});
            auto failed = groups->read([&](detail::group_segment& segment, std::size_t i) {
                segment.read(directory, [&](const event& from) -> result<void> {
                    if (auto done = evolve(by, parts[i].state, from, options.check); !done)
                        return std::unexpected(detail::at_event(std::move(done.error()), from));
                    return {};
                });
            });
            if (failed)
                return std::unexpected(std::move(*failed));
            for (std::size_t i = 0; i < groups->group().size(); ++i)
                by.merge(whole.state, std::move(parts[i].state));
        }
        whole.progress = groups->progress();
        const auto state_of = [&](const event&) -> typename Fold::state& { return whole.state; };
        if (auto done = detail::fold_tail(directory, by, state_of, whole.progress, options); !done)
            return std::unexpected(std::move(done.error()));
        return whole;
    });
}

}  // namespace pawl
