// Durations, counted so that their quantiles can be told.
#pragma once

#include <cstdint>
#include <vector>

namespace pawl::detail {

// Counts durations so that every quantile comes out within a constant relative error.
//
// Log-linear: each power of two is cut into 128 buckets of equal width, so a value is off by at
// most 1/128 of itself, a nanosecond and a second alike, and values below 256 are exact. The idea
// is that of Gil Tene's HdrHistogram. Recording is an index computation and an increment; the
// constructor allocates the memory once. Not thread-safe: use one histogram per thread, then
// merge().
class histogram {
  public:
    // Buckets per power of two; the relative error is at most its inverse.
    static constexpr std::uint64_t buckets_per_octave = 128;

    histogram();

    void record(std::uint64_t value) noexcept;
    void merge(const histogram& other) noexcept;
    void clear() noexcept;

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    // Exact; 0 when nothing was recorded.
    [[nodiscard]] std::uint64_t minimum() const noexcept { return count_ == 0 ? 0 : minimum_; }
    // Exact; 0 when nothing was recorded.
    [[nodiscard]] std::uint64_t maximum() const noexcept { return maximum_; }
    // Exact; 0 when nothing was recorded.
    [[nodiscard]] double mean() const noexcept;

    // The smallest recorded value, rounded up to the end of its bucket, that at least the given
    // share of all values does not exceed. `share` is 0 to 1; 1 gives the exact maximum. 0 when
    // nothing was recorded. Cost: one pass over the buckets.
    [[nodiscard]] std::uint64_t at(double share) const noexcept;

  private:
    std::vector<std::uint64_t> buckets_;
    std::uint64_t count_ = 0;
    std::uint64_t minimum_ = ~std::uint64_t{0};
    std::uint64_t maximum_ = 0;
    double sum_ = 0;
};

}  // namespace pawl::detail
