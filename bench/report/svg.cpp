#include "report/svg.hpp"

#include "report/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace bench {
namespace {

constexpr double width = 720;
constexpr double height = 340;
constexpr double left = 70;
constexpr double right = 20;
constexpr double top = 16;
constexpr double bottom = 46;

// Distinct also for colour-blind readers (Okabe and Ito).
constexpr std::array colours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                "#e69f00", "#56b4e9", "#999999", "#f0e442"};

const char* colour(std::size_t index) {
    return colours[index % colours.size()];
}

std::string text_at(double x, double y, const char* anchor, const std::string& text) {
    return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>", x, y, anchor,
                       escaped(text));
}

std::string rule(double x1, double y1, double x2, double y2) {
    return fmt::format(
        "<line class=\"rule\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>", x1, y1,
        x2, y2);
}

std::string opening(double of_height) {
    return fmt::format("<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\">", width, of_height);
}

std::string legend(const std::vector<series>& lines) {
    std::string made = "<p class=\"legend\">";
    for (std::size_t i = 0; i < lines.size(); ++i) {
        made += fmt::format("<span><i style=\"background:{}\"></i>{}</span> ", colour(i),
                            escaped(lines[i].label));
    }
    return made + "</p>";
}

// The position of a share on an axis where each nine takes the same width.
double nines(double share) {
    return -std::log10(std::max(1 - share, 1e-5));
}

struct axis {
    double low;
    double high;
    double from;
    double to;
    [[nodiscard]] double at(double value) const {
        return from + (value - low) / (high - low) * (to - from);
    }
};

std::string polyline(const std::vector<std::pair<double, double>>& points, std::size_t index) {
    std::string made = fmt::format("<polyline stroke=\"{}\" points=\"", colour(index));
    for (const auto& [x, y] : points) {
        made += fmt::format("{:.1f},{:.1f} ", x, y);
    }
    made += "\"/>";
    for (const auto& [x, y] : points) {
        made += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>", x, y,
                            colour(index));
    }
    return made;
}

}  // namespace

std::string escaped(const std::string& text) {
    std::string made;
    for (const char one : text) {
        switch (one) {
            case '&':
                made += "&amp;";
                break;
            case '<':
                made += "&lt;";
                break;
            case '>':
                made += "&gt;";
                break;
            case '"':
                made += "&quot;";
                break;
            default:
                made += one;
        }
    }
    return made;
}

std::string percentile_plot(const std::vector<series>& lines) {
    double low = 1e300;
    double high = 1;
    for (const auto& line : lines) {
        for (const auto& [share, ns] : line.points) {
            low = std::min(low, std::max(ns, 1.0));
            high = std::max(high, ns);
        }
    }
    const axis y{std::floor(std::log10(low)), std::max(std::ceil(std::log10(high)), 1.0),
                 height - bottom, top};
    const axis x{0, 5, left, width - right};
    std::string made = opening(height);
    for (double power = y.low; power <= y.high; power += 1) {
        made += rule(left, y.at(power), width - right, y.at(power));
        made += text_at(left - 8, y.at(power) + 4, "end", duration_text(std::pow(10, power)));
    }
    for (const auto& [share, name] : {std::pair{0.0, "0"},
                                      {0.5, "50 %"},
                                      {0.9, "90 %"},
                                      {0.99, "99 %"},
                                      {0.999, "99.9 %"},
                                      {0.9999, "99.99 %"},
                                      {1.0, "max"}}) {
        made += rule(x.at(nines(share)), top, x.at(nines(share)), height - bottom);
        made += text_at(x.at(nines(share)), height - bottom + 18, "middle", name);
    }
    made += text_at((left + width - right) / 2, height - 8, "middle", "share of all events");
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::vector<std::pair<double, double>> points;
        for (const auto& [share, ns] : lines[i].points) {
            points.emplace_back(x.at(nines(share)), y.at(std::log10(std::max(ns, 1.0))));
        }
        made += polyline(points, i);
    }
    return made + "</svg>" + legend(lines);
}

std::string bar_plot(const std::vector<bar>& bars) {
    double low = 1e300;
    double high = 1e-300;
    for (const auto& one : bars) {
        low = std::min(low, one.value);
        high = std::max(high, one.value);
    }
    constexpr double step = 26;
    constexpr double labels = 190;
    const double all = top + step * static_cast<double>(bars.size()) + 8;
    // The smallest value needs a visible bar too, so the axis starts below its power of ten.
    const axis x{std::floor(std::log10(low)) - 0.3, std::log10(high), labels, width - 110};
    std::string made = opening(all);
    double y = top;
    for (const auto& one : bars) {
        const double end = x.at(std::log10(one.value));
        made += text_at(labels - 8, y + 15, "end", one.label);
        made += fmt::format(
            "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"18\" fill=\"{}\"/>", labels,
            y + 1, std::max(end - labels, 1.0), one.emphasised ? colours[1] : colours[0]);
        made += text_at(std::max(end, labels) + 6, y + 15, "start", one.text);
        y += step;
    }
    return made + "</svg>";
}

std::string line_plot(const std::vector<series>& lines, const std::string& x_name,
                      const std::string& y_name) {
    double most_x = 1;
    double most_y = 1e-9;
    for (const auto& line : lines) {
        for (const auto& [x, y] : line.points) {
            most_x = std::max(most_x, x);
            most_y = std::max(most_y, y);
        }
    }
    const axis x{0, most_x, left, width - right};
    const axis y{0, most_y * 1.1, height - bottom, top};
    std::string made = opening(height);
    for (int part = 0; part <= 4; ++part) {
        const double value = most_y * part / 4;
        made += rule(left, y.at(value), width - right, y.at(value));
        made += text_at(left - 8, y.at(value) + 4, "end", rate_text(value));
    }
    for (double value = 1; value <= most_x; value *= 2) {
        made += text_at(x.at(value), height - bottom + 18, "middle", fmt::format("{:.0f}", value));
    }
    made += text_at((left + width - right) / 2, height - 8, "middle", x_name);
    made += text_at(left, top - 4, "start", y_name);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::vector<std::pair<double, double>> points;
        for (const auto& [at_x, at_y] : lines[i].points) {
            points.emplace_back(x.at(at_x), y.at(at_y));
        }
        made += polyline(points, i);
    }
    return made + "</svg>" + legend(lines);
}

}  // namespace bench
