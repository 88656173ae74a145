#include "upkeep/populator.hpp"

#include "os/assertion.hpp"

#include <algorithm>

namespace pawl::detail {

bool populator::populate(live_segment& segment, std::uint64_t to) noexcept {
    constexpr std::uint64_t slice = std::uint64_t{1} << 20;
    // A smaller slice is not worth a system call, unless it is the segment's last.
    const std::uint64_t least = std::min(slice, window_) / 4;
    const std::uint64_t size = segment.header.segment_bytes;
    PAWL_ASSERT(segment.populated <= size);
    to = std::min<std::uint64_t>(to, size);
    if (segment.populated >= to || (to < size && to - segment.populated < least))
        return false;
    PAWL_ASSERT(segment.populated < to && to <= size);
    const std::uint64_t bytes = std::min(slice, to - segment.populated);
    segment.bytes.populate(segment.populated, bytes);
    segment.populated += bytes;
    populated_.fetch_add(bytes, std::memory_order_relaxed);
    return true;
}

bool populator::step() noexcept {
    const std::scoped_lock guard{mutex_};
    const std::uint64_t position = progress_->position.load(std::memory_order_acquire);
    while (live_segment* next = at_->next.load(std::memory_order_acquire))
        at_ = next;
    const std::uint64_t filled = at_->end_of_frames(position);
    at_->populated = std::max(at_->populated, filled);
    const std::uint64_t wanted = filled + window_;
    if (populate(*at_, wanted))
        return true;
    live_segment* ready = supply_->peek();
    const std::uint64_t size = at_->header.segment_bytes;
    if (ready == nullptr || wanted <= size)
        return false;
    return populate(*ready, first_frame_offset + (wanted - size));
}

void populator::forget(const live_segment* segment) noexcept {
    const std::scoped_lock guard{mutex_};
    while (at_ == segment)
        at_ = segment->next.load(std::memory_order_acquire);
    PAWL_ASSERT(at_ != nullptr);
}

}  // namespace pawl::detail
