// Quick operations on whole files and directories for the simulator. A failure ends the process.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

namespace pawl::test {

[[nodiscard]] std::vector<std::byte> read_whole(const std::filesystem::path& file);
// Pages of zeros at the end are left as a hole.
void write_whole(const std::filesystem::path& file, std::span<const std::byte> bytes);
// Empties the directory, or creates it.
void empty_directory(const std::filesystem::path& directory);

// Ends the process with the operating system's error.
[[noreturn]] void give_up(const std::filesystem::path& where);

}  // namespace pawl::test
