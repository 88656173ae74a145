// Group commit: makes published events durable and moves the watermark, but never before the sync
// has returned.
#pragma once

#include "append/appender.hpp"
#include "append/live_segment.hpp"
#include "store/control.hpp"
#include "upkeep/place_check.hpp"
#include "upkeep/sync_times.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace pawl::detail {

class durability {
  public:
    // `left` is called, under the lock, with each segment that is complete and synced, and takes
    // ownership of it.
    using left_segment = std::function<void(std::unique_ptr<live_segment>)>;

    durability(control_page control, std::atomic<std::uint32_t>* gate_word, sequence_number durable,
               place_check place, left_segment left);
    ~durability();
    durability(const durability&) = delete;
    durability& operator=(const durability&) = delete;

    // Must be called before any other function.
    void attach(const progress* shared, std::unique_ptr<live_segment> first) noexcept;

    [[nodiscard]] const std::atomic<std::uint64_t>& watermark() const noexcept { return durable_; }
    [[nodiscard]] sequence_number durable() const noexcept {
        return durable_.load(std::memory_order_acquire);
    }

    // Makes everything published at the call durable. Any thread; concurrent callers share a sync.
    [[nodiscard]] result<sequence_number> sync();
    // Like sync(), but syncs even if every event is already durable, because end frames are not
    // events.
    [[nodiscard]] result<void> sync_to_end();
    // Syncs the segments that the writer has left.
    [[nodiscard]] result<void> sync_left_segments();
    [[nodiscard]] std::uint64_t unsynced_bytes() const noexcept;
    // Poisons the writer if a segment that is not wholly synced has lost a page.
    [[nodiscard]] result<void> look_for_lost_pages();

    // Poisons the writer if its files are no longer where it put them. Checks at most once in half
    // a heartbeat, and not during a sync, which makes its own check.
    [[nodiscard]] result<void> look_around();

    // Stores the watermark in the control file, and syncs it, if it has moved since the last time.
    [[nodiscard]] result<void> store_watermark();
    // Updates the live status for readers and wakes them if it has changed. One thread at a time;
    // does not wait for a sync in progress.
    void report_status(bool beat) noexcept;
    void set_state(control_state state, int os_error) noexcept;

    // Records a failure and returns the error that every later call returns. The first failure ends
    // all acknowledging for good.
    error poison(error why);
    [[nodiscard]] std::optional<error> failure() const;
    [[nodiscard]] std::uint64_t syncs() const noexcept { return sync_times_.count(); }
    [[nodiscard]] const sync_times& times() const noexcept { return sync_times_; }
    // For readers, as report_status() is.
    void report_statistics(const control_statistics& now) const noexcept {
        control_.set_statistics(now);
    }

  private:
    [[nodiscard]] result<void> sync_chain(bool only_left);
    static void let_go(const live_segment& segment, std::uint64_t to) noexcept;
    [[nodiscard]] result<void> look_around_locked();
    [[nodiscard]] result<void> find_lost_page() const;
    [[nodiscard]] static result<void> still_there(live_segment& segment, std::uint64_t to);
    [[nodiscard]] static result<void> see_written(live_segment& segment, std::uint64_t to);
    [[nodiscard]] error poisoned_locked(error why);
    [[nodiscard]] error poison_answer() const;

    mutable std::mutex mutex_;
    control_page control_;
    std::atomic<std::uint32_t>* gate_word_;
    place_check place_;
    left_segment left_;
    const progress* progress_ = nullptr;
    std::unique_ptr<live_segment> oldest_;  // the first segment that is not wholly synced
    std::optional<error> failure_;
    sequence_number stored_watermark_ = 0;
    sequence_number reported_ = 0;
    sequence_number reported_durable_ = 0;
    alignas(64) std::atomic<std::uint64_t> durable_;
    alignas(64) sync_times sync_times_;
};

}  // namespace pawl::detail
