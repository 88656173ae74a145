// The segments that a reader of one stream has to visit.
#pragma once

#include "os/directory_handle.hpp"
#include "recovery/log_survey.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <vector>

namespace pawl::detail {

struct route_request {
    directory_handle directory;
    journal_id id{};
    stream_id stream = no_stream_id;
    std::uint64_t from_ordinal = 0;   // segments before this one are not visited
    stream_version from_version = 0;  // nor are those that hold only earlier events
};

struct stream_route {
    // Ascending: the sealed segments that hold the stream, and segments before the last sealed one
    // whose index is not there and which therefore may hold it.
    std::vector<std::uint64_t> stops;
    // The end of the last sealed segment; from there on a reader goes from segment to segment. Not
    // known if no segment is sealed.
    segment_end sealed_end{};
};

// Probes the youngest sealed segments until one holds the stream, and from there follows the links
// that the indexes have for the stream. Cost: proportional to the segments that hold the stream and
// to those younger than its last event, whatever the size of either.
[[nodiscard]] result<stream_route> plan_route(const route_request& request);

}  // namespace pawl::detail
