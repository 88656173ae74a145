// The body of a snapshot_follower's thread.
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/replay/detail/follower_thread.hpp>
#include <pawl/replay/fold.hpp>
#include <pawl/replay/restore.hpp>
#include <pawl/replay/snapshot_store.hpp>

#include <algorithm>
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
    std::uint64_t every = 0;
    bool allow_network_file_system = false;
};

template <snapshots Fold>
[[nodiscard]] result<void> take_snapshots(follower_thread& self, const snapshot_plan& plan,
                                          const Fold& by) {
    const std::uint64_t every = plan.every;
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

    sequence_number last = progress.point.next;
    while (!self.stopping()) {
        const std::uint64_t left = every - std::min(every, progress.point.next - last);
        auto some = fold_some(*events, by, state, progress,
                              {.at_least = std::clamp<std::uint64_t>(left, 1, events_a_look)});
        self.reached(progress.point.next);
        if (!some)
            return std::unexpected(std::move(some.error()));
        if (*some && progress.point.next - last >= every) {
            const auto taken = store->add(progress.point, progress.digest,
                                          [&](snapshot_sink& out) { return by.save(state, out); });
            if (taken)
                self.took_snapshot();
            else
                self.failed_snapshot(taken.error());
            last = progress.point.next;
        }
        if (!*some)
            if (auto more = events->wait(follower_thread::patience); !more)
                return std::unexpected(std::move(more.error()));
    }
    return {};
}

}  // namespace pawl::detail
