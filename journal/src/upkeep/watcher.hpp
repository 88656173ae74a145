// The one thread that polls what the appending thread has published, because that thread makes no
// system call to wake anyone. It reports the status to readers, populates pages ahead of the
// writer, and wakes the other threads when they have work.
#pragma once

#include "append/appender.hpp"
#include "append/segment_supply.hpp"
#include "os/background.hpp"
#include "upkeep/counter_board.hpp"
#include "upkeep/durability.hpp"
#include "upkeep/populator.hpp"
#include "upkeep/sealer.hpp"

#include <pawl/journal/options.hpp>
#include <pawl/journal/types.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace pawl::detail {

// The parts that a watcher polls and the threads that it wakes. All must outlive it.
struct watched_parts {
    const writer_options* options;
    appender* append;
    durability* durable;
    segment_supply* supply;
    populator* pages;
    const counter_board* counters;
    sealer* seal;
    background_thread* flusher;
    background_thread* housekeeper;
    background_thread* sealing;
};

class watcher {
  public:
    watcher(const watched_parts& parts, sequence_number durable) noexcept;

    // Does one round and returns how long to sleep before the next.
    [[nodiscard]] std::chrono::microseconds step();

    // The parts of a round that poll() runs if there are no background threads.
    void report_status();
    void report_statistics() const noexcept;
    void note_settled() noexcept;

    // True if the watermark has not moved for a while. Any thread.
    [[nodiscard]] bool settled() const noexcept { return settled_.load(std::memory_order_relaxed); }

  private:
    void wake_others();
    [[nodiscard]] std::chrono::microseconds until_next_look();

    watched_parts parts_;
    std::uint64_t opened_ns_;
    sequence_number first_sequence_;
    std::atomic<bool> settled_{false};
    sequence_number durable_seen_;
    std::chrono::steady_clock::time_point durable_changed_{};
    std::chrono::steady_clock::time_point last_beat_{};
    std::chrono::steady_clock::time_point looked_{};
    std::chrono::steady_clock::time_point moved_at_ = std::chrono::steady_clock::now();
    std::uint64_t position_then_ = 0;  // of the log at the last look
    // The flusher has work whenever one of these has changed.
    struct flush_cause {
        sequence_number published = 0;
        sequence_number settled = 0;  // durable for a while
        std::uint64_t rollovers = 0;
        std::uint32_t faults = 0;  // lost pages
        bool operator==(const flush_cause&) const = default;
    };
    flush_cause flush_cause_{};
    std::uint64_t enqueued_seen_ = 0;  // segments given to the sealer
};

}  // namespace pawl::detail
