// Walks through the frames of one segment in order, for recovery, verification and the index
// builder.
#pragma once

#include "format/frame_check.hpp"
#include "format/segment_layout.hpp"
#include "os/assertion.hpp"
#include "os/data_ranges.hpp"

#include <pawl/journal/detail/frame.hpp>
#include <pawl/journal/types.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace pawl::detail {

// Where a walk stopped: at an end frame (fault none), or at the first place that holds no valid
// frame.
struct walk_end {
    frame_fault fault = frame_fault::none;
    std::uint64_t offset = 0;      // of the end frame, or of the hole
    sequence_number sequence = 0;  // the next event's
    system_type end_type{};
    end_payload end{};
    std::uint64_t end_hash = 0;
    sequence_number first_sequence = 0;
    std::uint64_t events = 0;
    std::uint64_t frames = 0;     // without the end frame
    sequence_number durable = 0;  // the highest watermark that a valid frame proves

    [[nodiscard]] bool ended() const noexcept { return fault == frame_fault::none; }
};

struct walk_start {
    std::uint64_t offset = first_frame_offset;
    sequence_number sequence = 0;
};

// Checks one frame whose sequence must be `expected`.
[[nodiscard]] inline frame_fault check_in_order(const frame_space& space, std::uint64_t offset,
                                                sequence_number expected) noexcept {
    if (offset % frame_alignment != 0 || !has_room_for_header(space, offset)) {
        return frame_fault::out_of_room;
    }
    const std::byte* frame = space.base + offset;
    const commit_word word{load_commit(frame)};
    if (const auto fault = check_frame(space, offset, word); fault != frame_fault::none)
        return fault;
    if (load_u64(frame + frame_offset::sequence) != expected)
        return frame_fault::wrong_sequence;
    if (load_u32(frame + frame_offset::witness) > expected)
        return frame_fault::bad_witness;
    return is_understood(word) ? frame_fault::none : frame_fault::newer;
}

struct unit_check {
    frame_fault fault = frame_fault::none;
    std::uint64_t end = 0;  // after the last frame that was checked
};

// Checks the batch whose first frame, already checked, lies at `offset`.
[[nodiscard]] inline unit_check check_batch(const frame_space& space, std::uint64_t offset,
                                            sequence_number first) noexcept {
    std::uint64_t at = offset;
    PAWL_ASSERT(offset % frame_alignment == 0 && has_room_for_header(space, offset));
    for (sequence_number expected = first;; ++expected) {
        const frame_fault fault =
            at == offset ? frame_fault::none : check_in_order(space, at, expected);
        if (fault != frame_fault::none) {
            const bool newer = fault == frame_fault::newer;
            return {newer ? frame_fault::newer : frame_fault::broken_batch, at};
        }
        const commit_word word{load_u64(space.base + at)};
        const std::uint8_t part = word.flags() & flag::batch_mask;
        at += padded(word.frame_bytes());
        PAWL_ASSERT(at <= space.bytes);
        if (part == flag::batch_last)
            return {frame_fault::none, at};
        const std::uint8_t wanted = expected == first ? flag::batch_first : flag::batch_middle;
        if (part != wanted)
            return {frame_fault::broken_batch, at};
    }
}

// Checks what a reader must see whole or not at all: the frame at `offset` and, if it begins a
// batch, all other frames of the batch.
[[nodiscard]] inline unit_check check_unit(const frame_space& space, std::uint64_t offset,
                                           sequence_number expected) noexcept {
    const frame_fault fault = check_in_order(space, offset, expected);
    if (fault != frame_fault::none) [[unlikely]]
        return {fault, offset};
    const commit_word word{load_u64(space.base + offset)};
    const std::uint8_t part = word.flags() & flag::batch_mask;
    if (part == 0) [[likely]]
        return {frame_fault::none, offset + padded(word.frame_bytes())};
    if (part != flag::batch_first)
        return {frame_fault::broken_batch, offset};
    return check_batch(space, offset, expected);
}

