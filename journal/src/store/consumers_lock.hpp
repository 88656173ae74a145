// Keeps apart what changes which consumers there are, or moves one back, and a prune, which goes by
// them: an exclusive flock of a directory, for a moment.
#pragma once

#include "os/directory_handle.hpp"
#include "os/held_flock.hpp"

#include <pawl/journal/error.hpp>

namespace pawl::detail {

// Waits until the caller is the only one that creates, replaces or removes files in `directory`,
// takes a lease there, or moves a consumer back. Of the journal's own directory: that makes
// `consumers`.
[[nodiscard]] result<held_flock> lock_consumers(const directory_handle& directory);
// For a prune: of `consumers`, or of the journal's directory as long as that has none.
[[nodiscard]] result<held_flock> lock_consumers_for_prune(const directory_handle& journal);

}  // namespace pawl::detail
