// A segment while it is being written, and the chain of such segments that the threads of a writer
// share.
#pragma once

#include "os/assertion.hpp"
#include "store/segment_file.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace pawl::detail {

// What the appending thread publishes after each append: how far it has come.
//
// Each word can be read on its own. `position` counts across segments and never goes back, so a
// reader needs no second word to know to which segment it belongs: see live_segment::end_of_frames.
struct alignas(64) progress {
    std::atomic<std::uint64_t> sequence{0};  // exclusive
    // The end of the last frame, as an offset in an imaginary log: the header area of the first
    // segment, followed by the frames of all segments without any headers between them.
    std::atomic<std::uint64_t> position{first_frame_offset};
    std::atomic<std::uint64_t> rollovers{0};
    std::atomic<std::uint64_t> back_pressure{0};
};

// Created by the background, filled by the appending thread, then synced and sealed by the
// background. A thread that loads `next` with acquire may read `end`, and `begin` of the next
// segment.
struct live_segment {
    explicit live_segment(writable_segment made) noexcept
        : header{made.header}, bytes{std::move(made.bytes)}, source{std::move(made.source)} {}

    segment_header header;
    mapping bytes;
    file source;

    // The position (progress::position) of this segment's first byte.
    std::uint64_t begin = 0;
    std::atomic<live_segment*> next{nullptr};
    // The offset after the end frame and after what was zeroed there, so that a sync covers both; 0
    // while the segment is being written.
    std::atomic<std::uint64_t> end{0};

    std::uint64_t synced = first_frame_offset;  // the flusher's own: bytes before this are durable
    std::uint64_t written = 0;  // the flusher's own: the pages before this are marked written
    std::uint64_t populated = first_frame_offset;  // the populating thread's own

    // Where this segment's frames end when the log ends at `position`. A segment that is linked but
    // not entered yet has none: the position still belongs to the previous segment.
    [[nodiscard]] std::uint64_t end_of_frames(std::uint64_t position) const noexcept {
        if (position <= begin + first_frame_offset)
            return first_frame_offset;
        return std::min<std::uint64_t>(position - begin, header.segment_bytes);
    }

    // The appending thread leaves this segment, whose frames end at `frames_end`, for `successor`.
    void link(live_segment& successor, std::uint64_t frames_end, std::uint64_t sync_end) noexcept {
        PAWL_ASSERT(next.load(std::memory_order_relaxed) == nullptr);
        PAWL_ASSERT(successor.header.ordinal == header.ordinal + 1);
        PAWL_ASSERT(frames_end > first_frame_offset && frames_end <= header.segment_bytes);
        PAWL_ASSERT(frames_end % frame_alignment == 0 && sync_end % frame_alignment == 0);
        PAWL_ASSERT(successor.next.load(std::memory_order_relaxed) == nullptr);
        PAWL_ASSERT(sync_end >= frames_end && sync_end <= header.segment_bytes);
        successor.begin = begin + (frames_end - first_frame_offset);
        end.store(sync_end, std::memory_order_relaxed);
        next.store(&successor, std::memory_order_release);
    }
};

}  // namespace pawl::detail
