// Rereads sealed segments at a bounded rate, to find damage before the events are needed.
#pragma once

#include "store/segment_file.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace pawl::detail {

class scrubber {
  public:
    scrubber(directory_handle directory, const journal_id& id,
             std::vector<std::uint64_t> ordinals) noexcept
        : directory_{std::move(directory)}, id_{id}, ordinals_{std::move(ordinals)} {}

    // Reads about `budget_bytes` and returns how many it read, 0 once everything has been read.
    // Fails with damaged (file, offset and sequence) at the first invalid frame.
    [[nodiscard]] result<std::uint64_t> step(std::uint64_t budget_bytes);

  private:
    [[nodiscard]] result<bool> next_segment();
    // Whether a prune has removed the segment since the writer was opened.
    [[nodiscard]] bool was_pruned(std::uint64_t ordinal) const;

    directory_handle directory_;
    journal_id id_;
    std::vector<std::uint64_t> ordinals_;
    std::size_t next_ = 0;
    bool in_order_ = false;  // the next segment continues the one that was read last
    std::optional<read_segment> segment_;
    std::uint64_t offset_ = 0;
    sequence_number sequence_ = 0;
};

}  // namespace pawl::detail
