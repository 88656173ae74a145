#include "upkeep/watcher.hpp"

#include "os/assertion.hpp"
#include "os/sigbus_guard.hpp"
#include "store/directory.hpp"

#include <algorithm>
#include <utility>

namespace pawl::detail {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

watcher::watcher(const watched_parts& parts, sequence_number durable) noexcept
    : parts_{parts},
      opened_ns_{system_time_ns()},
      first_sequence_{durable},
      durable_seen_{durable} {}

// Waking up is not free: on a virtual machine it costs the thread that runs on that core far more
// than the poll itself. So one thread wakes often, and wakes the others when it finds work for
// them.
microseconds watcher::step() {
    report_status();
    note_settled();
    wake_others();
    return parts_.pages->step() ? microseconds{0} : until_next_look();
}

void watcher::report_status() {
    constexpr milliseconds beat_interval{100};
    const auto now = steady_clock::now();
    const bool beat = now - last_beat_ >= beat_interval;
    if (beat)
        last_beat_ = now;
    parts_.durable->report_status(beat);
    if (beat)
        report_statistics();
}

void watcher::report_statistics() const noexcept {
    const progress& shared = parts_.append->shared();
    control_statistics now{};
    now.opened_ns = opened_ns_;
    now.first_sequence = first_sequence_;
    now.appended_bytes = shared.position.load(std::memory_order_relaxed) - first_frame_offset;
    now.rollovers = shared.rollovers.load(std::memory_order_relaxed);
    now.back_pressure = shared.back_pressure.load(std::memory_order_relaxed);
    now.segments_ready = parts_.supply->ready();
    now.shortage = static_cast<std::uint64_t>(parts_.supply->shortage());
    now.populated_bytes = parts_.pages->populated_bytes();
    now.streams = parts_.append->streams().streams();
    parts_.durable->times().put_into(now);
    parts_.counters->put_into(now);
    parts_.durable->report_statistics(now);
}

// The last sync has no witness in the log until another frame follows. If none follows for a while,
// the flusher stores the watermark in the control file instead.
void watcher::note_settled() noexcept {
    constexpr microseconds shortest{2000};
    const auto now = steady_clock::now();
    const auto idle = std::max(microseconds{parts_.options->sync.interval_us}, shortest);
    const sequence_number durable = parts_.durable->durable();
    PAWL_ASSERT(durable >= durable_seen_);
    if (durable != std::exchange(durable_seen_, durable))
        durable_changed_ = now;
    settled_.store(now - durable_changed_ >= idle, std::memory_order_relaxed);
}

void watcher::wake_others() {
    const sync_policy& policy = parts_.options->sync;
    const progress& shared = parts_.append->shared();
    const bool by_policy = policy.interval_us != 0 || policy.bytes != 0;
    const flush_cause cause{
        .published = by_policy ? shared.sequence.load(std::memory_order_acquire) : 0,
        .settled = settled() ? durable_seen_ : 0,
        .rollovers = shared.rollovers.load(std::memory_order_relaxed),
        .faults = count_guarded_faults()};
    if (cause != std::exchange(flush_cause_, cause))
        parts_.flusher->wake();
    const bool segment_wanted = parts_.supply->wants_more() && parts_.supply->shortage() == 0;
    if (segment_wanted || parts_.append->streams().wants_larger() ||
        parts_.append->tags().wants_larger())
        parts_.housekeeper->wake();
    // Compare the number enqueued, not what is still waiting: after a shortage the sealing thread
    // retries on its own.
    const std::uint64_t enqueued = parts_.seal->enqueued();
    PAWL_ASSERT(enqueued >= enqueued_seen_);
    if (enqueued != std::exchange(enqueued_seen_, enqueued))
        parts_.sealing->wake();
}

// Sleeps for as long as the writer, at its current pace, needs to use up a quarter of the populated
// window.
microseconds watcher::until_next_look() {
    constexpr microseconds shortest{100};
    constexpr microseconds usual{1000};
    const sync_policy& policy = parts_.options->sync;
    const microseconds longest =
        policy.interval_us == 0 ? usual
                                : std::clamp(microseconds{policy.interval_us}, shortest, usual);
    const auto position = parts_.append->shared().position.load(std::memory_order_relaxed);
    PAWL_ASSERT(position >= position_then_);
    const auto now = steady_clock::now();
    const auto moved = position - std::exchange(position_then_, position);
    const std::chrono::duration<double, std::micro> took = now - std::exchange(looked_, now);
    if (moved != 0)
        moved_at_ = now;
    // After a second without events, wake up less often: every wake-up costs power and, on a
    // virtual machine, other guests' time. The next event is then noticed up to 50 ms later than
    // otherwise.
    constexpr std::chrono::seconds until_idle{1};
    constexpr microseconds while_idle{51'000};
    if (moved == 0)
        return now - moved_at_ < until_idle ? longest : while_idle;
    const double quarter = static_cast<double>(parts_.options->populate_bytes) / 4;
    const double pause = took.count() * quarter / static_cast<double>(moved);
    return std::clamp(microseconds{static_cast<std::int64_t>(std::min(pause, 1e6))}, shortest,
                      longest);
}

}  // namespace pawl::detail
