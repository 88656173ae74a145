// Segments prepared ahead of the writer.
#pragma once

#include "append/live_segment.hpp"
#include "os/assertion.hpp"

#include <pawl/journal/error.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

namespace pawl::detail {

// A ring between the background, which creates segments, and the appending thread, which takes
// them.
class segment_supply {
  public:
    // `request` describes the next segment to make.
    segment_supply(segment_request request, std::uint64_t ahead) noexcept;
    ~segment_supply();
    segment_supply(const segment_supply&) = delete;
    segment_supply& operator=(const segment_supply&) = delete;

    // The appending thread: takes the next segment; null if none is ready.
    [[nodiscard]] live_segment* take() noexcept {
        const std::uint64_t taken = taken_.load(std::memory_order_relaxed);
        if (taken == made_.load(std::memory_order_acquire))
            return nullptr;
        live_segment* segment = ring_[taken % ring_.size()];
        PAWL_ASSERT(segment != nullptr);
        taken_.store(taken + 1, std::memory_order_release);
        return segment;
    }
    // The next segment without taking it; null if none is ready.
    [[nodiscard]] live_segment* peek() const noexcept {
        const std::uint64_t taken = taken_.load(std::memory_order_acquire);
        if (taken == made_.load(std::memory_order_acquire))
            return nullptr;
        return ring_[taken % ring_.size()];
    }
    // The errno of the shortage that made the last attempt to create a segment fail; 0 if there was
    // none.
    [[nodiscard]] int shortage() const noexcept {
        return shortage_.load(std::memory_order_relaxed);
    }

    // Segments that are ready and not taken.
    [[nodiscard]] std::uint64_t ready() const noexcept {
        const std::uint64_t taken = taken_.load(std::memory_order_acquire);
        return made_.load(std::memory_order_acquire) - taken;
    }
    [[nodiscard]] bool wants_more() const noexcept { return ready() < ahead_; }
    // The background: creates one segment if fewer are ready than wanted; true if it did. A
    // shortage is recorded in shortage(), and the next call tries again; any other error is
    // returned.
    [[nodiscard]] result<bool> replenish();
    [[nodiscard]] std::uint64_t wanted_ahead() const noexcept { return ahead_; }
    // Unlinks the segments that are ready but were not taken; only after the appending thread has
    // stopped.
    [[nodiscard]] result<void> discard();

  private:
    static constexpr std::size_t ring_slots = 16;

    segment_request request_;
    std::uint64_t ahead_;
    std::array<live_segment*, ring_slots> ring_{};
    alignas(64) std::atomic<std::uint64_t> made_{0};
    alignas(64) std::atomic<std::uint64_t> taken_{0};
    std::atomic<int> shortage_{0};
};

}  // namespace pawl::detail
