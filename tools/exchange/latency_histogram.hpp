// A histogram of durations.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace exchange {

// Log-linear: each power of two is cut into 64 equal parts, so that a percentile is at most 1/64
// too high, whatever its size (the idea of Gil Tene's HdrHistogram). Adding does not allocate.
class latency_histogram {
  public:
    void add(std::uint64_t nanoseconds) noexcept {
        ++counts_[bucket(nanoseconds)];
        ++count_;
        max_ = std::max(max_, nanoseconds);
    }

    void add(const latency_histogram& other) noexcept {
        for (std::size_t n = 0; n < counts_.size(); ++n)
            counts_[n] += other.counts_[n];
        count_ += other.count_;
        max_ = std::max(max_, other.max_);
    }

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] std::uint64_t max() const noexcept { return max_; }

    // The smallest value that at least this share (0 to 1) of all does not exceed; 0 if empty.
    [[nodiscard]] std::uint64_t percentile(double share) const noexcept {
        const auto wanted =
            static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
        std::uint64_t passed = 0;
        for (std::size_t n = 0; n < counts_.size(); ++n) {
            passed += counts_[n];
            if (passed != 0 && passed >= wanted)
                return std::min(highest_in(n), max_);
        }
        return max_;
    }

  private:
    static constexpr int part_bits = 6;
    static constexpr std::uint64_t parts = std::uint64_t{1} << part_bits;

    static constexpr std::size_t buckets = (64 - part_bits + 1) * parts;

    static std::size_t bucket(std::uint64_t value) noexcept {
        const int width = static_cast<int>(std::bit_width(value));
        const int shift = std::max(0, width - 1 - part_bits);
        return static_cast<std::size_t>(shift) * parts + static_cast<std::size_t>(value >> shift);
    }
    static std::uint64_t highest_in(std::size_t n) noexcept {
        const std::uint64_t shift = n < 2 * parts ? 0 : n / parts - 1;
        return ((n - shift * parts + 1) << shift) - 1;
    }

    std::array<std::uint64_t, buckets> counts_{};
    std::uint64_t count_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace exchange
