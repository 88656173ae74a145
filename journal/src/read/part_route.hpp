// The segments that a reader of one stream or tag has to visit.
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
    stream_id stream = no_stream_id;  // or
    tag_id tag = 0;
    log_begin begin{};
    std::uint64_t from_ordinal = 0;   // segments before this one are not visited
    stream_version from_version = 0;  // nor are those that hold only earlier events
};

struct part_route {
    // Ascending: the sealed segments that hold wanted events, and the segments before the last
    // sealed one that have no index and may therefore hold some.
    std::vector<std::uint64_t> stops;
    // The end of the last sealed segment. From there on, a reader visits every segment. Not known
    // if no segment is sealed.
    segment_end sealed_end{};
};

// Of a stream: probes sealed segments, newest first, until one holds it, and from there follows its
// links in the indexes. The cost is proportional to the number of segments that hold the stream
// plus those newer than its last event, whatever their size. Of a tag, which has no links: probes
// every sealed segment.
[[nodiscard]] result<part_route> plan_route(const route_request& request);

}  // namespace pawl::detail
