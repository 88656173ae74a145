// Reads sealed segments again at a bounded rate, so that damage in them is known before somebody
// needs them.
#pragma once

#include "store/segment_file.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace pawl::detail {

class scrubber {
  public:
    scrubber(std::filesystem::path directory, const journal_id& id,
             std::vector<std::uint64_t> ordinals) noexcept
        : directory_{std::move(directory)}, id_{id}, ordinals_{std::move(ordinals)} {}

    // Reads about so many bytes; how many it were, 0 when everything has been read. damaged, with
    // file, offset and sequence, at the first frame that is wrong.
    [[nodiscard]] result<std::uint64_t> step(std::uint64_t budget_bytes);

  private:
    [[nodiscard]] result<bool> next_segment();

    std::filesystem::path directory_;
    journal_id id_;
    std::vector<std::uint64_t> ordinals_;
    std::size_t next_ = 0;
    std::optional<read_segment> segment_;
    std::uint64_t offset_ = 0;
    sequence_number sequence_ = 0;
};

}  // namespace pawl::detail
