// Opens what a power cut left of a file system and of the journal on it.
#pragma once

#include "acknowledgements.hpp"
#include "block_device.hpp"
#include "log_lives.hpp"

#include <pawl/journal/recovery_report.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

namespace pawl::test {

struct cut_bounds {
    sequence_number needed = 0;    // acknowledged as durable before the cut
    sequence_number possible = 0;  // published, or about to be, before the cut
};

struct cut_finding {
    std::string wrong;         // empty if nothing is
    sequence_number next = 0;  // where the journal continues
    recovery_report recovery;
};

enum class afterwards : std::uint8_t {
    leave,  // as another crash would
    go_on,  // append some more, read all of it, close, verify
    close,  // cleanly
};

// Lets the writer recover the journal in `directory`, and reads all of it.
[[nodiscard]] cut_finding check_journal(const std::filesystem::path& directory, log_lives lives,
                                        const cut_bounds& bounds, afterwards then);

// The same on a device that is mounted for it.
[[nodiscard]] cut_finding check_device(const std::string& device,
                                       const std::filesystem::path& mount_point, file_system kind,
                                       const log_lives& lives, const cut_bounds& bounds,
                                       afterwards then);

}  // namespace pawl::test
