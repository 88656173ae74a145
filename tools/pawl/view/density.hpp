// How many events of each type a journal holds, over time.
#pragma once

#include "view/log_map.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace pawl::cli {

struct density_bucket {
    sequence_number first = 0;  // of its events
    std::uint64_t events = 0;
    std::map<std::uint16_t, std::uint64_t> types{};  // of those that were read
};

struct density {
    std::uint64_t from_ns = 0;
    std::uint64_t bucket_ns = 0;
    // False: the bounds of the buckets were looked up, and the types are those of some events of
    // each. Of the events that are in no sealed segment all are counted, in steps of 256. If time
    // stamps do not ascend, events beside a bound may then count in its neighbour.
    bool exact = false;
    std::vector<density_bucket> buckets{};
    // Why some events could not be read, and are missing.
    std::optional<error> problem{};
};

// Of the time [from_ns, until_ns), in so many buckets. Up to 100,000 events are all read; of more,
// 48 for each bucket: the cost does not grow with the journal.
[[nodiscard]] result<density> measure_density(const log_map& map, std::uint64_t from_ns,
                                              std::uint64_t until_ns, std::uint64_t buckets);

}  // namespace pawl::cli
