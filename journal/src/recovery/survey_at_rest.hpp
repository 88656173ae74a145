// Surveys for readers, who hold no lock: a writer may open, write, close, be killed and recover
// while they read.
#pragma once

#include "recovery/log_survey.hpp"

#include <pawl/journal/error.hpp>

#include <cstdint>
#include <optional>

namespace pawl::detail {

// The survey of a journal that no writer holds; nullopt if one does. If a writer changes files
// between two reads, what was read may contradict itself and look like damage. A verdict therefore
// counts only if all files are still the same afterwards; otherwise the survey starts again. Errors
// as for survey_log, and locked if writers kept changing the files.
[[nodiscard]] result<std::optional<log_survey>> survey_at_rest(const survey_request& request);

// A place in a segment where no whole frame was found.
struct seen_hole {
    std::uint64_t ordinal = 0;
    std::uint64_t epoch = 0;
    std::uint64_t offset = 0;
    sequence_number sequence = 0;
};

enum class hole_now : std::uint8_t {
    still_there,
    filled,    // a writer has stored the frame, or a recovery has stored the cut
    replaced,  // the segment's name refers to another file, or to none
};

// Looks at a hole again, after everything that makes it look like damage was read: if it is still
// there now, it was there all the time.
[[nodiscard]] hole_now look_again(const directory_handle& directory, const journal_id& id,
                                  const seen_hole& hole);

}  // namespace pawl::detail
