// Writing runs of stream heads: from memory, and from runs that are merged into one.
#pragma once

#include "os/directory_handle.hpp"
#include "store/head_runs.hpp"
#include "store/heads_file.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>

namespace pawl::detail {

// How many of the newest runs to merge with this many further entries: those that have no more
// entries than what is merged with them. So each run has more entries than the next, there are at
// most as many as the number of entries has bits, and an entry is written about once each time that
// what it is merged with doubles.
// No more than `most` entries are merged.
[[nodiscard]] std::size_t runs_to_merge(const head_runs& runs, std::uint64_t entries,
                                        std::uint64_t most = no_value) noexcept;

// Writes one run in place of the newest `merged` ones and returns the runs there are then: their
// heads, and the later ones in memory, which decide. Its file is synced and renamed; then the files
// of the runs that it replaces are removed. A crash before the rename leaves the old runs and a
// temporary file, and a crash after it leaves old runs beside the new one, which is preferred
// because it is longer. Cost: reads and writes the merged entries in order, and sorts those in
// memory; needs memory for the latter alone.
[[nodiscard]] result<head_runs> write_run(const directory_handle& directory, const journal_id& id,
                                          const head_runs& runs, std::size_t merged,
                                          const stream_heads& later);

}  // namespace pawl::detail
