// Copies files so that what was copied survives a power cut.
#pragma once

#include <pawl/journal/error.hpp>

#include <cstdint>
#include <filesystem>
#include <limits>

namespace pawl::cli {

inline constexpr std::uint64_t whole_file = std::numeric_limits<std::uint64_t>::max();

// Creates `to` with the first `bytes` of `from`, zeros up to the size of `from`, and its owner,
// group and mode, as far as this process may give them. Synced when it returns. What is zero
// becomes a hole; returns how many other bytes it copied.
[[nodiscard]] result<std::uint64_t> copy_synced(const std::filesystem::path& from,
                                                const std::filesystem::path& to,
                                                std::uint64_t bytes = whole_file);

// Renames a directory. `to` must not exist, or be an empty directory.
[[nodiscard]] result<void> put_at(const std::filesystem::path& fresh,
                                  const std::filesystem::path& to);

// Syncs the entries of a directory.
[[nodiscard]] result<void> sync_directory(const std::filesystem::path& directory);

// Puts `fresh` in the place of `current`, and what was there in that of `fresh`, in one step.
[[nodiscard]] result<void> exchange(const std::filesystem::path& fresh,
                                    const std::filesystem::path& current);

// A directory like `like`, with its owner, group and mode.
[[nodiscard]] result<void> make_directory(const std::filesystem::path& path,
                                          const std::filesystem::path& like);

}  // namespace pawl::cli
