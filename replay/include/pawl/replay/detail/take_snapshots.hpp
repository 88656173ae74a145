// The body of a snapshot_follower's thread.
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/replay/detail/follower_thread.hpp>
#include <pawl/replay/detail/snapshot_due.hpp>
#include <pawl/replay/fold.hpp>
#include <pawl/replay/restore.hpp>
#include <pawl/replay/snapshot_store.hpp>

#include <cstdint>
#include <filesystem>
#include <utility>

namespace pawl::detail {

// Sets aside the snapshots that can never be used again.
void set_aside_rejected(snapshot_store& store, const restore_report& report);

// Events applied between two checks of stopping().
inline constexpr std::uint64_t events_a_look = 4096;

// Of which journal, into which store, and how often.
struct snapshot_plan {
    std::filesystem::path directory{};
    snapshot_options snapshots{};
    snapshot_intervals every{};
    bool at_stop = false;
    bool allow_network_file_system = false;
};

// True if a snapshot may be due, at the end of a batch; false if there are no more events for now
// or reading failed; cursor::wait distinguishes the two.
template <folds_events Fold>
[[nodiscard]] result<bool> fold_until_due(cursor& from, const Fold& by, typename Fold::state& state,
                                          fold_progress& progress, snapshot_due& due) {
    std::uint64_t left = events_a_look;
    while (const event* at = from.next()) {
        if (auto done = apply(by, state, *at, progress, payload_check::verify); !done)
            return std::unexpected(std::move(done.error()));
        due.add(*at);
        left -= left != 0 ? 1 : 0;
        if (!at->more_in_batch() && (left == 0 || due.by_size()))
            return true;
    }
    return false;
}

template <snapshots Fold>
[[nodiscard]] result<void> take_snapshots(follower_thread& self, const snapshot_plan& plan,
                                          const Fold& by) {
    auto begun = begin_restore(plan.directory, by,
                               {.snapshots = plan.snapshots,
                                .show = visibility::durable,
                                .allow_network_file_system = plan.allow_network_file_system});
    if (!begun)
        return std::unexpected(std::move(begun.error()));
    auto& [state, progress, report] = begun->at;

    auto events =
        cursor::open(plan.directory, {.from = from_point{progress.point},
                                      .show = visibility::durable,
                                      .follow = true,
                                      .allow_network_file_system = plan.allow_network_file_system});
    if (!events)
        return std::unexpected(std::move(events.error()));
    auto store = snapshot_store::open(plan.directory, events->identity(), Fold::state_version,
                                      plan.snapshots);
    if (!store)
        return std::unexpected(std::move(store.error()));
    set_aside_rejected(*store, report);

    snapshot_due due{plan.every};
    const auto take = [&] {
        const auto taken = store->add(progress.point, progress.digest,
                                      [&](snapshot_sink& out) { return by.save(state, out); });
        if (taken)
            self.took_snapshot();
        else
            self.failed_snapshot(taken.error());
        due.taken();
    };
    while (!self.stopping()) {
        const auto some = fold_until_due(*events, by, state, progress, due);
        self.reached(progress.point.next);
        if (!some)
            return std::unexpected(some.error());
        // Only the events of whole batches are waited for, so the state is between two of them.
        if (!*some)
            if (auto more = events->wait(follower_thread::patience); !more)
                return std::unexpected(std::move(more.error()));
        if (due.now())
            take();
    }
    if (!plan.at_stop)
        return {};
    // What is durable now: a writer that goes on does not hold up the end.
    const auto end =
        cursor::open(plan.directory, {.from = from_end{},
                                      .show = visibility::durable,
                                      .allow_network_file_system = plan.allow_network_file_system});
    if (!end)
        return std::unexpected(end.error());
    while (progress.point.next < end->next_sequence()) {
        const auto some = fold_until_due(*events, by, state, progress, due);
        self.reached(progress.point.next);
        if (!some)
            return std::unexpected(some.error());
        if (*some)
            continue;
        if (auto finished = events->finish(); !finished)
            return std::unexpected(std::move(finished.error()));
        break;
    }
    if (due.is_new())
        take();
    return {};
}

}  // namespace pawl::detail
