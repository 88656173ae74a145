// Cutting a log below what is durable, by force.
//
//     auto done = pawl::truncate("orders", {.before = 41'000, .confirm = id_of_the_journal});
//     if (!done) return done.error();
//
// The last resort for a journal whose durable events are damaged and that has no backup, if a log
// without them and everything after them is better than none. It breaks the promise that a durable
// event stays: whoever has acted on one of those events knows something that the log no longer
// says. A salvage (`pawl recover --salvage`) keeps more, but makes another journal.
//
// What is cut is kept below torn/truncated-N, where N is the first sequence that is gone: whole
// segments with their indexes, the rest of the segment in which the log then ends, the control file
// and the stream heads.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/recovery_report.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace pawl {

// What a truncation is about to do.
struct truncate_plan {
    journal_id id{};
    sequence_number before = 0;
    log_position cut{};                // where the log will end
    std::uint64_t events = 0;          // that can be read now and will be gone
    sequence_number durable = 0;       // the watermark that the control file proves
    std::vector<std::string> to_keep;  // files that move below torn/
    bool done_before = false;  // the log ends there already: there is only a recovery left to do
};

struct truncate_options {
    sequence_number before = 0;  // the first event that goes; at least one must stay
    journal_id confirm{};        // the journal's id, so that no other one is cut by mistake
    bool dry_run = false;        // plans, and changes nothing; needs no `confirm`
    bool allow_network_file_system = false;  // as writer_options'
    // Called once, before anything is changed.
    std::function<void(const truncate_plan&)> plan{};
    // Called now and then while everything is read, as verify_options::progress is.
    std::function<void(std::uint64_t, std::uint64_t)> progress{};
};

struct truncate_report {
    truncate_plan plan;
    std::vector<std::string> kept;  // relative to the directory
    recovery_report recovery;       // of the recovery at the end; not after a dry run
};

// Reads every byte first, and fails with damaged if an event before options.before is missing; with
// invalid_argument if `confirm` is not the journal's id, if nothing would stay, or if a batch would
// be split; with not_found if the log ends before; and otherwise like recover(). May be killed at
// any moment: until it is done, an open for writing either refuses the journal or finds a torn tail
// there, and calling it again completes it. Leaves the journal closed.
[[nodiscard]] result<truncate_report> truncate(const std::filesystem::path& directory,
                                               const truncate_options& options);

}  // namespace pawl
