#include "audit/unit_search.hpp"

#include "os/assertion.hpp"

#include <algorithm>

namespace pawl::detail {

namespace {

// As much as the search for witnesses may hash (witness_search.cpp).
constexpr std::uint64_t least_budget = std::uint64_t{64} << 20;
constexpr std::uint64_t budget_factor = 256;
// Of a sequence that is not known, no frame has one that is so much greater.
constexpr std::uint64_t any_distance = std::uint64_t{1} << 40;

}  // namespace

unit_search::unit_search(const frame_space& space, const data_ranges& data,
                         bool sequence_known) noexcept
    : space_{space},
      data_{data},
      most_events_{sequence_known ? space.bytes / frame_header_bytes : any_distance},
      budget_{std::max(least_budget, budget_factor * space.bytes)} {}

bool unit_search::plausible(std::uint64_t offset, commit_word word,
                            sequence_number expected) const noexcept {
    if (check_shape(space_, offset, word) != frame_fault::none)
        return false;
    const std::byte* frame = space_.base + offset;
    const sequence_number sequence = load_u64(frame + frame_offset::sequence);
    return sequence >= expected && sequence - expected <= most_events_ &&
           load_u32(frame + frame_offset::witness) <= sequence;
}

std::optional<walk_start> unit_search::after(const walk_end& hole) noexcept {
    PAWL_ASSERT(hole.offset % frame_alignment == 0 && hole.offset <= space_.bytes);
    std::uint64_t offset = hole.offset + frame_alignment;
    while (has_room_for_header(space_, offset)) {
        const std::uint64_t next = data_.next_data(offset, space_.bytes);
        if (next != offset) {
            offset = std::max(offset, next / frame_alignment * frame_alignment);
            if (!has_room_for_header(space_, offset))
                break;
        }
        const commit_word word{load_commit(space_.base + offset)};
        if (!plausible(offset, word, hole.sequence)) {
            offset += frame_alignment;
            continue;
        }
        const std::uint64_t bytes = padded(word.frame_bytes());
        if (bytes > budget_)
            return std::nullopt;
        budget_ -= bytes;
        const sequence_number sequence = load_u64(space_.base + offset + frame_offset::sequence);
        const unit_check unit = check_unit(space_, offset, sequence);
        if (unit.fault == frame_fault::none)
            return walk_start{.offset = offset, .sequence = sequence};
        // A whole frame of a batch that is not whole: the next frame follows it.
        offset += unit.fault == frame_fault::broken_batch ? bytes : frame_alignment;
    }
    return std::nullopt;
}

}  // namespace pawl::detail
