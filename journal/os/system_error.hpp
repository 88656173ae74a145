// What a failed system call becomes for the caller.
#pragma once

#include <pawl/journal/error.hpp>

#include <filesystem>
#include <string_view>

namespace pawl::detail {

// The error of a system call on `path`. ENOSPC and EDQUOT become disk_full, ENOENT not_found,
// ENOMEM out_of_memory, EMFILE and ENFILE no_descriptors.
[[nodiscard]] error system_error(int os_error, const std::filesystem::path& path,
                                 std::string_view doing);

// Whether the machine lacks a resource that it may have again soon: disk space, descriptors or
// memory. Background work retries after such an error instead of ending the writer.
[[nodiscard]] bool is_shortage(const error& why) noexcept;

// The error of a sync: always io. Even if disk space was all that lacked, freeing some does not
// help: what a failed sync leaves in memory can no longer be trusted to reach the disk.
[[nodiscard]] error sync_error(int os_error, const std::filesystem::path& path,
                               std::string_view doing);

}  // namespace pawl::detail
