// How verification judges a place in an unsealed segment where no whole frame stands.
#pragma once

#include "format/segment_walk.hpp"
#include "recovery/log_survey.hpp"

#include <pawl/journal/error.hpp>

#include <cstdint>
#include <optional>

namespace pawl::detail {

// By default, the tail of a live writer, where there is nothing more to check.
struct tail_verdict {
    bool torn = false;
    std::uint64_t torn_bytes = 0;
    std::optional<error> damage{};
};

// Valid only if the hole is still there afterwards: see look_again().
[[nodiscard]] tail_verdict judge_tail(const survey_request& request, const walk_end& hole);

// Joins two walks, of which the second began where the first had stopped.
[[nodiscard]] walk_end joined(const walk_end& first, const walk_end& second) noexcept;

}  // namespace pawl::detail
