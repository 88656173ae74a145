#include "commands/commands.hpp"
#include "salvage/salvage.hpp"
#include "terminal/output.hpp"
#include "terminal/progress.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>

namespace pawl::cli {

namespace {

nlohmann::ordered_json to_json(const salvage_report& report, const verify_report& made,
                               const recover_command_options& options) {
    nlohmann::ordered_json json{{"directory", options.directory.string()},
                                {"salvaged", options.salvage.string()},
                                {"sound", made.sound()},
                                {"events", report.copied},
                                {"lost", report.lost},
                                {"pruned", report.pruned},
                                {"left_out", report.left_out},
                                {"renumbered", report.renumbered},
                                {"names_lost", report.names_lost},
                                {"next_sequence", report.next_sequence},
                                {"gaps", nlohmann::ordered_json::array()},
                                {"findings", nlohmann::ordered_json::array()}};
    for (const event_run& gap : report.gaps)
        json["gaps"].push_back({{"first_sequence", gap.first}, {"next_sequence", gap.end}});
    for (const finding& found : report.source.findings)
        json["findings"].push_back(error_json(found.what));
    return json;
}

std::string gaps_text(const salvage_report& report) {
    constexpr std::size_t most = 20;
    std::string text;
    for (const event_run& gap : std::span{report.gaps}.first(std::min(most, report.gaps.size())))
        text += fmt::format("lost       {} event{}, sequence {} up to {}\n", gap.end - gap.first,
                            gap.end - gap.first == 1 ? "" : "s", gap.first, gap.end);
    if (report.gaps.size() > most)
        text += fmt::format("           and {} more gaps; {} events in all\n",
                            report.gaps.size() - most, report.lost);
    return text;
}

std::string to_text(const salvage_report& report, const verify_report& made,
                    const recover_command_options& options) {
    std::string text =
        fmt::format("copied     {} events to {}\n", report.copied, options.salvage.string());
    text += gaps_text(report);
    if (report.pruned != 0)
        text += fmt::format("pruned     {} events before them, long ago\n", report.pruned);
    if (report.left_out != 0)
        text += fmt::format(
            "left out   {} events whose sequences other events have: they are of another\n"
            "           history, as when two copies of the journal were both written\n",
            report.left_out);
    if (report.renumbered != 0)
        text += fmt::format(
            "versions   {} events have a smaller version in their stream than before,\n"
            "           because earlier events of the stream are lost\n",
            report.renumbered);
    if (report.names_lost != 0)
        text += fmt::format("names      {} streams are called lost-name-N\n", report.names_lost);
    text += fmt::format(
        "next       sequence {}\n"
        "All events keep their sequences. Each one that is missing has an event of type\n"
        "pawl.lost in its place, which folds pass over.\n",
        report.next_sequence);
    return text + (made.sound() ? "The new journal was verified, and is sound.\n"
                                : "THE NEW JOURNAL IS NOT SOUND; see pawl verify\n");
}

}  // namespace

exit_code salvage_command(const recover_command_options& options) {
    result<salvage_report> report = [&] {
        progress line;
        return salvage(
            options.directory, options.salvage,
            [&](std::uint64_t done, std::uint64_t all) { line.show(done, all); },
            options.allow_network_file_system);
    }();
    if (!report)
        return complain(report.error());
    const auto made = verify(options.salvage);
    if (!made)
        return complain(made.error());
    if (options.json)
        put_json(to_json(*report, *made, options));
    else
        put(to_text(*report, *made, options));
    for (const finding& found : report->source.findings)
        complain("notice: " + found.what.message());
    return made->sound() ? success : failure;
}

}  // namespace pawl::cli
