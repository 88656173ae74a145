// How the files of a closed store are damaged: in the middle of the file that holds most events.
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

// The place of one event's payload, in the middle of the file that holds most events.
struct record_place {
    std::filesystem::path file;
    std::uint64_t payload = 0;  // offset
};
[[nodiscard]] std::optional<record_place> middle_record(const std::filesystem::path& directory);

// Damages the file. Ends the process if the file cannot be changed.
void hurt(const record_place& at, std::size_t header_bytes, damage what);

}  // namespace pawl::test
