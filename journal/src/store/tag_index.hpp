// The events of a segment that name a tag.
#pragma once

#include "format/frame_check.hpp"
#include "os/directory_handle.hpp"
#include "store/index_file.hpp"
#include "store/segment_file.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace pawl::detail {

// Their offsets, ascending, as the segment's index lists them; every one was checked: the frame
// there is valid, and names the tag. Nothing if the index cannot be read or is wrong.
[[nodiscard]] std::optional<std::vector<std::uint64_t>> listed_with_tag(index_file& index,
                                                                        const frame_space& space,
                                                                        tag_id tag);

// Their offsets in a complete segment, ascending. Every one was checked: the frame there is valid,
// and names the tag. Found in the index, or if it is missing or wrong in the frames, all of which
// are then read. newer_format, damaged or io.
[[nodiscard]] result<std::vector<std::uint64_t>> find_tagged(const read_segment& segment,
                                                             const directory_handle& directory,
                                                             const journal_id& id, tag_id tag);

}  // namespace pawl::detail
