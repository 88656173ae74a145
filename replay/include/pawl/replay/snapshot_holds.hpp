// What the snapshots of a journal still need of its log, for pawl::prune.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/prune.hpp>

#include <filesystem>
#include <vector>

namespace pawl {

// A hold for each fold and state version that has snapshots in DIR/snapshots, or in `snapshots` if
// that is not empty: the events after the older of its two newest good snapshots, so that one of
// them may turn out to be bad. With fewer than two good ones, everything. Reads every snapshot
// whole to see whether it is good. Fails with io if the directory cannot be listed, not_a_journal.
[[nodiscard]] result<std::vector<prune_hold>> snapshot_holds(
    const std::filesystem::path& directory, const std::filesystem::path& snapshots = {});

}  // namespace pawl
