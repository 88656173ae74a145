// Surveys what a journal's segments hold, in order: the facts from which recovery, verification and
// a reader at the end of the log draw their conclusions. Changes nothing.
#pragma once

#include "format/segment_walk.hpp"
#include "os/directory_handle.hpp"
#include "store/log_begin.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/options.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pawl::detail {

struct surveyed_segment {
    std::uint64_t ordinal = 0;
    bool sealed = false;
    bool read = false;
    segment_header header{};    // of segments that were read
    index_header index{};       // of sealed ones
    walk_end walk{};            // of segments that were read
    std::string header_note{};  // one of the two header copies is bad
};

struct log_hole {
    std::size_t segment = 0;  // in log_survey::segments
    std::uint64_t offset = 0;
    sequence_number sequence = 0;
    frame_fault fault{};
};

struct log_survey {
    log_begin begin{};
    std::uint64_t below_beginning = 0;  // segments that a prune has left
    std::vector<surveyed_segment> segments;
    std::size_t first_read = 0;  // segments before this were trusted
    segment_end end{};           // of the last complete segment
    std::optional<log_hole> hole;
    // Segments from here on hold nothing: they were prepared and never used.
    std::size_t blank_from = 0;
    sequence_number next_sequence = 0;
    sequence_number durable = 0;   // the highest watermark proven
    sequence_number seen = 0;      // one after the last whole event found anywhere
    std::uint64_t torn_bytes = 0;  // from the hole on, to the last nonzero byte
    std::uint64_t bytes_read = 0;
};

struct survey_request {
    directory_handle directory;
    journal_id id{};
    verify_at_open verify = verify_at_open::unsealed;
    sequence_number stored_watermark = 0;  // from the control file
    sequence_number published = 0;         // from the control file; proves nothing
};

// Fails with damaged or missing_segment, with file, offset and sequence, if something below a
// durable watermark is wrong. A hole that is a torn tail is part of the result.
[[nodiscard]] result<log_survey> survey_log(const survey_request& request);
// The same for a caller that does not hold the lock: nullopt if files changed while they were read,
// whatever the survey found. Readers call survey_at_rest() instead.
[[nodiscard]] result<std::optional<log_survey>> survey_without_lock(const survey_request& request);

// Why a segment with this header cannot follow that end; empty if it can.
[[nodiscard]] std::string misfit(const segment_header& header, const segment_end& before);

[[nodiscard]] segment_end end_of(const index_header& index) noexcept;
[[nodiscard]] segment_end end_of(const segment_header& header, const walk_end& walk) noexcept;

}  // namespace pawl::detail
