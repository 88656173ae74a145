// Removing the oldest events of a journal.
//
//     const std::array holds{pawl::prune_hold{"billing", billing_position}};
//     auto done = pawl::prune("orders", {.before_ns = thirty_days_ago, .holds = holds});
//     if (!done) return done.error();
//
// Only whole sealed segments go, the oldest first, and at least one stays. What later events still
// need is kept in the file `retained`: the number of events, the versions of all streams, their
// names, the descriptions of event types, the log point and digest at the beginning. A reader that
// stands before the beginning gets `pruned`, with the first sequence that is kept. There is no way
// to bring pruned events back but a backup.
//
// The journal's consumers (pawl::consumer, pawl::subscription) hold back what they have not
// committed, without being listed in prune_options::holds.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl {

// `name` still needs the events from this sequence on: a snapshot whose tail begins there, or a
// consumer that has read everything before.
struct prune_hold {
    std::string name;
    sequence_number sequence = 0;
};

// A segment goes only if every limit that is set allows it. At least one must be set
// (invalid_argument).
struct prune_options {
    std::optional<sequence_number> before{};    // only events below this sequence
    std::optional<std::uint64_t> before_ns{};   // only events older than this, by their time stamps
    std::optional<std::uint64_t> keep_bytes{};  // only while sealed segments hold so many bytes
    std::span<const prune_hold> holds{};
    // How many of the newest commands of what goes stay known, so that they stay `repeated`: at
    // least the command_window of the writers to come. A live writer keeps at least its own.
    std::uint32_t command_window = 100'000;
    bool dry_run = false;                    // makes the same decisions, but changes nothing
    bool allow_network_file_system = false;  // as writer_options'
};

struct prune_report {
    bool dry_run = false;
    // Of what was removed or, in a dry run, would be.
    std::uint64_t segments = 0;
    std::uint64_t bytes = 0;
    std::uint64_t events = 0;
    sequence_number first_sequence = 0;  // of the first event that is kept
    // The holds without which more would have gone.
    std::vector<prune_hold> held_by;
};

// Removes what the options allow from a journal that no writer holds (locked); a live writer prunes
// with writer::prune. Reads every segment that goes first, and changes nothing if one is damaged
// (damaged, missing_segment, newer_format). May be killed at any moment: before the first segment
// goes, what must outlive it is on stable storage twice. Fails with unreadable_consumer, and
// changes nothing, if it is not known what a consumer still needs; with network_file_system and
// foreign_owner as writer::open does.
[[nodiscard]] result<prune_report> prune(const std::filesystem::path& directory,
                                         const prune_options& options);

}  // namespace pawl
