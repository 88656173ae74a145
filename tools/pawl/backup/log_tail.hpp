// The durable part of the segments that are not sealed yet.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <map>

namespace pawl::cli {

struct log_tail {
    sequence_number next_sequence = 0;              // of the first event that is not durable
    std::map<std::uint64_t, std::uint64_t> ends{};  // by ordinal: where its last event ends
    std::uint64_t digest = 0;
};

// The events from `first` on, where a segment begins: all of them, or only those that are durable.
[[nodiscard]] result<log_tail> read_tail(const std::filesystem::path& directory,
                                         sequence_number first, bool only_durable);

}  // namespace pawl::cli
