#include "stat/sample.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <numeric>
#include <utility>

namespace pawl::cli {

namespace {

constexpr double ns_per_s = 1e9;

std::uint64_t now_ns() {
    using namespace std::chrono;
    return static_cast<std::uint64_t>(
        duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count());
}

double rate(std::uint64_t before, std::uint64_t now, double seconds) {
    return static_cast<double>(now - std::min(now, before)) / seconds;
}

}  // namespace

result<stat_sample> take_sample(const std::filesystem::path& directory,
                                const std::filesystem::path& database) {
    auto status = read_status(directory);
    if (!status)
        return std::unexpected(std::move(status.error()));
    auto consumers = list_consumers(directory);
    if (!consumers)
        return std::unexpected(std::move(consumers.error()));
    stat_sample sample{.status = std::move(*status), .consumers = std::move(*consumers)};
    sample.end.next = sample.status.published;
    // Only a lag in time needs the log itself, which may be damaged.
    if (!sample.consumers.consumers.empty()) {
        if (const auto end = end_of_log(directory))
            sample.end = *end;
    }
    if (!database.empty()) {
        auto projections = list_projections(database);
        if (!projections)
            return std::unexpected(std::move(projections.error()));
        sample.projections = std::move(*projections);
    }
    sample.taken_ns = now_ns();
    return sample;
}

std::optional<stat_rates> rates_between(const stat_sample& before, const stat_sample& now) {
    if (before.status.opened_ns != now.status.opened_ns || now.taken_ns <= before.taken_ns)
        return std::nullopt;
    const double seconds = static_cast<double>(now.taken_ns - before.taken_ns) / ns_per_s;
    stat_rates rates{
        .seconds = seconds,
        .events = rate(before.status.published, now.status.published, seconds),
        .bytes = rate(before.status.appended_bytes, now.status.appended_bytes, seconds),
        .syncs = rate(before.status.syncs, now.status.syncs, seconds)};
    for (std::size_t i = 0; i < now.status.counters.size(); ++i) {
        const std::uint64_t earlier =
            i < before.status.counters.size() ? before.status.counters[i].value : 0;
        rates.counters.push_back(rate(earlier, now.status.counters[i].value, seconds));
    }
    return rates;
}

double sync_quantile_us(const journal_status& of, double share) {
    constexpr double ns_per_us = 1e3;
    const auto all = static_cast<double>(
        std::accumulate(of.sync_times.begin(), of.sync_times.end(), std::uint64_t{0}));
    const double longest = static_cast<double>(of.longest_sync_ns) / ns_per_us;
    double seen = 0;
    double bound = 1;
    for (std::size_t i = 0; i + 1 < of.sync_times.size(); ++i, bound *= 2) {
        seen += static_cast<double>(of.sync_times[i]);
        if (seen >= share * all)
            return std::min(bound, longest);
    }
    return longest;
}

lag lag_of(const consumer_info& consumer, const stat_sample& in) {
    return lag_of(consumer.position.point.next, consumer.position.event_ns, in.end);
}

std::uint64_t heartbeat_age_ns(const stat_sample& in) {
    return in.taken_ns - std::min(in.taken_ns, in.status.heartbeat_ns);
}

}  // namespace pawl::cli
