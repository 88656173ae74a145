// What `pawl stat` shows: a journal's status at one moment, and how fast it moves.
#pragma once

#include "events/log_end.hpp"

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/status.hpp>
#include <pawl/sqlite/projection_catalog.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pawl::cli {

struct stat_sample {
    std::uint64_t taken_ns = 0;  // since the Unix epoch
    journal_status status{};
    log_end end{};
    consumer_list consumers{};
    std::vector<projection_info> projections{};
};

// `database` holds projections; empty: none are shown.
[[nodiscard]] result<stat_sample> take_sample(const std::filesystem::path& directory,
                                              const std::filesystem::path& database);

// Per second, between two samples of one writer.
struct stat_rates {
    double seconds = 0;
    double events = 0;
    double bytes = 0;
    double syncs = 0;
    std::vector<double> counters{};  // in the order of status.counters
};

// none if they are not of the same writer, or no time has passed.
[[nodiscard]] std::optional<stat_rates> rates_between(const stat_sample& before,
                                                      const stat_sample& now);

// How long a share (0 to 1) of the syncs took at most, in microseconds: the upper end of the bucket
// in which it lies, but never more than the longest. 0 without any sync.
[[nodiscard]] double sync_quantile_us(const journal_status& of, double share);

[[nodiscard]] lag lag_of(const consumer_info& consumer, const stat_sample& in);

// How long ago the writer's background has stored something.
[[nodiscard]] std::uint64_t heartbeat_age_ns(const stat_sample& in);

}  // namespace pawl::cli
