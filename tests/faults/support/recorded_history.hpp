// A writer that works on a recorded disk: processes that append, sync, roll over, close or die, and
// open again.
#pragma once

#include "acknowledgements.hpp"
#include "log_lives.hpp"
#include "recorded_disk.hpp"

#include <pawl/journal/options.hpp>

#include <filesystem>
#include <string>

namespace pawl::test {

// Small segments, and no background work except what `sync` requests.
[[nodiscard]] writer_options small_options(sync_policy sync, bool background);
[[nodiscard]] sync_policy some_policy(random_source& random);

// Appends the events of the last of `lives` to the journal in `directory`, in one to four
// processes, and leaves their acknowledgements in `told`. Returns what went wrong, else empty.
[[nodiscard]] std::string write_history(const std::filesystem::path& directory,
                                        const recorded_disk& disk, const log_lives& lives,
                                        random_source random, acknowledgements& told);

}  // namespace pawl::test
