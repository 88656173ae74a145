// Syncs that a file system answers with success although what was written would be gone with the
// page cache.
//
// A segment's blocks are allocated and not written when it is made; the first write to a block
// marks it written. ext4 (Linux 6.18) fails at that in two ways and answers a sync with success.
// Where the write itself failed it does not mark the block when it is stored to again, though that
// write reaches the disk; and where its own journal has failed it cannot mark it and tells nobody.
// Once the page cache is gone such a block reads as zeros.
//
// XFS (Linux 6.18) shuts down where its log cannot be written. An fsync that has written its data
// and then finds the inode no longer waiting for the log takes that for success, while it was the
// shutdown that let go of it: about one in a hundred such failures. Asked anything afterwards, it
// says that it is shut down. btrfs was given the same errors and reports them.
#pragma once

#include "store/segment_file.hpp"

#include <pawl/journal/error.hpp>

#include <cstdint>

namespace pawl::detail {

// Whether a part of the range, which was stored to and synced, would read as zeros without the page
// cache; io where the file system has failed meanwhile. False on file systems other than ext4: some
// mark blocks only after the sync has returned.
[[nodiscard]] result<bool> has_unwritten_blocks(const file& source, std::uint64_t offset,
                                                std::uint64_t bytes);

// After a sync that went well: io where the range has such blocks all the same.
[[nodiscard]] result<void> check_written(const file& source, std::uint64_t offset,
                                         std::uint64_t bytes);

// Syncs a range that was stored to after an earlier sync may have failed, and writes it once more
// past the page cache where blocks in it are unwritten all the same; true where that was done. io
// where nothing helps: then the range must not be called durable.
[[nodiscard]] result<bool> sync_for_good(const writable_segment& segment, std::uint64_t offset,
                                         std::uint64_t bytes);

}  // namespace pawl::detail
