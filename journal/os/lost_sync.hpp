// Syncs for which a file system reports success although it has failed.
//
// ext4 (up to Linux 6.18 at least) keeps what a sync must write in a transaction that many files
// share. If another caller's sync commits that transaction and the commit fails, only that caller
// gets the error: a sync that comes for it later finds the transaction gone and takes it for
// committed. XFS (Linux 6.18) does the same about once in a hundred failures of its log: the
// shutdown releases the inode, and the sync takes that for a write.
//
// Both refuse the next request that needs a transaction, so after a sync Pawl makes one that
// changes nothing.
#pragma once

#include <pawl/journal/error.hpp>

#include <filesystem>

namespace pawl::detail {

// Call this after a sync of the file or directory that succeeded: io if the file system has failed,
// so that the sync may have lost what it was to write. Costs 1 to 2 us on ext4 and XFS. On other
// file systems, and where the file takes no extended attributes, it finds nothing.
[[nodiscard]] result<void> check_not_lost(int descriptor, const std::filesystem::path& path);

}  // namespace pawl::detail
