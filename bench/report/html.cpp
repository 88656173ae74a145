#include "report/report.hpp"
#include "report/svg.hpp"
#include "report/units.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace bench {
namespace {

const char* const style = R"(
:root { color-scheme: light dark; --ink: #1a1a1a; --soft: #666; --line: #ddd; --paper: #fff;
        --bad: #b3261e; --good: #14713d; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --soft: #a0a0a0; --line: #3a3a3a; --paper: #161616; --bad: #ff8a80;
          --good: #81c995; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
       max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; } h3 { font-size: 1rem; }
p.about, td.soft, dt { color: var(--soft); }
svg { width: 100%; height: auto; max-width: 45rem; display: block; }
svg text { font-size: 12px; fill: var(--ink); } svg .rule { stroke: var(--line); }
svg polyline { fill: none; stroke-width: 2; }
p.legend span { margin-right: 1.2em; white-space: nowrap; }
p.legend i { display: inline-block; width: .8em; height: .8em; margin-right: .4em; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25em .6em; border-bottom: 1px solid var(--line);
         white-space: nowrap; }
th:first-child, td:first-child, .left { text-align: left; }
.met { color: var(--good); } .missed { color: var(--bad); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1em 1em; font-size: 13px; }
dd { margin: 0; overflow-wrap: anywhere; }
)";

// Rows of one question and case, in the order in which they were found.
using groups = std::vector<std::pair<std::string, std::vector<const row*>>>;

groups group_by_case(const std::vector<row>& rows, const std::string& bench) {
    groups made;
    for (const auto& one : rows) {
        if (one.bench != bench) {
            continue;
        }
        auto at = std::find_if(made.begin(), made.end(),
                               [&](const auto& group) { return group.first == one.variant; });
        if (at == made.end()) {
            made.push_back({one.variant, {}});
            at = made.end() - 1;
        }
        at->second.push_back(&one);
    }
    return made;
}

std::string latency_plots(const report& found) {
    std::string made;
    for (const char* bench : {"tail", "latency", "durable"}) {
        for (const auto& [name, rows] : group_by_case(found.rows, bench)) {
            std::vector<series> lines;
            for (const auto* one : rows) {
                if (!one->curve.empty()) {
                    lines.push_back({one->contender, one->curve});
                }
            }
            if (!lines.empty()) {
                made +=
                    fmt::format("<h3>{}: {}</h3>", bench, escaped(name)) + percentile_plot(lines);
            }
        }
    }
    return made;
}

std::string throughput_plots(const report& found) {
    std::string made;
    for (const char* bench : {"peers", "append"}) {
        auto cases = group_by_case(found.rows, bench);
        // Cases of the append question have one contender each; they are compared with each other.
        if (std::string(bench) == "append") {
            std::map<std::size_t, std::vector<const row*>> by_size;
            for (const auto& one : found.rows) {
                if (one.bench == bench) {
                    by_size[one.payload_bytes].push_back(&one);
                }
            }
            cases.clear();
            for (auto& [bytes, rows] : by_size) {
                cases.emplace_back(fmt::format("{} bytes", bytes), std::move(rows));
            }
        }
        for (const auto& [name, rows] : cases) {
            std::vector<bar> bars;
            for (const auto* one : rows) {
                const bool peers = std::string(bench) == "peers";
                bars.push_back(
                    {.label = peers ? one->contender : one->contender + ", " + one->variant,
                     .value = *one->events_per_s,
                     .text =
                         rate_text(one->events_per_s) + "/s, " + duration_text(one->ns_per_event),
                     .emphasised = one->contender == "pawl"});
            }
            std::sort(bars.begin(), bars.end(),
                      [](const bar& a, const bar& b) { return a.value > b.value; });
            made += fmt::format("<h3>{}: {}</h3>", bench, escaped(name)) + bar_plot(bars);
        }
    }
    return made;
}

std::string threads_plot(const report& found) {
    std::map<std::string, series> lines;
    for (const auto& one : found.rows) {
        if (one.bench == "replay" && one.variant.starts_with("verify whole") &&
            one.variant.find("cold") == std::string::npos) {
            auto& line = lines[one.contender];
            line.label = one.contender;
            line.points.emplace_back(static_cast<double>(one.threads), *one.events_per_s);
        }
    }
    std::vector<series> list;
    list.reserve(lines.size());
    for (auto& [name, line] : lines) {
        list.push_back(std::move(line));
    }
    return list.empty() ? "" : line_plot(list, "threads", "events a second");
}

