#pragma once

#include <string>
#include <utility>
#include <vector>

namespace bench {

// A line or a group of bars: its points are (x, y), its label is in the legend.
struct series {
    std::string label;
    std::vector<std::pair<double, double>> points;
};

// Latency by percentile: x is a share of all events on an axis of nines (50 %, 90 %, 99 %, 99.9 %,
// …), y nanoseconds on a logarithmic axis.
[[nodiscard]] std::string percentile_plot(const std::vector<series>& lines);

// One horizontal bar for each entry, on a logarithmic axis, the value written at its end.
struct bar {
    std::string label;
    double value = 0;
    std::string text;
    bool emphasised = false;
};
[[nodiscard]] std::string bar_plot(const std::vector<bar>& bars);

// Lines over a linear axis of whole numbers (threads) and a linear axis from zero.
[[nodiscard]] std::string line_plot(const std::vector<series>& lines, const std::string& x_name,
                                    const std::string& y_name);

// Returns the text with HTML's special characters escaped.
[[nodiscard]] std::string escaped(const std::string& text);

}  // namespace bench
