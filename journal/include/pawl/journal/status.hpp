// What the writer of a journal says of itself while it runs.
//
//     const auto now = pawl::read_status("orders");
//     if (!now) return now.error();
//     return now->published - now->durable;  // events that a power cut could take now
//
// The writer's background stores these values in the control file, the watermarks as they move and
// the rest ten times per second; the appending thread stores nothing there. Values of one status
// are not all of the same moment. Nothing of it proves anything after a crash.
#pragma once

#include <pawl/journal/counter.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/types.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace pawl {

struct named_count {
    std::string name;
    counter_kind kind = counter_kind::gauge;
    std::uint64_t value = 0;
};

struct journal_status {
    journal_id id{};
    std::uint64_t segment_bytes = 0;
    journal_state state = journal_state::unknown;
    bool locked = false;  // a writer holds the journal now
    std::string owner;    // process, program and host of the last writer
    std::uint64_t heartbeat_ns = 0;
    int os_error = 0;               // errno of the failure that poisoned the writer
    sequence_number published = 0;  // exclusive; a lower bound, as is the next
    sequence_number durable = 0;    // exclusive

    // Since the last writer was opened. If opened_ns is 0, an earlier version of Pawl wrote the
    // control file, and the rest is 0, too.
    std::uint64_t opened_ns = 0;
    sequence_number first_sequence = 0;  // of the first event that this writer has appended
    std::uint64_t appended_bytes = 0;
    std::uint64_t rollovers = 0;
    std::uint64_t back_pressure = 0;   // appends that found the next segment not ready
    std::uint64_t segments_ready = 0;  // prepared ahead of the writer now
    int shortage = 0;  // errno of the last attempt to prepare a segment, 0 if it succeeded
    std::uint64_t populated_bytes = 0;
    std::uint64_t streams = 0;
    std::uint64_t syncs = 0;
    std::uint64_t sync_ns = 0;  // all syncs together
    std::uint64_t longest_sync_ns = 0;
    // Element i counts the syncs that took less than 2^i microseconds and at least half of that;
    // the last one counts all longer ones.
    std::array<std::uint64_t, 24> sync_times{};
    std::vector<named_count> counters;  // writer::register_counter
};

// Reads the identity and the control file: no segment, and no lock is waited for. Fails with
// not_a_journal, newer_format, damaged or io, and with not_found if there is no control file.
[[nodiscard]] result<journal_status> read_status(const std::filesystem::path& directory);

}  // namespace pawl
