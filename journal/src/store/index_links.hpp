// The way back from a segment's streams to the segments that held them before: with it a stream is
// a chain through its own segments, and reading it touches no other.
#pragma once

#include "os/directory_handle.hpp"
#include "store/heads_file.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

namespace pawl::detail {

// Links every stream of a built index that does not begin in its segment. `before` are the heads
// at the end of the segment before it, or null if they are not in memory: then the earlier indexes
// are probed, the youngest first. A stream that no earlier segment holds stays without a link.
[[nodiscard]] result<void> link_index(segment_index& index, const directory_handle& directory,
                                      const journal_id& id, const stream_heads* before);

}  // namespace pawl::detail
