// Whether a recovery kept what it cut.
#pragma once

#include <pawl/journal/recovery_report.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace pawl::test {

class torn_parts {
  public:
    // Remembers the segments of a journal as they are before the recovery.
    explicit torn_parts(const std::filesystem::path& directory);

    // What part of them is neither where it was nor below torn/; empty if nothing is missing.
    [[nodiscard]] std::string fault_after(const recovery_report& report) const;

  private:
    [[nodiscard]] bool kept(const std::vector<std::byte>& bytes) const;
    // Whether a recovery that died had saved the bytes at this place, and the saved ones are
    // unchanged. The place itself may since hold half of the end frame that it was storing.
    [[nodiscard]] bool saved_before(std::uint64_t ordinal, std::uint64_t offset) const;

    std::filesystem::path directory_;
    std::vector<std::pair<std::string, std::vector<std::byte>>> segments_;
    std::vector<std::pair<std::string, std::vector<std::byte>>> saved_;  // in torn/
};

}  // namespace pawl::test
