// What a kernel may do to a journal, without chance or timing. Each returns what is wrong, else
// empty.
#pragma once

#include "recorded_disk.hpp"

#include <filesystem>
#include <string>

namespace pawl::test {

// `there` is on a real FUSE file system: nothing opens a journal there unless it is allowed.
[[nodiscard]] std::string refused_on_fuse(const std::filesystem::path& there);

// The commit of what a writer's sync needs fails, but the sync of another file gets the error: the
// kernel then has nothing left to sync, and the writer must notice by itself. Makes `journal` on a
// file system on `disk`, and leaves the disk refusing writes.
[[nodiscard]] std::string sync_after_another(const std::filesystem::path& journal,
                                             recorded_disk& disk);

}  // namespace pawl::test
