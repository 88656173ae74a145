// Restores a state after a restart: the newest snapshot that fits the log, plus the events after
// it.
//
//     auto books = pawl::restore<exchange>("orders");
//     if (!books) return books.error();
//     use(books->state, books->report.message());
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/replay/fold.hpp>
#include <pawl/replay/snapshot_store.hpp>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pawl {

struct restore_options {
    snapshot_options snapshots{};
    bool use_snapshots = true;  // false: replay from event 0 even if there are snapshots
    // Only snapshots at this sequence or before.
    sequence_number not_after = std::numeric_limits<sequence_number>::max();
    visibility show = visibility::published;
    bool allow_network_file_system = false;  // cursor_options
};

// How a state was restored.
struct restore_report {
    std::optional<snapshot_info> used;        // empty: replayed from event 0
    std::vector<rejected_snapshot> rejected;  // newer ones that were skipped, and why
    std::uint64_t tail_events = 0;            // applied after the snapshot

    // The report as one line, for a log. Without memory for it: "out of memory".
    [[nodiscard]] std::string message() const noexcept;
};

template <folds_events Fold>
struct restored {
    typename Fold::state state;
    fold_progress progress{};  // point and digest of the state; events: those of the tail
    restore_report report{};
};

namespace detail {

// A loaded snapshot that fits the log, with a cursor at the event after it. Without a snapshot the
// cursor is at event 0.
struct restore_start {
    cursor tail;
    std::optional<snapshot_payload> snapshot;
};

// Tries the snapshots from newest to oldest, skipping those already in `rejected`.
[[nodiscard]] result<restore_start> find_restore_start(const std::filesystem::path& directory,
                                                       std::uint32_t state_version,
                                                       const restore_options& options,
                                                       std::vector<rejected_snapshot>& rejected);
}  // namespace detail

namespace detail {

template <snapshots Fold>
struct restoring {
    restored<Fold> at;
    cursor tail;
};

// The state of the newest usable snapshot, and a cursor at the event after it.
template <snapshots Fold>
[[nodiscard]] result<restoring<Fold>> begin_restore(const std::filesystem::path& directory,
                                                    const Fold& by,
                                                    const restore_options& options) {
    restore_report report;
    while (true) {
        auto found = find_restore_start(directory, Fold::state_version, options, report.rejected);
        if (!found)
            return std::unexpected(std::move(found.error()));
        if (!found->snapshot)
            return restoring<Fold>{{by.initial(), {}, std::move(report)}, std::move(found->tail)};
        const snapshot_info& info = found->snapshot->info();
        auto state = by.load(found->snapshot->bytes());
        if (!state && state.error().code == errc::out_of_memory)
            return std::unexpected(std::move(state.error()));
        if (!state) {
            report.rejected.push_back({info.path, std::move(state.error())});
            continue;
        }
        report.used = info;
        // The snapshot's own point may have been taken in another copy of this log.
        const fold_progress progress{.point = found->tail.point(), .digest = info.digest};
        return restoring<Fold>{{std::move(*state), progress, std::move(report)},
                               std::move(found->tail)};
    }
}

}  // namespace detail

// The state at the end of the journal. Skips a snapshot that is damaged, belongs to another log, is
// newer than the log, or that the fold itself cannot load, and tries the next older one; without a
// usable snapshot it replays everything. The report lists the skipped snapshots. Fails if the log
// cannot be read, with pruned if no snapshot fits and the first events were pruned, and with
// out_of_memory.
template <snapshots Fold>
[[nodiscard]] result<restored<Fold>> restore(const std::filesystem::path& directory,
                                             const Fold& by = {},
                                             const restore_options& options = {}) {
    return detail::guarded([&]() -> result<restored<Fold>> {
        auto begun = detail::begin_restore(directory, by, options);
        if (!begun)
            return std::unexpected(std::move(begun.error()));
        auto& [state, progress, report] = begun->at;
        if (auto done = fold(begun->tail, by, state, progress); !done)
            return std::unexpected(std::move(done.error()));
        report.tail_events = progress.events;
        return std::move(begun->at);
    });
}

}  // namespace pawl
