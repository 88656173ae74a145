#include "audit/tail_verdict.hpp"

#include "os/assertion.hpp"
#include "recovery/survey_at_rest.hpp"
#include "store/writer_lock.hpp"

#include <algorithm>
#include <utility>

namespace pawl::detail {

tail_verdict judge_tail(const survey_request& request, const walk_end& hole) {
    PAWL_ASSERT(!hole.ended());
    if (hole.fault == frame_fault::absent) {
        const auto live = writer_lock::is_held(request.directory);
        if (live && *live)
            return {};
    }
    auto surveyed = survey_at_rest(request);
    if (!surveyed)
        return {.damage = std::move(surveyed.error())};
    if (!*surveyed)
        return {};
    return {.torn = true, .torn_bytes = (*surveyed)->torn_bytes};
}

walk_end joined(const walk_end& first, const walk_end& second) noexcept {
    PAWL_ASSERT(!first.ended());
    PAWL_ASSERT(second.offset >= first.offset && second.sequence >= first.sequence);
    walk_end both = second;
    both.first_sequence = first.first_sequence;
    both.events += first.events;
    both.frames += first.frames;
    both.durable = std::max(first.durable, second.durable);
    return both;
}

}  // namespace pawl::detail
