// What is done to the files of a closed store, in the middle of the largest part of what it holds.
#pragma once

#include "rows/trials/store.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pawl::test {

enum class damage : std::uint8_t { none, flipped_bit, broken_header, zeroed_page, cut_file };

[[nodiscard]] std::string to_string(damage what);

// Where one event's payload lies: in the middle of what the file that holds most events holds.
struct record_place {
    std::filesystem::path file;
    std::uint64_t payload = 0;  // offset
};
[[nodiscard]] std::optional<record_place> middle_record(const std::filesystem::path& directory);

// Does it. A file that cannot be changed ends the process.
void hurt(const record_place& at, std::size_t header_bytes, damage what);

}  // namespace pawl::test
