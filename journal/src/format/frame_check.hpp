// Checks whether the bytes at a place in a segment are a whole frame of that segment.
#pragma once

#include "format/hash.hpp"
#include "format/segment_layout.hpp"
#include "os/assertion.hpp"

#include <pawl/journal/detail/frame.hpp>
#include <pawl/journal/error.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pawl::detail {

// A segment's bytes, and what the check of a frame in them depends on.
struct frame_space {
    const std::byte* base = nullptr;
    std::uint64_t bytes = 0;  // of the segment
    std::uint64_t epoch = 0;
};

enum class frame_fault : std::uint8_t {
    none,
    absent,       // the commit word is zero
    out_of_room,  // too close to the segment's end for any frame
    bad_length,   // shorter than a header, or past the segment's end
    bad_hash,
    wrong_sequence,
    bad_witness,   // implies an impossible watermark
    broken_batch,  // the frames of a batch are not all there
    bad_back,      // the link to the stream's previous frame leads nowhere
    behind_end,    // nonzero bytes after a clean end
    newer,         // a whole frame of a kind that only a newer program knows: never a hole
};

[[nodiscard]] constexpr std::string_view to_string(frame_fault fault) noexcept {
    switch (fault) {
        case frame_fault::none:
            return "no fault";
        case frame_fault::absent:
            return "no frame where one must be";
        case frame_fault::out_of_room:
            return "the segment ends without an end frame";
        case frame_fault::bad_length:
            return "impossible frame length";
        case frame_fault::bad_hash:
            return "frame hash mismatch";
        case frame_fault::wrong_sequence:
            return "frame out of sequence";
        case frame_fault::bad_witness:
            return "impossible durable watermark in a frame";
        case frame_fault::broken_batch:
            return "incomplete batch";
        case frame_fault::bad_back:
            return "broken link to the stream's previous frame";
        case frame_fault::behind_end:
            return "nonzero bytes after the end of the segment";
        case frame_fault::newer:
            return "a whole frame whose flags, type or size this program does not know";
    }
    return "unknown fault";
}

// The code to report if a frame had to be valid and has this fault.
[[nodiscard]] constexpr errc code_of(frame_fault fault) noexcept {
    return fault == frame_fault::newer ? errc::newer_format : errc::damaged;
}

// Loads the commit word at a place. What the writer stored before it is then visible.
[[nodiscard]] inline std::uint64_t load_commit(const std::byte* at) noexcept {
    PAWL_ASSERT(reinterpret_cast<std::uintptr_t>(at) % frame_alignment == 0);
    // The mapping may be read-only, so the word is only ever loaded through this reference.
    auto* word = const_cast<std::uint64_t*>(reinterpret_cast<const std::uint64_t*>(at));
    return std::atomic_ref<std::uint64_t>{*word}.load(std::memory_order_acquire);
}
inline void store_commit(std::byte* at, std::uint64_t value) noexcept {
    PAWL_ASSERT(reinterpret_cast<std::uintptr_t>(at) % frame_alignment == 0);
    std::atomic_ref<std::uint64_t>{*reinterpret_cast<std::uint64_t*>(at)}.store(
        value, std::memory_order_release);
}

// Covers the event but not where its frame lies: the commit word and all bytes from the sequence
// on. Bijective in the word: frames that differ in nothing else have different hashes.
[[nodiscard]] inline std::uint64_t content_hash(const std::byte* frame, std::size_t padded_bytes,
                                                std::uint64_t commit) noexcept {
    PAWL_ASSERT(padded_bytes >= frame_header_bytes && padded_bytes % frame_alignment == 0);
    return hash_bytes(frame + frame_offset::content, padded_bytes - frame_offset::content) ^
           mix64(commit);
}

[[nodiscard]] inline std::uint64_t frame_hash(const std::byte* frame, std::size_t padded_bytes,
                                              std::uint64_t epoch, std::uint64_t offset,
                                              std::uint64_t commit) noexcept {
    return content_hash(frame, padded_bytes, commit) ^
           place_hash(epoch, offset, load_u64(frame + frame_offset::link));
}