// Copies the contents of an end frame that was checked.
inline void take_end(walk_end& at, const std::byte* frame, commit_word word) noexcept {
    PAWL_ASSERT(is_end(word));
    at.end_type = static_cast<system_type>(word.type());
    std::memcpy(&at.end, frame + frame_header_bytes, sizeof at.end);
    at.end_hash = load_u64(frame + frame_offset::hash);
}

// Calls visit(offset, commit_word) for every frame but the end frame. The frames of a batch are
// visited only if all of them are valid; otherwise the first one is the hole.
template <class Visit>
[[nodiscard]] walk_end walk_segment(const frame_space& space, walk_start from, Visit&& visit) {
    walk_end at{.offset = from.offset, .sequence = from.sequence, .first_sequence = from.sequence};
    PAWL_ASSERT(space.base != nullptr && space.epoch != 0);
    PAWL_ASSERT(from.offset >= first_frame_offset && from.offset % frame_alignment == 0);
    std::uint64_t checked_to = at.offset;
    for (;;) {
        if (at.offset >= checked_to) {
            const unit_check unit = check_unit(space, at.offset, at.sequence);
            at.fault = unit.fault;
            if (at.fault != frame_fault::none)
                return at;
            checked_to = unit.end;
            PAWL_ASSERT(checked_to > at.offset && checked_to <= space.bytes);
        }
        const std::byte* frame = space.base + at.offset;
        const commit_word word{load_u64(frame)};
        PAWL_ASSERT(load_u32(frame + frame_offset::witness) <= at.sequence);
        at.durable = std::max(at.durable, at.sequence - load_u32(frame + frame_offset::witness));
        if (is_end(word)) {
            take_end(at, frame, word);
            return at;
        }
        visit(at.offset, word);
        ++at.frames;
        if (!word.is_system()) {
            ++at.events;
            ++at.sequence;
        }
        at.offset += padded(word.frame_bytes());
        PAWL_ASSERT(at.offset <= checked_to);
    }
}

// Offset of the first nonzero byte at or after `from`, or the segment's size.
[[nodiscard]] inline std::uint64_t first_nonzero(const frame_space& space, const data_ranges& data,
                                                 std::uint64_t from) noexcept {
    PAWL_ASSERT(from <= space.bytes);
    for (const byte_range& range : data.all()) {
        const std::uint64_t end = std::min(range.end, space.bytes);
        std::uint64_t at = std::max(from, range.begin);
        while (at < end) {
            const bool whole_word = at % sizeof(std::uint64_t) == 0 &&
                                    end - at >= sizeof(std::uint64_t) &&
                                    load_u64(space.base + at) == 0;
            if (!whole_word && space.base[at] != std::byte{0})
                return at;
            at += whole_word ? sizeof(std::uint64_t) : 1;
        }
    }
    return space.bytes;
}

// Offset after the last nonzero byte, at least `from`.
[[nodiscard]] inline std::uint64_t last_nonzero(const frame_space& space, const data_ranges& data,
                                                std::uint64_t from) noexcept {
    PAWL_ASSERT(from <= space.bytes);
    const auto ranges = data.all();
    for (auto range = ranges.rbegin(); range != ranges.rend(); ++range) {
        const std::uint64_t begin = std::max(from, range->begin);
        std::uint64_t at = std::min(range->end, space.bytes);
        while (at > begin) {
            const bool whole_word = at % sizeof(std::uint64_t) == 0 &&
                                    at - begin >= sizeof(std::uint64_t) &&
                                    load_u64(space.base + at - sizeof(std::uint64_t)) == 0;
            if (!whole_word && space.base[at - 1] != std::byte{0})
                return at;
            at -= whole_word ? sizeof(std::uint64_t) : 1;
        }
    }
    return from;
}

}  // namespace pawl::detail
