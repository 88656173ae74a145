// Journals to damage: written by the real writer in memory, with a list of their records.
#pragma once

#include "memory_files.hpp"

#include <pawl/journal/types.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace pawl::test {

struct log_record {
    std::string file;  // path of the segment
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;  // padding included
    sequence_number sequence = 0;
    std::uint64_t batch_offset = 0;  // of the batch's first frame, or its own
    bool sealed = false;             // its segment has an index
};

struct log_to_damage {
    std::string directory;
    // Below the watermark that the log or the control file proves, in order.
    std::vector<log_record> records;
    sequence_number durable = 0;
};

struct log_plan {
    std::uint64_t seed = 0;  // decides what the writer does
    std::uint64_t life = 0;  // decides only epochs and payloads
    std::string directory;
};

// A journal of a few segments whose writer died, in memory_files. Two plans that differ only in
// `life` give records of the same sizes at the same places.
[[nodiscard]] log_to_damage make_log_to_damage(const log_plan& plan);

}  // namespace pawl::test
