// How many syncs there were, and how long they took.
#pragma once

#include "format/directory_layout.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace pawl::detail {

class sync_times {
  public:
    // One thread at a time.
    void add(std::chrono::nanoseconds took) noexcept {
        constexpr std::uint64_t ns_per_us = 1000;
        const auto ns = static_cast<std::uint64_t>(std::max(took.count(), std::int64_t{0}));
        const std::size_t bucket = std::min<std::size_t>(
            static_cast<std::size_t>(std::bit_width(ns / ns_per_us)), sync_time_buckets - 1);
        raise(buckets_[bucket], 1);
        raise(total_ns_, ns);
        longest_ns_.store(std::max(longest_ns_.load(std::memory_order_relaxed), ns),
                          std::memory_order_relaxed);
        raise(count_, 1);
    }

    // Any thread.
    [[nodiscard]] std::uint64_t count() const noexcept {
        return count_.load(std::memory_order_relaxed);
    }
    void put_into(control_statistics& statistics) const noexcept {
        statistics.syncs = count();
        statistics.sync_ns = total_ns_.load(std::memory_order_relaxed);
        statistics.longest_sync_ns = longest_ns_.load(std::memory_order_relaxed);
        for (std::size_t i = 0; i < sync_time_buckets; ++i)
            statistics.sync_times[i] = buckets_[i].load(std::memory_order_relaxed);
    }

  private:
    static void raise(std::atomic<std::uint64_t>& counter, std::uint64_t by) noexcept {
        counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
    }

    std::atomic<std::uint64_t> count_{0};
    std::atomic<std::uint64_t> total_ns_{0};
    std::atomic<std::uint64_t> longest_ns_{0};
    std::array<std::atomic<std::uint64_t>, sync_time_buckets> buckets_{};
};

}  // namespace pawl::detail
