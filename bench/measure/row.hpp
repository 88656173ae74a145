#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

// The figure of a row to compare: the mean time per event or a quantile of its latency.
enum class figure { mean, p50, p99, p999, p9999 };

// The JSON name of a figure, "ns_per_event" or "p999_ns".
[[nodiscard]] std::string to_string(figure which);

// The guarantees for an event that the contender acknowledged in this row. Rows that promise less
// are cheaper, so the report shows them beside every figure.
struct guarantees {
    bool survives_kill = false;        // the death of the process, by SIGKILL for example
    bool survives_power_loss = false;  // on stable storage when acknowledged
    bool checksummed = false;          // damage is found when the event is read
};

// One line of the table: a contender in one case of a question.
struct row {
    std::string bench;
    std::string variant;  // the case, in words; "case" in the JSON
    std::string contender;
    std::size_t payload_bytes = 0;

    std::optional<double> events_per_s;
    std::optional<double> ns_per_event;
    std::optional<double> p50_ns;
    std::optional<double> p99_ns;
    std::optional<double> p999_ns;
    std::optional<double> p9999_ns;
    std::optional<double> max_ns;
    // Median over the rounds of this row's figure divided by the floor's in the same round.
    std::optional<double> floor_ratio;
    figure ratio_of = figure::mean;

    std::size_t repetitions = 0;
    // Further repetitions, not counted because another process interrupted them.
    std::size_t dropped_repetitions = 0;
    std::optional<double> min_ns_per_event;
    std::optional<double> max_ns_per_event;
    guarantees keeps;
    std::string options;
    std::string note = {};
    // Width of the middle half of the floor's rounds, as a share of its median.
    std::optional<double> floor_spread;
    // The floor itself varied by more than a fifth during the measurement.
    bool unreliable = false;
    // Latency by percentile, (share, ns), for the plot; empty if no latency was measured.
    std::vector<std::pair<double, double>> curve;
    std::size_t threads = 1;
};

// A target and the measured value.
struct verdict {
    std::string question = {};
    double reached = 0;
    double limit = 0;
    bool at_least = false;  // the limit is a minimum
    bool unreliable = false;
    std::string note = {};

    [[nodiscard]] bool met() const { return at_least ? reached >= limit : reached <= limit; }
};

}  // namespace bench
