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
    log_begin begin{};
    std::uint64_t from_ordinal = 0;   // segments before this one are not visited
    stream_version from_version = 0;  // nor are those that hold only earlier events
};

struct stream_route {
    // Ascending: the sealed segments that hold the stream, and the segments before the last sealed
    // one that have no index and may therefore hold it.
    std::vector<std::uint64_t> stops;
    // The end of the last sealed segment. From there on, a reader visits every segment. Not known
    // if no segment is sealed.
    segment_end sealed_end{};
};

// Probes sealed segments, newest first, until one holds the stream, and from there follows the
// stream's links in the indexes. The cost is proportional to the number of segments that hold the
// stream plus those newer than its last event, whatever their size.
[[nodiscard]] result<stream_route> plan_route(const route_request& request);

}  // namespace pawl::detail
