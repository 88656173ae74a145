// The events of a segment that name a tag.
#pragma once

#include "os/directory_handle.hpp"
#include "store/segment_file.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <vector>

namespace pawl::detail {

// Their offsets in a complete segment, ascending. Every one was checked: the frame there is valid,
// and names the tag. Found in the index, or if it is missing or wrong in the frames, all of which
// are then read. newer_format, damaged or io.
[[nodiscard]] result<std::vector<std::uint64_t>> find_tagged(const read_segment& segment,
                                                             const directory_handle& directory,
                                                             const journal_id& id, tag_id tag);

}  // namespace pawl::detail
