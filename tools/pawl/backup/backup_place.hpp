// The directory OUT of a backup, and how a finished copy gets to its place there.
#pragma once

#include <pawl/journal/error.hpp>

#include <filesystem>
#include <string_view>

namespace pawl::cli {

inline constexpr std::string_view next_backup = "next";
// Where the file system cannot exchange directories, the last backup is here for a moment.
inline constexpr std::string_view previous_backup = "previous";

// Creates OUT. Fails with invalid_argument if it holds anything but a backup.
[[nodiscard]] result<void> prepare(const std::filesystem::path& out);

// Finishes what a backup began that was killed while it put its copy in place.
[[nodiscard]] result<void> settle_previous(const std::filesystem::path& out);

// Makes OUT/next OUT/current, and removes what was there.
[[nodiscard]] result<void> put_in_place(const std::filesystem::path& out);

[[nodiscard]] result<void> remove_part(const std::filesystem::path& part);

}  // namespace pawl::cli
