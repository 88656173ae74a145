// The one thread that looks again and again at what the appending thread does, which calls nobody.
// It keeps readers informed, makes pages present ahead of the writer, and wakes the other threads
// when there is something for them to do.
#pragma once

#include "append/appender.hpp"
#include "append/segment_supply.hpp"
#include "os/background.hpp"
#include "upkeep/durability.hpp"
#include "upkeep/populator.hpp"
#include "upkeep/sealer.hpp"

#include <pawl/journal/options.hpp>
#include <pawl/journal/types.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace pawl::detail {

// Whom a watcher looks at and whom it wakes; all of them outlive it.
struct watched_parts {
    const writer_options* options;
    appender* append;
    durability* durable;
    segment_supply* supply;
    populator* pages;
    sealer* seal;
    background_thread* flusher;
    background_thread* housekeeper;
};

class watcher {
  public:
    watcher(const watched_parts& parts, sequence_number durable) noexcept
        : parts_{parts}, durable_seen_{durable} {}

    // Says how long there is nothing to look at.
    [[nodiscard]] std::chrono::microseconds step();

    // The pieces of a step that a program does itself where there are no threads.
    void report_status();
    void note_settled() noexcept;

    // Whether nothing has become durable for a while. Any thread.
    [[nodiscard]] bool settled() const noexcept { return settled_.load(std::memory_order_relaxed); }

  private:
    void wake_others();
    [[nodiscard]] std::chrono::microseconds until_next_look();

    watched_parts parts_;
    std::atomic<bool> settled_{false};
    sequence_number durable_seen_;
    std::chrono::steady_clock::time_point durable_changed_{};
    std::chrono::steady_clock::time_point last_beat_{};
    std::chrono::steady_clock::time_point looked_{};
    std::uint64_t position_then_ = 0;  // of the log when it last looked
    // What there is to do for the flusher follows from these.
    struct flush_cause {
        sequence_number published = 0;
        sequence_number settled = 0;  // durable for a while
        std::uint64_t rollovers = 0;
        std::uint32_t faults = 0;  // lost pages
        bool operator==(const flush_cause&) const = default;
    };
    flush_cause flush_cause_{};
};

}  // namespace pawl::detail
