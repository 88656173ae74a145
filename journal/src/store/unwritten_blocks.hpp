// Blocks that a sync reports as written although they would be lost with the page cache. See also
// os/lost_sync.hpp.
//
// A new segment's blocks are allocated but not written; the first write to a block marks it
// written. ext4 (Linux 6.18) can fail to do that in two ways and still report success for the sync.
// If the first write to a block failed, ext4 does not mark the block when a later write to it
// reaches the disk. If ext4's own journal has failed, it cannot mark the block and reports no
// error. Once the page cache is gone, such a block reads as zeros.
#pragma once

#include "store/segment_file.hpp"

#include <pawl/journal/error.hpp>

#include <cstdint>

namespace pawl::detail {

// Whether part of the range, which was stored to and synced, would read as zeros without the page
// cache; io if the file system has failed meanwhile. False on file systems other than ext4: btrfs
// reports the same errors, and XFS marks blocks only after the sync has returned.
[[nodiscard]] result<bool> has_unwritten_blocks(const file& source, std::uint64_t offset,
                                                std::uint64_t bytes);

// Call this after a sync that succeeded: io if the range has such blocks nevertheless.
[[nodiscard]] result<void> check_written(const file& source, std::uint64_t offset,
                                         std::uint64_t bytes);

// Syncs a range that was stored to after an earlier sync may have failed. If blocks in it are still
// unwritten, writes it again, bypassing the page cache, and returns true. io if nothing helps: then
// the range must not count as durable.
[[nodiscard]] result<bool> sync_for_good(const writable_segment& segment, std::uint64_t offset,
                                         std::uint64_t bytes);

}  // namespace pawl::detail
