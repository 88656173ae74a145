// Which events a reader wants.
#pragma once

#include <pawl/journal/event.hpp>
#include <pawl/journal/types.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace pawl {

// The events that have any of these types, are in any of these streams, and name all of these tags.
// A list that is empty allows all, but not every list may be: a filter without a condition is
// invalid_argument.
struct event_selection {
    std::vector<std::uint16_t> types{};
    std::vector<stream_id> streams{};  // no_stream_id: the firehose
    std::vector<tag_id> tags{};

    [[nodiscard]] bool has_condition() const noexcept {
        return !types.empty() || !streams.empty() || !tags.empty();
    }
    // Pawl's own events are wanted only if their type is listed.
    [[nodiscard]] bool admits(const event& e) const noexcept {
        const bool of_type = types.empty() ? e.type() < first_reserved_type
                                           : std::ranges::find(types, e.type()) != types.end();
        return of_type &&
               (streams.empty() || std::ranges::find(streams, e.stream()) != streams.end()) &&
               (tags.empty() || names_all(e));
    }

  private:
    [[nodiscard]] bool names_all(const event& e) const noexcept {
        const number_list named = e.metadata().tags();
        return std::ranges::all_of(tags, [&](tag_id tag) { return named.contains(tag); });
    }
};

}  // namespace pawl
