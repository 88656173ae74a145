// A segment while it is being written, and the chain of them that the threads of a writer share.
#pragma once

#include "store/segment_file.hpp"

#include <atomic>
#include <cstdint>

namespace pawl::detail {

// Made by the background, filled by the appending thread, synced and sealed by the background
// again. The appending thread stores `end` and then `next` when it leaves a segment; whoever reads
// `next` with acquire may read `end`.
struct live_segment {
    explicit live_segment(writable_segment made) noexcept
        : header{made.header}, bytes{std::move(made.bytes)}, source{std::move(made.source)} {}

    segment_header header;
    mapping bytes;
    file source;

    std::atomic<live_segment*> next{nullptr};
    // Behind the end frame and what was zeroed behind that, so that a sync covers both; 0 while the
    // segment is written.
    std::atomic<std::uint64_t> end{0};

    std::uint64_t synced = first_frame_offset;  // the flusher's own: bytes before this are durable
    std::uint64_t written = 0;  // the flusher's own: the pages before this are marked written
    std::uint64_t populated = first_frame_offset;  // the populating thread's own
};

// What the appending thread tells the others after each append: how far it has come.
struct alignas(64) progress {
    std::atomic<std::uint64_t> sequence{0};  // exclusive
    // In the newest segment of the chain. Stored after the chain was extended.
    std::atomic<std::uint64_t> position{first_frame_offset};
    std::atomic<std::uint64_t> rollovers{0};
    std::atomic<std::uint64_t> bytes{0};  // appended in segments that have been left
    std::atomic<std::uint64_t> back_pressure{0};
};

}  // namespace pawl::detail
