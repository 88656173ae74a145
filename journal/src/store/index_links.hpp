// Links from a segment's streams to the previous segments that hold them. They make each stream a
// chain through its own segments, so that reading it touches no others.
#pragma once

#include "os/directory_handle.hpp"
#include "store/heads_file.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

namespace pawl::detail {

// Links a built index: to the last earlier segment that holds a command, and each stream that does
// not begin in its segment to the previous one that holds it. `before` points to the heads at the
// end of the previous segment, or is null if they are not known. Then, and for streams that a
// damaged run of heads does not tell of, the earlier indexes are probed, newest first. A stream
// that no earlier segment holds stays without a link.
[[nodiscard]] result<void> link_index(segment_index& index, const directory_handle& directory,
                                      const journal_id& id, const log_heads* before);

}  // namespace pawl::detail
