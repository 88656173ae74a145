// The writer's background threads: what each does when it is woken, and for how long it then
// sleeps.
#include "os/file.hpp"
#include "writer/writer_state.hpp"

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

namespace pawl::detail {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr microseconds shortest_pause{50};
constexpr microseconds usual_pause{1000};
constexpr milliseconds shortage_pause{10};
// An attempt to seal reads the whole segment.
constexpr milliseconds seal_shortage_pause{250};
// A thread that has nothing to do sleeps until the watcher wakes it.
constexpr std::chrono::hours until_woken{1};

// The writer whose observer this thread is running.
thread_local const writer_state* observed_writer = nullptr;

}  // namespace

// Runs a background thread's step. If memory runs out, part of its bookkeeping is not done, so the
// writer is poisoned, and the next open repairs that.
template <class Step>
microseconds writer_state::guarded(const Step& step) noexcept {
    try {
        return step();
    } catch (const std::bad_alloc&) {
        (void)durability_->poison({.code = errc::out_of_memory});
        return milliseconds{10};
    }
}

result<void> writer_state::start_threads() {
    const auto start = [&](background_thread& thread, std::string_view suffix, auto step) {
        return thread.start({.name = parts_.options.threads.name + std::string{suffix},
                             .cores = parts_.options.threads.cores,
                             .step = [this, step = std::move(step)] { return guarded(step); }});
    };
    if (auto done = start(housekeeper_, "-house", [this] { return housekeep_step(); }); !done) {
        return done;
    }
    if (auto done = start(sealing_, "-seal", [this] { return seal_step(); }); !done)
        return done;
    if (auto done = start(flusher_, "-sync", [this] { return flush_step(); }); !done)
        return done;
    if (parts_.options.scrub_bytes_per_second != 0 && !parts_.to_scrub.empty()) {
        if (auto done = start(scrubbing_, "-scrub", [this] { return scrub_step(); }); !done)
            return done;
    }
    // Started last, because it begins by populating pages, which would delay the start of other
    // threads.
    return start(watching_, "-pages", [this] { return watch_step(); });
}

void writer_state::stop_threads() noexcept {
    scrubbing_.stop();
    watching_.stop();
    sealing_.stop();
    housekeeper_.stop();
    flusher_.stop();
}

void writer_state::fail_background(error why) {
    const error answer = durability_->poison(std::move(why));
    if (reported_failure_.exchange(true) || !parts_.options.observer)
        return;
    const writer_state* const before = std::exchange(observed_writer, this);
    parts_.options.observer(answer);
    observed_writer = before;
}

bool writer_state::inside_observer() const noexcept {
    return observed_writer == this;
}

bool writer_state::sync_is_due(steady_clock::time_point now) const noexcept {
    const sync_policy& policy = parts_.options.sync;
    const auto published = appender_->shared().sequence.load(std::memory_order_acquire);
    if (published == durability_->durable())
        return false;
    if (policy.interval_us != 0 && now - last_sync_ >= microseconds{policy.interval_us})
        return true;
    return policy.bytes != 0 && durability_->unsynced_bytes() >= policy.bytes;
}

void writer_state::look_for_lost_pages() {
    const std::uint32_t faults = count_guarded_faults();
    if (faults != std::exchange(faults_seen_, faults)) {
        if (auto whole = durability_->look_for_lost_pages(); !whole)
            fail_background(std::move(whole.error()));
    }
}

void writer_state::look_around() {
    if (auto there = durability_->look_around(); !there)
        fail_background(std::move(there.error()));
}

microseconds writer_state::watch_step() {
    look_around();
    adjust_clock();
    clock_->offer_if_due(*appender_);
    return watcher_->step();
}

microseconds writer_state::flush_step() {
    const auto now = steady_clock::now();
    look_for_lost_pages();
    if (sync_is_due(now)) {
        last_sync_ = now;
        if (auto synced = durability_->sync(); !synced)
            fail_background(std::move(synced.error()));
    }
    if (auto synced = durability_->sync_left_segments(); !synced) {
        fail_background(std::move(synced.error()));
    }
    if (watcher_->settled()) {
        if (auto stored = durability_->store_watermark(); !stored)
            fail_background(std::move(stored.error()));
    }
    return until_next_flush();
}

microseconds writer_state::until_next_flush() const {
    const sync_policy& policy = parts_.options.sync;
    if (appender_->shared().sequence.load(std::memory_order_acquire) != durability_->durable()) {
        if (policy.bytes != 0)
            return shortest_pause;
        if (policy.interval_us != 0)
            return std::clamp(microseconds{policy.interval_us}, shortest_pause, usual_pause);
    }
    return until_woken;
}

// Prepares what an append may have to wait for: the next segment, and room in the table of streams.
microseconds writer_state::housekeep_step() {
    auto made = supply_->replenish();
    if (!made) {
        fail_background(std::move(made.error()));
        return milliseconds{10};
    }
    if (*made) {
        durability_->set_state(control_state::open, 0);
        return microseconds{0};
    }
    if (const int shortage = supply_->shortage(); shortage != 0) {
        if (shortage == ENOSPC || shortage == EDQUOT)
            durability_->set_state(control_state::disk_full, shortage);
        return shortage_pause;
    }
    for (stream_table* table : {&appender_->streams(), &appender_->tags()}) {
        if (auto served = table->serve(); !served) {
            if (is_shortage(served.error()))
                return shortage_pause;
            fail_background(std::move(served.error()));
            return milliseconds{10};
        }
    }
    return until_woken;
}

// Writes what is derived from the log. It may take any time, because no append waits for it.
microseconds writer_state::seal_step() {
    const auto sealed = seal_one();
    if (!sealed) {
        // An index is derived and can be written later.
        if (is_shortage(sealed.error()))
            return seal_shortage_pause;
        fail_background(sealed.error());
        return milliseconds{10};
    }
    if (!*sealed)
        return retain_step();
    retention_due_ = true;
    return microseconds{0};
}

result<bool> writer_state::seal_one() {
    const std::scoped_lock guard{sealed_files_};
    auto sealed = sealer_->step();
    if (sealed && *sealed) {
        if (auto written = sealer_->write_heads_if_due(false); !written)
            return std::unexpected(std::move(written.error()));
    }
    return sealed;
}

void writer_state::adjust_clock() noexcept {
    constexpr std::chrono::seconds clock_interval{1};
    const auto now = steady_clock::now();
    if (now - clock_adjusted_ < clock_interval)
        return;
    clock_adjusted_ = now;
    if (tsc_clock* clock = tsc_clock::instance())
        clock->adjust();
}

microseconds writer_state::scrub_step() {
    constexpr std::uint64_t slice = std::uint64_t{1} << 20;
    constexpr std::chrono::hours done{1};
    auto read = scrubber_->step(slice);
    if (!read && is_shortage(read.error()))
        return shortage_pause;
    if (!read) {
        fail_background(std::move(read.error()));
        return done;
    }
    if (*read == 0)
        return done;
    scrubbed_.fetch_add(*read, std::memory_order_relaxed);
    const auto rate = std::max<std::uint64_t>(parts_.options.scrub_bytes_per_second, 1);
    return microseconds{*read * 1'000'000 / rate + 1};
}

}  // namespace pawl::detail
