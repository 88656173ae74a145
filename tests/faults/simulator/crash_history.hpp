// Histories of a journal: a writer works, the power fails at any moment, the next writer recovers
// and continues.
#pragma once

#include "event_oracle.hpp"
#include "os/io_hook.hpp"
#include "simulated_disk.hpp"

#include <pawl/journal/writer.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <random>
#include <string>

namespace pawl::test {

struct history_plan {
    std::uint64_t seed = 0;
    // How many lives of the writer follow each other before the last cut is only recovered from.
    int generations = 1;
    // At each moment of the last generation, this many disks are tried; in earlier ones, about one
    // in `branch_every` moments leads to another generation.
    int cuts_a_moment = 3;
    int branch_every = 40;
    bool failing_syncs = true;
};

struct history_outcome {
    std::uint64_t cuts = 0;         // disks that were recovered from and checked
    std::uint64_t in_recovery = 0;  // of these, cut inside a recovery
    std::uint64_t deep = 0;         // of these, after at least three lives
    std::string fault;              // of the first cut that went wrong
};

// Runs one history and stops at the first fault or at `most_cuts`.
[[nodiscard]] history_outcome run_history(const history_plan& plan, std::uint64_t most_cuts);

// Why a journal at rest does not verify without a finding; empty if it does.
[[nodiscard]] std::string verify_fault(const std::filesystem::path& directory);

// Opens what a cut left, appends a little and reads all of it. Returns what is wrong; empty if
// nothing is.
[[nodiscard]] std::string fault_after_cut(event_oracle oracle,
                                          const std::filesystem::path& directory,
                                          std::uint64_t seed);

}  // namespace pawl::test