// Checks the length in a frame's commit word; reads nothing after the word.
[[nodiscard]] inline frame_fault check_shape(const frame_space& space, std::uint64_t offset,
                                             commit_word word) noexcept {
    PAWL_ASSERT(offset <= space.bytes);
    PAWL_ASSERT(space.base != nullptr);
    if (word.value() == 0)
        return frame_fault::absent;
    const std::size_t bytes = word.frame_bytes();
    if (bytes < frame_header_bytes || bytes > max_frame_bytes ||
        padded(bytes) > space.bytes - offset) {
        return frame_fault::bad_length;
    }
    return frame_fault::none;
}

// Checks everything about one frame that its own bytes can prove. `offset` is aligned and leaves
// room for a header.
[[nodiscard]] inline frame_fault check_frame(const frame_space& space, std::uint64_t offset,
                                             commit_word word) noexcept {
    PAWL_ASSERT(offset % frame_alignment == 0);
    if (const frame_fault fault = check_shape(space, offset, word); fault != frame_fault::none) {
        return fault;
    }
    const std::byte* frame = space.base + offset;
    const std::uint64_t expected =
        frame_hash(frame, padded(word.frame_bytes()), space.epoch, offset, word.value());
    return expected == load_u64(frame + frame_offset::hash) ? frame_fault::none
                                                            : frame_fault::bad_hash;
}

[[nodiscard]] inline bool has_room_for_header(const frame_space& space,
                                              std::uint64_t offset) noexcept {
    return space.bytes >= frame_header_bytes && offset <= space.bytes - frame_header_bytes;
}

// What a system frame means to this program. Only for frames whose one flag is the system flag.
enum class system_class : std::uint8_t {
    end,  // rolled, closed or cut
    stream_name,
    description,
    skipped,  // a type that programs skip if they do not know it
    unknown,  // must be known but is not, or has a size that its type cannot have
};

// The one classifier of system frames.
[[nodiscard]] constexpr system_class classify_system(commit_word word) noexcept {
    constexpr std::size_t longest_name = 1024;
    constexpr std::size_t shortest_description = 16;  // its front, and a name padded to 8 bytes
    const std::size_t payload = word.frame_bytes() - frame_header_bytes;
    PAWL_ASSERT(word.frame_bytes() >= frame_header_bytes);
    if (word.type() >= first_skipped_type)
        return system_class::skipped;
    switch (static_cast<system_type>(word.type())) {
        case system_type::rolled:
        case system_type::closed:
        case system_type::cut:
            return word.frame_bytes() == end_frame_bytes ? system_class::end
                                                         : system_class::unknown;
        case system_type::stream_name:
            return payload >= 1 && payload <= longest_name ? system_class::stream_name
                                                           : system_class::unknown;
        case system_type::description:
            return payload >= shortest_description ? system_class::description
                                                   : system_class::unknown;
        case system_type::clock_report:
            break;  // skipped
    }
    return system_class::unknown;
}

[[nodiscard]] constexpr bool is_end(commit_word word) noexcept {
    return word.is_system() && classify_system(word) == system_class::end;
}

// Whether version 1 defines this combination of flags.
[[nodiscard]] constexpr bool flags_possible(std::uint8_t flags) noexcept {
    const auto batch = static_cast<std::uint8_t>(flags & flag::batch_mask);
    if ((batch & (batch - 1)) != 0)
        return false;  // more than one of first, middle, last
    if ((flags & flag::system) != 0)
        return flags == flag::system;
    return true;
}

// Whether this program knows the meaning of a frame whose length, hash and sequence are right. If
// not, a newer program wrote it. It must not count as a hole, or a recovery would cut what was
// durable.
[[nodiscard]] constexpr bool is_understood(commit_word word) noexcept {
    return flags_possible(word.flags()) &&
           (!word.is_system() || classify_system(word) != system_class::unknown);
}

}  // namespace pawl::detail
