// What opening a journal found, and what recovery did about it.
#pragma once

#include <pawl/journal/types.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace pawl {

enum class found : std::uint8_t {
    created,    // there was no journal; now there is an empty one
    closed,     // closed cleanly
    torn_tail,  // the last writer did not close it: process, kernel or power died
};

struct recovery_report {
    found state = found::created;
    bool dry_run = false;

    sequence_number next_sequence = 0;  // of the next event to be appended
    sequence_number durable = 0;        // the highest proven durable watermark

    // For a torn tail: the place of the cut.
    log_position cut{};
    sequence_number cut_sequence = 0;
    // About how many published events are gone. None of them was acknowledged as durable.
    std::uint64_t lost_about = 0;
    // Nonzero bytes after the cut. They stay in the segment; what the end frame overwrote, and
    // segments that were removed whole, are kept in torn/.
    std::uint64_t torn_bytes = 0;
    std::vector<std::string> kept;     // files in torn/ that this recovery wrote
    std::vector<std::string> notices;  // one sentence each, for a person

    std::uint64_t segments = 0;
    std::uint64_t segments_read = 0;  // the others are sealed and trusted
    std::uint64_t bytes_read = 0;
    std::uint64_t bytes_rewritten = 0;

    // What was found, and for a torn tail where it was cut and what is gone, with the notices, as
    // one line for a log: "closed cleanly, next sequence 1200". Without memory for it: "out of
    // memory".
    [[nodiscard]] std::string message() const noexcept;
};

}  // namespace pawl
