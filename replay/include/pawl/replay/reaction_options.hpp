// Options and counters of a reaction.
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/types.hpp>

#include <chrono>
#include <cstdint>
#include <functional>

namespace pawl {

struct reaction_options {
    // Where a new reaction begins; not from_version. One that exists resumes where it was. With
    // from_first it also reacts to everything that happened before there was this reaction.
    start from = from_end{};
    wait_strategy wait = wait_strategy::block;
    // How often its position is put on stable storage, at most. A restart reads the events since
    // then again; it does not react to them twice.
    std::chrono::nanoseconds checkpoint_interval = std::chrono::seconds{1};
    // The clock of submit_at, in nanoseconds since the Unix epoch. Empty: the system's. Called by
    // the thread that calls advance(); must not throw.
    std::function<std::uint64_t()> clock_ns{};
    // True: accept rules for other events than before. Otherwise that is invalid_argument, because
    // events that the old rules left out do not come again.
    bool replace_events = false;
    bool allow_network_file_system = false;  // cursor_options
};

struct reaction_statistics {
    sequence_number next_sequence = 0;  // the first event that was not reacted to
    sequence_number committed = 0;      // where a restart would begin to read
    std::uint64_t submitted = 0;        // commands, since it was opened
    std::uint64_t in_the_log = 0;       // commands of an earlier run that had taken effect
    std::uint64_t waiting = 0;          // for their time
};

}  // namespace pawl
