#include <pawl/replay/detail/histogram.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace pawl::detail {
namespace {

constexpr unsigned bits = std::countr_zero(histogram::buckets_per_octave);

// Values below two octaves' worth of buckets index themselves. Above, the value keeps its highest
// bits + 1 bits: the leading one is absorbed by the octave, the others choose the bucket in it.
constexpr std::size_t index_of(std::uint64_t value) noexcept {
    if (value < 2 * histogram::buckets_per_octave) {
        return static_cast<std::size_t>(value);
    }
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - (bits + 1);
    return static_cast<std::size_t>((std::uint64_t{shift} << bits) + (value >> shift));
}

constexpr std::uint64_t last_value_of(std::size_t index) noexcept {
    if (index < 2 * histogram::buckets_per_octave) {
        return index;
    }
    const unsigned shift = static_cast<unsigned>(index >> bits) - 1;
    const std::uint64_t kept =
        histogram::buckets_per_octave + (index & (histogram::buckets_per_octave - 1));
    return (kept << shift) + ((std::uint64_t{1} << shift) - 1);
}

constexpr std::size_t bucket_count = index_of(~std::uint64_t{0}) + 1;
static_assert(last_value_of(bucket_count - 1) == ~std::uint64_t{0});
static_assert(last_value_of(index_of(256)) == 257);

}  // namespace

histogram::histogram() : buckets_(bucket_count, 0) {}

void histogram::record(std::uint64_t value) noexcept {
    ++buckets_[index_of(value)];
    ++count_;
    minimum_ = std::min(minimum_, value);
    maximum_ = std::max(maximum_, value);
    sum_ += static_cast<double>(value);
}

void histogram::merge(const histogram& other) noexcept {
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        buckets_[i] += other.buckets_[i];
    }
    count_ += other.count_;
    minimum_ = std::min(minimum_, other.minimum_);
    maximum_ = std::max(maximum_, other.maximum_);
    sum_ += other.sum_;
}

void histogram::clear() noexcept {
    std::fill(buckets_.begin(), buckets_.end(), 0);
    count_ = 0;
    minimum_ = ~std::uint64_t{0};
    maximum_ = 0;
    sum_ = 0;
}

double histogram::mean() const noexcept {
    return count_ == 0 ? 0.0 : sum_ / static_cast<double>(count_);
}

std::uint64_t histogram::at(double share) const noexcept {
    if (count_ == 0) {
        return 0;
    }
    const double wanted = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_));
    const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        seen += buckets_[i];
        if (seen >= rank) {
            return std::clamp(last_value_of(i), minimum_, maximum_);
        }
    }
    return maximum_;
}

}  // namespace pawl::detail
