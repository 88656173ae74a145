#include "commands/commands.hpp"
#include "events/scan.hpp"
#include "terminal/interrupt.hpp"
#include "terminal/log_records.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <pawl/journal/journal.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace pawl::cli {

namespace {

// Consecutive events whose times lie before that of an earlier event.
struct excursion {
    sequence_number first_sequence = 0;
    std::uint64_t events = 0;
    std::uint64_t began_ns = 0;  // the latest time before it
    std::uint64_t back_ns = 0;   // how far back an event went, at most
};

constexpr std::size_t most_listed = 1000;

struct excursions {
    std::uint64_t count = 0;
    std::vector<excursion> listed;  // the first ones
    std::uint64_t latest_ns = 0;
    bool inside = false;

    void add(const event& e) {
        const std::uint64_t time = e.timestamp_ns();
        if (time >= latest_ns) {
            latest_ns = time;
            inside = false;
            return;
        }
        if (!std::exchange(inside, true)) {
            ++count;
            if (listed.size() < most_listed)
                listed.push_back({e.sequence(), 0, latest_ns, 0});
        }
        if (count > most_listed)
            return;
        excursion& now = listed.back();
        ++now.events;
        now.back_ns = std::max(now.back_ns, latest_ns - time);
    }
};

nlohmann::ordered_json report_json(const std::vector<recorded_clock>& reports,
                                   const excursions& found,
                                   const std::filesystem::path& directory) {
    nlohmann::ordered_json json{{"directory", directory.string()},
                                {"reports", nlohmann::ordered_json::array()},
                                {"all_excursions", found.count},
                                {"excursions", nlohmann::ordered_json::array()}};
    for (const recorded_clock& report : reports)
        json["reports"].push_back(to_json(report));
    for (const excursion& each : found.listed)
        json["excursions"].push_back({{"first_sequence", each.first_sequence},
                                      {"events", each.events},
                                      {"after_ns", each.began_ns},
                                      {"back_ns", each.back_ns}});
    return json;
}

// Also of the smallest value, which has no positive counterpart.
std::uint64_t magnitude(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    return value < 0 ? 0 - bits : bits;
}

// Over all reports: what an auditor asks first.
std::string summary(const std::vector<recorded_clock>& reports) {
    if (reports.empty())
        return "reports     none: the caller gave the times, or clock_report_interval_s was 0\n";
    std::uint64_t synchronised = 0;
    std::uint64_t steps = 0;
    std::uint64_t error_ns = 0;
    std::int64_t drift_ns = 0;
    for (const recorded_clock& report : reports) {
        synchronised += report.synchronised ? 1 : 0;
        steps = std::max(steps, report.steps);
        error_ns = std::max(error_ns, report.maximum_error_ns);
        if (magnitude(report.drift_ns) > magnitude(drift_ns))
            drift_ns = report.drift_ns;
    }
    return fmt::format(
        "reports     {}, {} of them with a synchronised clock\n"
        "error       at most {} ns, as the kernel estimated it\n"
        "drift       at most {} ns between two reports\n"
        "steps       {} of the system clock within one run of the writer, at most\n",
        reports.size(), synchronised, error_ns, drift_ns, steps);
}

std::string to_text(const excursions& found) {
    if (found.count == 0)
        return "excursions  none: no event has a time before that of an earlier event\n";
    std::string text = fmt::format("excursions  {}\n", found.count);
    for (const excursion& each : found.listed)
        text += fmt::format("  {} events from {}, up to {} ns before {}\n", each.events,
                            each.first_sequence, each.back_ns, time_text(each.began_ns));
    if (found.count > found.listed.size())
        text += fmt::format("  and {} more\n", found.count - found.listed.size());
    return text;
}

bool put_reports(const std::vector<recorded_clock>& reports) {
    row_writer rows{row_format::table,
                    {"reported", "synchronised", "max error ns", "drift ns", "steps"}};
    for (const recorded_clock& report : reports) {
        const std::string time = time_text(report.timestamp_ns);
        if (!rows.put({std::string_view{time}, std::string_view{report.synchronised ? "yes" : "no"},
                       static_cast<std::int64_t>(report.maximum_error_ns), report.drift_ns,
                       static_cast<std::int64_t>(report.steps)}))
            return false;
    }
    return rows.finish();
}

}  // namespace

exit_code clock_command(const clock_options& options) {
    const auto reports = clock_reports(options.directory);
    if (!reports)
        return complain(reports.error());
    excursions found;
    const auto scanned = scan(options.directory, options.allow_network_file_system,
                              [&](const event& e) { found.add(e); });
    if (options.json) {
        put_json(report_json(*reports, found, options.directory));
    } else {
        put(summary(*reports) + to_text(found));
        if (options.reports)
            (void)(put("\n") && put_reports(*reports));
    }
    const exit_code code = scanned ? finish_output(success) : complain(scanned.error());
    die_of_interrupt();
    return code;
}

}  // namespace pawl::cli
