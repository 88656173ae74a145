// What verification makes of a place in an unsealed segment that holds no whole frame.
#pragma once

#include "format/segment_walk.hpp"
#include "recovery/log_survey.hpp"

#include <pawl/journal/error.hpp>

#include <cstdint>
#include <optional>

namespace pawl::detail {

// All empty: the tail of a live writer, where nothing more is to be checked.
struct tail_verdict {
    bool torn = false;
    std::uint64_t torn_bytes = 0;
    std::optional<error> damage{};
};

// Holds only if the hole is still there afterwards: see look_again().
[[nodiscard]] tail_verdict judge_tail(const survey_request& request, const walk_end& hole);

// One walk out of two, the second of which began where the first had stopped.
[[nodiscard]] walk_end joined(const walk_end& first, const walk_end& second) noexcept;

}  // namespace pawl::detail
