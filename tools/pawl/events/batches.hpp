// Which events of a journal are of one batch.
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <filesystem>
#include <optional>

namespace pawl::cli {

// For a reader that passes over events, and so over the ends of batches: reads those again. Asked
// in ascending order, it reads no event twice.
class batches {
  public:
    batches(std::filesystem::path directory, bool allow_network_file_system)
        : directory_{std::move(directory)}, allow_network_{allow_network_file_system} {}

    // Whether the batch of the event `first`, which has more_in_batch(), also holds `later`.
    [[nodiscard]] result<bool> are_together(sequence_number first, sequence_number later);

  private:
    [[nodiscard]] result<void> find_end(sequence_number of);

    std::filesystem::path directory_;
    bool allow_network_;
    std::optional<cursor> events_;
    // The batch that was looked up last, from the event that was asked for to its last one.
    sequence_number begin_ = 1;
    sequence_number last_ = 0;
};

}  // namespace pawl::cli
