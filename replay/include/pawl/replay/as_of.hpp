// What was known at some place of the log, or at some time.
//
//     auto then = pawl::as_of<exchange>("orders", pawl::at_time{two_past_two_ns});
//     if (!then) return then.error();
//     use(then->state, then->report.message());
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/replay/fold.hpp>
#include <pawl/replay/restore.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>
#include <variant>

namespace pawl {

// After the events below this sequence. not_found if the log does not reach that far.
struct at_sequence {
    sequence_number sequence = 0;
};
// After all events before the first one with a later time stamp. Nanoseconds since the Unix epoch.
struct at_time {
    std::uint64_t ns = 0;
};
// After the events that the point has taken; diverged if it is not in this journal.
struct at_point {
    log_point point{};
    journal_id taken_in{};  // as in from_point
};
using as_of_place = std::variant<at_sequence, at_time, at_point>;

// The place that a text means: a sequence, or a time as find_time reads it
// (pawl/codec/utc_time.hpp), such as 14:02:00 of the journal's last day. Fails like that.
[[nodiscard]] result<as_of_place> parse_as_of_place(const std::filesystem::path& directory,
                                                    std::string_view text);

namespace detail {
// The log point there. A place inside a batch means the beginning of the batch.
[[nodiscard]] result<log_point> find_as_of(const std::filesystem::path& directory,
                                           const as_of_place& place,
                                           const restore_options& options);
[[nodiscard]] error not_reached(const std::filesystem::path& directory, sequence_number wanted,
                                sequence_number reached);
}  // namespace detail

// The state as it was there: from the newest snapshot that is not after the place, and the events
// between them. The report says which snapshot that was and how many events; progress.point is the
// exact place. A place inside a batch means the beginning of the batch, because no reader has seen
// half of one. Costs loading a snapshot, and folding the events since. Fails like restore, and with
// not_found if the place is not in the log, or not in the part of it that options.show admits.
template <snapshots Fold>
[[nodiscard]] result<restored<Fold>> as_of(const std::filesystem::path& directory,
                                           const as_of_place& place, const Fold& by = {},
                                           restore_options options = {}) {
    return detail::guarded([&]() -> result<restored<Fold>> {
        auto point = detail::find_as_of(directory, place, options);
        if (!point)
            return std::unexpected(std::move(point.error()));
        options.not_after = std::min(options.not_after, point->next);
        auto begun = detail::begin_restore(directory, by, options);
        if (!begun)
            return std::unexpected(std::move(begun.error()));
        auto& [state, progress, report] = begun->at;
        if (auto done = fold_until(begun->tail, by, state, progress, point->next); !done)
            return std::unexpected(std::move(done.error()));
        if (progress.point.next < point->next)
            return std::unexpected(
                detail::not_reached(directory, point->next, progress.point.next));
        report.tail_events = progress.events;
        return std::move(begun->at);
    });
}

}  // namespace pawl
