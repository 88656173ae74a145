// Checks the snapshots of a fold against what the fold itself makes of the log.
//
//     auto check = pawl::check_snapshots<audited>("orders");
//     if (!check) return check.error();
//     for (const pawl::rejected_snapshot& each : check->rejected) use(each.path, each.why.message());
//
// snapshot_audit needs no fold and checks every snapshot of a journal: its bytes, its log point and
// the digest of the events before it. This one also loads each and compares the states.
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/replay/fold.hpp>
#include <pawl/replay/replay_check.hpp>
#include <pawl/replay/snapshot_store.hpp>

#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

namespace pawl {

struct snapshot_check {
    std::vector<snapshot_info> sound{};         // oldest first
    std::vector<rejected_snapshot> rejected{};  // and why
    // If the first events have been pruned, the fold began with this one, which was not compared
    // with anything.
    std::optional<snapshot_info> trusted{};
};

namespace detail {
[[nodiscard]] error other_state(const snapshot_info& snapshot, const char* why);
[[nodiscard]] std::optional<error> check_place(const snapshot_info& snapshot,
                                               const fold_progress& progress);
}  // namespace detail

// Folds the journal up to the newest snapshot of this name and state version and compares with each
// on the way: log point, digest of the events, and the digest of the state. Costs that fold, and
// loading each snapshot. Fails like fold and snapshot_store::list; with pruned only if no snapshot
// can be loaded to begin with.
template <digests_state Fold>
    requires snapshots<Fold>
[[nodiscard]] result<snapshot_check> check_snapshots(const std::filesystem::path& directory,
                                                     const Fold& by = {},
                                                     const snapshot_options& options = {}) {
    return detail::guarded([&]() -> result<snapshot_check> {
        auto events = cursor::open(directory);
        if (!events)
            return std::unexpected(std::move(events.error()));
        auto store =
            snapshot_store::open(directory, events->identity(), Fold::state_version, options);
        if (!store)
            return std::unexpected(std::move(store.error()));
        auto list = store->list();
        if (!list)
            return std::unexpected(std::move(list.error()));
        snapshot_check check{.rejected = std::move(list->rejected)};
        auto state = by.initial();
        fold_progress progress;
        bool begun = events->next_sequence() == 0;
        for (auto each = list->snapshots.rbegin(); each != list->snapshots.rend(); ++each) {
            const auto reject = [&](error why) {
                check.rejected.push_back({each->path, std::move(why)});
            };
            auto bytes = store->load(each->path);
            auto loaded = bytes ? by.load(bytes->bytes())
                                : result<typename Fold::state>{std::unexpected(bytes.error())};
            if (!loaded) {
                reject(std::move(loaded.error()));
                continue;
            }
            if (!begun) {
                auto tail =
                    cursor::open(directory, {.from = from_point{each->point, each->journal.id}});
                if (!tail) {
                    reject(std::move(tail.error()));
                    continue;
                }
                *events = std::move(*tail);
                state = std::move(*loaded);
                progress = {.point = events->point(), .digest = each->digest};
                check.trusted = *each;
                begun = true;
                continue;
            }
            if (auto done = fold_until(*events, by, state, progress, each->point.next); !done)
                return std::unexpected(std::move(done.error()));
            if (auto misfit = detail::check_place(*each, progress))
                reject(std::move(*misfit));
            else if (by.digest(state) != by.digest(*loaded))
                reject(detail::other_state(*each, "the events before it give another state"));
            else
                check.sound.push_back(*each);
        }
        if (!begun)
            return fail(errc::pruned, "the first events are gone, and no snapshot can be loaded");
        return check;
    });
}

}  // namespace pawl
