// Bringing stream heads up to date from the log and its indexes.
#pragma once

#include "store/command_index.hpp"
#include "store/heads_file.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/error.hpp>

#include <cstdint>
#include <filesystem>
#include <span>

namespace pawl::detail {

// Adds a segment to the heads. `space` is its bytes, for the names in it.
[[nodiscard]] result<void> merge_segment(stream_heads& heads, const segment_index& index,
                                         const frame_space& space);

// The heads at the end of the last of these segments: the runs that fit the log, and what the
// indexes of later segments hold, or their frames if an index is missing. `unindexed`, if not null,
// gets the commands of the segments whose frames were read.
[[nodiscard]] result<log_heads> load_heads(const directory_handle& directory, const journal_id& id,
                                           std::uint64_t expected_streams,
                                           std::span<const std::uint64_t> ordinals,
                                           unindexed_commands* unindexed = nullptr);

}  // namespace pawl::detail