std::string verdict_table(const report& found) {
    std::string made =
        "<div class=\"wide\"><table><tr><th>target</th><th>reached</th>"
        "<th>wanted</th><th class=\"left\"></th></tr>";
    for (const auto& one : found.verdicts) {
        made += fmt::format(
            "<tr><td>{}</td><td>{:.3g}</td><td>{} {:.3g}</td>"
            "<td class=\"left {}\">{}{}{}</td></tr>",
            escaped(one.question), one.reached, one.at_least ? "at least" : "at most", one.limit,
            one.met() ? "met" : "missed", one.met() ? "met" : "missed",
            one.unreliable ? ", unreliable" : "", one.note.empty() ? "" : "; " + escaped(one.note));
    }
    return made + "</table></div>";
}

std::string row_table(const report& found) {
    std::string made =
        "<div class=\"wide\"><table><tr><th>case</th><th "
        "class=\"left\">contender</th><th>bytes</th>"
        "<th>per event</th><th>min</th><th>max</th><th>n</th><th>events/s</th><th>p50</th>"
        "<th>p99</th><th>p99.9</th><th>p99.99</th><th>max</th><th>x floor</th>"
        "<th class=\"left\">outlives</th><th class=\"left\">settings</th></tr>";
    for (const auto& one : found.rows) {
        const auto keeps = fmt::format("{}{}{}", one.keeps.survives_kill ? "kill " : "",
                                       one.keeps.survives_power_loss ? "power cut " : "",
                                       one.keeps.checksummed ? "(checksummed)" : "");
        made += fmt::format(
            "<tr><td>{}: {}</td><td class=\"left\">{}</td><td>{}</td><td>{}</td><td>{}</td>"
            "<td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>"
            "<td>{}</td><td>{}{}</td><td class=\"left\">{}</td><td class=\"left "
            "soft\">{}</td></tr>",
            one.bench, escaped(one.variant), escaped(one.contender), one.payload_bytes,
            duration_text(one.ns_per_event), duration_text(one.min_ns_per_event),
            duration_text(one.max_ns_per_event), one.repetitions, rate_text(one.events_per_s),
            duration_text(one.p50_ns), duration_text(one.p99_ns), duration_text(one.p999_ns),
            duration_text(one.p9999_ns), duration_text(one.max_ns),
            one.floor_ratio ? fmt::format("{:.2f}", *one.floor_ratio) : "-",
            one.unreliable ? " ?" : "", keeps, escaped(one.options));
    }
    return made + "</table></div>";
}

std::string machine_list(const nlohmann::ordered_json& machine) {
    std::string made = "<dl>";
    for (const auto& [key, value] : machine.items()) {
        made += fmt::format("<dt>{}</dt><dd>{}</dd>", escaped(key),
                            escaped(value.is_string() ? value.get<std::string>() : value.dump()));
    }
    return made + "</dl>";
}

std::string section(const std::string& title, const std::string& about, const std::string& body) {
    if (body.empty()) {
        return "";
    }
    return fmt::format("<h2>{}</h2><p class=\"about\">{}</p>{}", title, about, body);
}

}  // namespace

std::string to_html(const nlohmann::ordered_json& machine, const report& found) {
    std::string made = fmt::format(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\"><title>Pawl's benchmark</title><style>{}</style></head>"
        "<body><h1>Pawl's benchmark</h1><p class=\"about\">{}, {} cores, {}; {}; finished {}. The "
        "floor is the least work that leaves the same bytes, run in turns with everything else."
        "</p>",
        style, escaped(machine.value("processor", "")), machine.value("cores", 0),
        escaped(machine.value("kernel", "")), escaped(machine.value("file_system", "")),
        escaped(machine.value("finished", "")));
    made += section("Targets", "What was aimed at and what this run reached.",
                    found.verdicts.empty() ? "" : verdict_table(found));
    made += section("Throughput by contender", "Longer is better; the axis is logarithmic.",
                    throughput_plots(found));
    made += section("Latency by percentile",
                    "Each event is timed from when it was due. Lower is better; compare only with "
                    "the floor of the same plot, since far percentiles measure the machine.",
                    latency_plots(found));
    made +=
        section("Replay by threads", "Frames read and every hash checked.", threads_plot(found));
    made += section("Every row",
                    "Medians; n is how many measurements; a ? marks a floor that itself moved by "
                    "more than a fifth.",
                    row_table(found));
    made += section("Machine and options", "", machine_list(machine));
    for (const auto& one : found.failures) {
        made += "<p class=\"missed\">not measured: " + escaped(one) + "</p>";
    }
    return made + "</body></html>\n";
}

}  // namespace bench
