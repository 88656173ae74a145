// A second reader of the format, written from journal/FORMAT.md alone. It decodes each structure,
// encodes it again and requires the same bytes, so that it checks every bit of a file.
#pragma once

#include "encoder.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace golden {

struct read_frame {
    std::uint64_t offset = 0;
    frame_fields fields{};
    std::uint64_t hash = 0;
};

struct read_segment {
    header_fields header{};
    std::vector<read_frame> frames{};  // the end frame is the last
};

// A closed journal: every segment ends, every segment is sealed.
struct read_journal {
    std::vector<read_segment> segments{};
    std::vector<std::string> faults{};
};
[[nodiscard]] read_journal read_closed_journal(const std::filesystem::path& directory);

}  // namespace golden
