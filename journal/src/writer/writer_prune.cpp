// How a live writer prunes its journal.
#include "store/directory.hpp"
#include "upkeep/pruner.hpp"
#include "writer/writer_state.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace pawl::detail {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Appends go on meanwhile: they touch no sealed segment. What else works on sealed segments is kept
// out by the lock (the sealer), finds out from `retained` that a segment was pruned (the scrubber),
// or begins again from the new beginning (describe).
result<prune_report> writer_state::prune(const prune_options& options) {
    const std::scoped_lock guard{sealed_files_};
    // Asked under the lock: a close ends the gate before it takes the lock, and lets go of the
    // journal after it.
    if (!gate_is_open())
        return std::unexpected(refusal_now());
    prune_options own = options;
    own.command_window = std::max(own.command_window, parts_.options.command_window);
    return pruner{parts_.directory, parts_.id, own}.run();
}

// What the policy lets go now. The holds are asked for without the lock, because they are the
// program's and may take long.
result<prune_report> writer_state::apply_retention() {
    const retention_policy& policy = parts_.options.retention;
    std::vector<prune_hold> holds;
    if (policy.holds) {
        auto given = policy.holds();
        if (!given)
            return std::unexpected(std::move(given.error()));
        holds = std::move(*given);
    }
    prune_options options{.holds = holds};
    if (policy.keep_ns != 0) {
        const std::uint64_t now = system_time_ns();
        options.before_ns = now - std::min(now, policy.keep_ns);
    }
    if (policy.keep_bytes != 0)
        options.keep_bytes = policy.keep_bytes;
    return prune(options);
}

// A prune that fails is tried again at the next look. Damage, which it finds by reading what goes,
// ends the writer as damage that the scrub finds does.
microseconds writer_state::retain_step() {
    constexpr std::chrono::hours until_next_look{1};
    constexpr milliseconds shortage_pause{250};
    const retention_policy& policy = parts_.options.retention;
    if (policy.keep_ns == 0 && policy.keep_bytes == 0)
        return until_next_look;
    const auto now = steady_clock::now();
    if (!retention_due_ && now - retained_at_ < until_next_look)
        return until_next_look;
    retained_at_ = now;
    retention_due_ = false;
    auto done = apply_retention();
    if (done) {
        pruned_segments_.fetch_add(done->segments, std::memory_order_relaxed);
        return until_next_look;
    }
    if (!gate_is_open())
        return until_next_look;
    failed_prunes_.fetch_add(1, std::memory_order_relaxed);
    if (done.error().code == errc::damaged) {
        fail_background(std::move(done.error()));
    } else if (is_shortage(done.error())) {
        retention_due_ = true;
        return shortage_pause;
    }
    return until_next_look;
}

}  // namespace pawl::detail
