// Folds a journal into a state, one event after the other.
//
//     auto books = pawl::fold<exchange>("orders");
//     if (!books) return books.error();
//     use(books->state);
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/replay/decider.hpp>
#include <pawl/replay/log_digest.hpp>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <utility>

namespace pawl {

// The progress of a fold.
struct fold_progress {
    std::uint64_t events = 0;  // applied by this fold
    log_point point{};         // after the last of them
    log_digest digest{};       // of all events from the journal's first up to `point`
};

struct fold_options {
    payload_check check = payload_check::verify;
    // Stop after this many events, but only at the end of a batch: the fold may apply a few more.
    std::uint64_t at_least = std::numeric_limits<std::uint64_t>::max();
};

namespace detail {

// Adds the event's place to an error that `evolve` returned.
[[nodiscard]] inline error at_event(error failed, const event& from) {
    if (failed.sequence == no_value)
        failed.sequence = from.sequence();
    return failed;
}

template <folds_events Fold>
[[nodiscard]] result<void> apply(const Fold& by, typename Fold::state& state, const event& at,
                                 fold_progress& progress, payload_check check) {
    if (auto done = evolve(by, state, at, check); !done) [[unlikely]]
        return std::unexpected(at_event(std::move(done.error()), at));
    ++progress.events;
    progress.point = at.point();
    progress.digest.add(at);
    return {};
}

// True if enough events were applied, false if there are no more for now or reading failed;
// cursor::wait and cursor::finish distinguish the two.
template <folds_events Fold>
[[nodiscard]] result<bool> fold_some(cursor& from, const Fold& by, typename Fold::state& state,
                                     fold_progress& progress, fold_options options) {
    std::uint64_t left = options.at_least;
    while (const event* at = from.next()) {
        if (auto done = apply(by, state, *at, progress, options.check); !done) [[unlikely]]
            return std::unexpected(std::move(done.error()));
        left -= left != 0 ? 1 : 0;
        if (left == 0 && !at->more_in_batch())
            return true;
    }
    return false;
}

// Fails with pruned if the journal's first events have been pruned.
[[nodiscard]] result<cursor> open_at_beginning(const std::filesystem::path& directory,
                                               const cursor_options& options);

}  // namespace detail

// Applies events from `from` until it has no more for now, or the limit is reached. `progress`
// continues from its current value, so that a fold can be resumed. On an error (of the cursor, of
// dispatch, returned by `evolve`, or out_of_memory, if `evolve` threw std::bad_alloc) state and
// progress are those after the last event before it, unless `evolve` changed the state before it
// failed. The end of the journal is not an error; call cursor::finish() for its kind.
template <folds_events Fold>
[[nodiscard]] result<void> fold(cursor& from, const Fold& by, typename Fold::state& state,
                                fold_progress& progress, fold_options options = {}) {
    return detail::guarded([&]() -> result<void> {
        auto enough = detail::fold_some(from, by, state, progress, options);
        if (!enough)
            return std::unexpected(std::move(enough.error()));
        if (!*enough)
            if (auto end = from.finish(); !end)
                return std::unexpected(std::move(end.error()));
        return {};
    });
}

// The same, but only events below `end`: also part of a batch, if `end` lies inside one. A cursor
// that does not return every event (filter, stream) may then have returned one at `end` or after
// it, which is not applied: to continue, open another cursor at progress.point.
template <folds_events Fold>
[[nodiscard]] result<void> fold_until(cursor& from, const Fold& by, typename Fold::state& state,
                                      fold_progress& progress, sequence_number end,
                                      payload_check check = payload_check::verify) {
    return detail::guarded([&]() -> result<void> {
        while (from.next_sequence() < end) {
            const event* at = from.next();
            if (at == nullptr) {
                auto ended = from.finish();
                return ended ? result<void>{} : std::unexpected(std::move(ended.error()));
            }
            if (at->sequence() >= end)
                return {};
            if (auto done = detail::apply(by, state, *at, progress, check); !done)
                return done;
        }
        return {};
    });
}

template <folds_events Fold>
struct folded {
    typename Fold::state state;
    fold_progress progress{};
};

// The state of a whole journal, from event 0 to its end. Fails with pruned if the first events
// are no longer there, because then only a snapshot holds their effect. To read with other options,
// open a cursor and fold from that.
template <folds_events Fold>
[[nodiscard]] result<folded<Fold>> fold(const std::filesystem::path& directory, const Fold& by = {},
                                        visibility show = visibility::published) {
    return detail::guarded([&]() -> result<folded<Fold>> {
        auto events = detail::open_at_beginning(directory, {.show = show});
        if (!events)
            return std::unexpected(std::move(events.error()));
        folded<Fold> whole{.state = by.initial()};
        if (auto done = fold(*events, by, whole.state, whole.progress); !done)
            return std::unexpected(std::move(done.error()));
        return whole;
    });
}

}  // namespace pawl
