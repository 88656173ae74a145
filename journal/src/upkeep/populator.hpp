// Pre-faults the pages ahead of the writer, within a bounded window: a page that the kernel writes
// back before it is used would fault again.
#pragma once

#include "append/live_segment.hpp"
#include "append/segment_supply.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>

namespace pawl::detail {

class populator {
  public:
    populator(const progress* shared, const segment_supply* supply, live_segment* first,
              std::uint64_t window_bytes) noexcept
        : progress_{shared}, supply_{supply}, at_{first}, window_{window_bytes} {}

    // Populates at most one slice. False if the window is populated, or the rest of it is not worth
    // a call.
    [[nodiscard]] bool step() noexcept;
    // Must be called before the segment is destroyed.
    void forget(const live_segment* segment) noexcept;
    [[nodiscard]] std::uint64_t populated_bytes() const noexcept {
        return populated_.load(std::memory_order_relaxed);
    }

  private:
    [[nodiscard]] bool populate(live_segment& segment, std::uint64_t to) noexcept;

    std::mutex mutex_;
    const progress* progress_;
    const segment_supply* supply_;
    live_segment* at_;
    std::uint64_t window_;
    std::atomic<std::uint64_t> populated_{0};
};

}  // namespace pawl::detail
