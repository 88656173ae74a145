#include "read/segment_window.hpp"

#include "os/assertion.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

namespace pawl::detail {

namespace {

// Fits the second-level cache, and is large enough for the cost of the call that fills it not to
// matter.
constexpr std::uint64_t window_bytes = std::uint64_t{256} << 10;
// Whole pages are copied fastest, and frames keep their place relative to cache lines.
constexpr std::uint64_t granularity = 4096;

}  // namespace

void segment_window::enter(const file& source, std::uint64_t segment_bytes,
                           std::uint64_t epoch) noexcept {
    PAWL_ASSERT(segment_bytes > first_frame_offset && epoch != 0);
    source.will_read_in_order();
    source_ = &source;
    segment_bytes_ = segment_bytes;
    epoch_ = epoch;
    begin_ = 0;
    end_ = 0;
}

result<void> segment_window::widen(std::uint64_t offset) {
    PAWL_ASSERT(source_ != nullptr && offset < segment_bytes_);
    const std::uint64_t behind = end_ > offset ? end_ - offset : 0;
    begin_ = offset / granularity * granularity;
    const std::uint64_t bytes =
        std::min(std::max(window_bytes, 2 * (behind + granularity)), segment_bytes_ - begin_);
    end_ = begin_ + bytes;
    PAWL_ASSERT(begin_ <= offset && end_ <= segment_bytes_);
    if (bytes_.size() < bytes)
        bytes_.resize(bytes);
    return source_->read_at(std::span{bytes_}.first(bytes), begin_, cached_);
}

frame_space segment_window::space() const noexcept {
    // Computed as an integer, because the segment's first byte is not in memory.
    const auto origin = std::bit_cast<std::uintptr_t>(bytes_.data()) - begin_;
    return {std::bit_cast<const std::byte*>(origin), end_, epoch_};
}

}  // namespace pawl::detail
