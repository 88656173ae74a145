// A writer at work on a disk that writes everything down: processes that append, sync, roll over,
// close or die, and open again.
#pragma once

#include "acknowledgements.hpp"
#include "log_lives.hpp"
#include "recorded_disk.hpp"

#include <pawl/journal/options.hpp>

#include <filesystem>
#include <string>

namespace pawl::test {

// Small segments; nothing in the background but what `sync` asks for.
[[nodiscard]] writer_options small_options(sync_policy sync, bool background);
[[nodiscard]] sync_policy some_policy(random_source& random);

// Appends to the journal in `directory` what the last of `lives` has to say, in one to four
// processes, and leaves their words in `told`. What went wrong, else empty.
[[nodiscard]] std::string write_history(const std::filesystem::path& directory,
                                        const recorded_disk& disk, const log_lives& lives,
                                        random_source random, acknowledgements& told);

}  // namespace pawl::test
