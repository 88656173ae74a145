// Finds the descriptions of event types that a log holds.
#pragma once

#include "os/directory_handle.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <vector>

namespace pawl::detail {

// Appends the descriptions in one segment to `into`, in log order. Reads all of the segment, unless
// its index says that there are none. A segment that is gone has none: it was only prepared, and a
// close or a recovery removed it.
[[nodiscard]] result<void> find_descriptions(const directory_handle& directory,
                                             const journal_id& id, std::uint64_t ordinal,
                                             std::vector<recorded_description>& into);
// All of the log before segment `end_ordinal`, what was pruned included.
[[nodiscard]] result<std::vector<recorded_description>> find_all_descriptions(
    const directory_handle& directory, const journal_id& id, std::uint64_t end_ordinal);

}  // namespace pawl::detail
