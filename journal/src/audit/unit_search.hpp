// Finds where whole frames begin again after damage.
#pragma once

#include "format/frame_check.hpp"
#include "format/segment_walk.hpp"
#include "os/data_ranges.hpp"

#include <pawl/journal/types.hpp>

#include <cstdint>
#include <optional>

namespace pawl::detail {

// After a hole in a segment nothing says where the next frame begins, so every multiple of 8 is
// tried. Only a frame that its hash proves to be of this place and epoch counts, and of a batch
// only the first one, with all the others valid.
class unit_search {
  public:
    // The sequence that the hole has, if it is known: then a frame whose sequence lies further on
    // than the segment can hold events is not looked at.
    unit_search(const frame_space& space, const data_ranges& data, bool sequence_known) noexcept;

    // The first such place after the hole. Once so much was hashed that it would take minutes,
    // nothing: bytes that look like frames everywhere are not searched to their end.
    [[nodiscard]] std::optional<walk_start> after(const walk_end& hole) noexcept;

  private:
    [[nodiscard]] bool plausible(std::uint64_t offset, commit_word word,
                                 sequence_number expected) const noexcept;

    frame_space space_;
    const data_ranges& data_;
    std::uint64_t most_events_;  // between the hole and the frame
    std::uint64_t budget_;       // bytes that may still be hashed
};

}  // namespace pawl::detail
