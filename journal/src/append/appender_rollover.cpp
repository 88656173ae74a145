// Rollovers: how the appender leaves a segment, or ends the journal.
#include "append/appender.hpp"
#include "append/appender_frames.hpp"
#include "append/pause.hpp"
#include "os/assertion.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace pawl::detail {

std::optional<error> appender::make_room(std::size_t bytes) noexcept {
    PAWL_ASSERT(bytes % frame_alignment == 0 && position_ <= limit_);
    if (bytes > limit_ - first_frame_offset)
        return error{
            .code = errc::too_large,
            .size = bytes,
            .limit = limit_ - first_frame_offset,
            .reason = "an event or batch, with its frame headers, must fit into one segment"};
    if (bytes <= limit_ - position_)
        return std::nullopt;
    return roll(bytes);
}

result<live_segment*> appender::wait_for_segment() noexcept {
    if (live_segment* ready = supply_->take())
        return ready;
    progress_.back_pressure.fetch_add(1, std::memory_order_relaxed);
    for (;;) {
        if (!may_go_on())
            return refused();
        // Read once, so that the value that ends the wait is also the one that is returned.
        const int shortage = supply_->shortage();
        if (shortage == ENOSPC || shortage == EDQUOT) {
            return std::unexpected(error{.code = errc::disk_full,
                                         .os_error = shortage,
                                         .reason = "no room for the next segment"});
        }
        if (full_ != when_full::spin) {
            return std::unexpected(error{.code = errc::back_pressure,
                                         .os_error = shortage,
                                         .reason = "the next segment is not ready yet"});
        }
        pause();
        if (live_segment* ready = supply_->take())
            return ready;
    }
}

// Leaves the full segment for the next one. The end frame names its successor's epoch, and nothing
// is synced here: after the death of the process all pages are as they were, and whatever a power
// cut leaves is judged from the disk alone.
//
// - The end frame is lost: the segment has a hole there, and recovery moves the next segment to
//   torn/. Nothing in it can be durable, because a sync goes through the segments in order.
// - The end frame is there, and frames of the next segment are lost: a hole in the next segment.
//
// The next segment itself cannot be lost, because its header and its name were synced before the
// supply offered it.
std::optional<error> appender::roll(std::size_t bytes) noexcept {
    const std::uint64_t behind = behind_durable();
    if (behind > most_behind)
        return too_far_behind();
    const auto ready = wait_for_segment();
    if (!ready)
        return ready.error();
    live_segment* next = *ready;
    PAWL_ASSERT(!busy_);
    PAWL_ASSERT(next->header.ordinal == ordinal_ + 1);
    const std::uint64_t zeroed_to = zero_scribbles();
    append_end(system_type::rolled, next->header.epoch, static_cast<std::uint32_t>(behind));
    progress_.rollovers.fetch_add(1, std::memory_order_relaxed);
    // Check before linking: after that, the flusher may free the segment. If the segment has lost a
    // page, its sync fails and it stays.
    const bool lost = lost_a_page();
    segment_->link(*next, position_, std::max(position_, zeroed_to));
    if (lost) [[unlikely]]
        return lost_page().error();
    enter(next);
    // The next segment may have lost a page while it waited, before anyone checked it.
    if (segment_->bytes.faulted()) [[unlikely]] {
        (void)look_for_lost_page();
        return lost_page().error();
    }
    if (reports_clock_) {
        if (auto reported = append_clock_report(bytes); !reported)
            return std::move(reported.error());
    }
    return std::nullopt;
}

std::uint64_t appender::zero_scribbles() noexcept {
    // The word at position_ is zero already, and readers may be looking at it.
    const std::uint64_t from = position_ + frame_alignment;
    const std::uint64_t end = std::min<std::uint64_t>(scribbled_, segment_->header.segment_bytes);
    if (end > from)
        std::memset(base_ + from, 0, static_cast<std::size_t>(end - from));
    scribbled_ = 0;
    return padded(static_cast<std::size_t>(end));
}

void appender::append_end(system_type type, std::uint64_t successor_epoch,
                          std::uint32_t witness) noexcept {
    const end_payload payload{.successor_epoch = successor_epoch,
                              .first_sequence = segment_first_sequence_,
                              .events = sequence_ - segment_first_sequence_,
                              .lost_about = 0,
                              .torn_bytes = 0};
    PAWL_ASSERT(!busy_);
    PAWL_ASSERT(position_ <= limit_);
    PAWL_ASSERT(sequence_ >= segment_first_sequence_);
    const std::uint64_t offset = position_;
    store_payload(offset, std::as_bytes(std::span{&payload, 1}));
    store_place(offset, sequence_, no_stream_id, {}, witness);
    store_time(offset, 0);
    finish_frame(offset,
                 commit_word{end_frame_bytes, flag::system, static_cast<std::uint16_t>(type), 0});
    position_ += end_frame_bytes;
}

void appender::append_closed() noexcept {
    append_end(system_type::closed, 0, 0);
    progress_.position.store(begin_ + position_, std::memory_order_release);
}

}  // namespace pawl::detail
