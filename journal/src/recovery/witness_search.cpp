#include "recovery/witness_search.hpp"

#include "os/assertion.hpp"

#include <algorithm>

namespace pawl::detail {

namespace {

// Fragments of frames, and payloads of small numbers, produce candidates that overlap. This much is
// hashed within seconds, and allows a candidate at every multiple of 8 with an average length of 2
// KiB.
constexpr std::uint64_t least_budget = std::uint64_t{64} << 20;
constexpr std::uint64_t budget_factor = 256;

}  // namespace

witness_search::witness_search(sequence_number expected, std::uint64_t bytes_behind) noexcept
    : expected_{expected},
      most_events_{bytes_behind / frame_header_bytes},
      budget_{std::max(least_budget, budget_factor * bytes_behind)} {}

bool witness_search::plausible(const frame_space& space, std::uint64_t offset,
                               commit_word word) const noexcept {
    if (check_shape(space, offset, word) != frame_fault::none)
        return false;
    const std::byte* frame = space.base + offset;
    const sequence_number sequence = load_u64(frame + frame_offset::sequence);
    // No more events than the segments could hold if all were empty.
    return sequence >= expected_ && sequence - expected_ <= most_events_ &&
           load_u32(frame + frame_offset::witness) <= sequence;
}

bool witness_search::search(const frame_space& space, const data_ranges& data,
                            std::uint64_t from) noexcept {
    PAWL_ASSERT(from % frame_alignment == 0 && from <= space.bytes);
    std::uint64_t offset = from;
    while (!proves_damage() && has_room_for_header(space, offset)) {
        // A frame begins with a word that is not zero.
        const std::uint64_t next = data.next_data(offset, space.bytes);
        if (next != offset) {
            offset = next / frame_alignment * frame_alignment;
            if (!has_room_for_header(space, offset))
                break;
        }
        const std::byte* frame = space.base + offset;
        const commit_word word{load_u64(frame)};
        if (!plausible(space, offset, word)) {
            offset += frame_alignment;
            continue;
        }
        const std::size_t bytes = padded(word.frame_bytes());
        spent_ = bytes > budget_;
        if (spent_)
            break;
        PAWL_ASSERT(bytes <= space.bytes - offset);
        budget_ -= bytes;
        if (check_frame(space, offset, word) != frame_fault::none) {
            offset += frame_alignment;
            continue;
        }
        const sequence_number sequence = load_u64(frame + frame_offset::sequence);
        seen_ = std::max(seen_, word.is_system() ? sequence : sequence + 1);
        const sequence_number durable = sequence - load_u32(frame + frame_offset::witness);
        if (durable > expected_) {
            proven_ = true;
            proven_durable_ = durable;
            proven_at_ = offset;
        }
        offset += bytes;
    }
    return proves_damage();
}

std::string witness_search::reason() const {
    PAWL_ASSERT(proves_damage());
    if (spent_)
        return "too many bytes after it look like frames to check them all";
    return "a frame after it, at byte " + std::to_string(proven_at_) +
           ", proves that all events below sequence " + std::to_string(proven_durable_) +
           " were durable";
}

}  // namespace pawl::detail
