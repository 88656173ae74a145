// Whole files and directories as the simulator needs them, quickly and without fuss: a failure ends
// the process.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

namespace pawl::test {

[[nodiscard]] std::vector<std::byte> read_whole(const std::filesystem::path& file);
// Pages of zeros at the end are left as a hole.
void write_whole(const std::filesystem::path& file, std::span<const std::byte> bytes);
// Removes what is in it, or makes it.
void empty_directory(const std::filesystem::path& directory);

// Ends the process with what the operating system said.
[[noreturn]] void give_up(const std::filesystem::path& where);

}  // namespace pawl::test
