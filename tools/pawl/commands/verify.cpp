#include "attest/chain_audit.hpp"
#include "commands/commands.hpp"
#include "terminal/output.hpp"
#include "terminal/progress.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <pawl/journal/journal.hpp>
#include <pawl/replay/snapshot_audit.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace pawl::cli {

namespace {

// The counts of a deep check, besides the log.
struct deep_report {
    std::uint64_t streams = 0;
    std::uint64_t snapshots = 0;
};

enum class severity : std::uint8_t { damage, unreadable, notice };

severity severity_of(const finding& found) {
    if (found.damage)
        return severity::damage;
    return found.unreadable ? severity::unreadable : severity::notice;
}

std::string_view name_of(severity how) {
    switch (how) {
        case severity::damage:
            return "damage";
        case severity::unreadable:
            return "unreadable";
        case severity::notice:
            break;
    }
    return "notice";
}

std::int64_t count(const verify_report& report, severity how) {
    return std::ranges::count(report.findings, how, severity_of);
}

nlohmann::ordered_json to_json(const verify_report& report, const std::optional<deep_report>& deep,
                               const std::optional<chain_audit::outcome>& history,
                               const std::filesystem::path& directory) {
    nlohmann::ordered_json json{{"directory", directory.string()},
                                {"sound", report.sound()},
                                {"damaged", count(report, severity::damage)},
                                {"unreadable", count(report, severity::unreadable)},
                                {"notices", count(report, severity::notice)},
                                {"segments", report.segments},
                                {"events", report.events},
                                {"bytes", report.bytes},
                                {"first_sequence", report.first_sequence},
                                {"next_sequence", report.next_sequence},
                                {"end", to_string(report.end)},
                                {"torn_bytes", report.torn_bytes},
                                {"readable", nlohmann::ordered_json::array()},
                                {"deep", deep.has_value()}};
    for (const event_run& run : report.runs)
        json["readable"].push_back({{"first_sequence", run.first}, {"next_sequence", run.end}});
    if (deep) {
        json["streams"] = deep->streams;
        json["snapshots"] = deep->snapshots;
    }
    json["findings"] = nlohmann::ordered_json::array();
    for (const finding& found : report.findings) {
        nlohmann::ordered_json entry = error_json(found.what);
        entry["severity"] = name_of(severity_of(found));
        entry["damage"] = found.damage;
        json["findings"].push_back(std::move(entry));
    }
    if (history) {
        json["attested"] = history->checked;
        json["attested_unchecked"] = history->unchecked;
    }
    return json;
}

// What can be read around damage, and how many events are missing between.
std::string runs_text(const verify_report& report) {
    constexpr std::size_t most = 20;
    std::string text;
    sequence_number expected = report.first_sequence;
    const auto missing = [&](sequence_number next) {
        if (next > expected)
            text += fmt::format("missing   {}, sequence {} up to {}\n",
                                counted(next - expected, "event"), expected, next);
    };
    for (const event_run& run : std::span{report.runs}.first(std::min(most, report.runs.size()))) {
        missing(run.first);
        text += fmt::format("readable  {}, sequence {} up to {}\n",
                            counted(run.end - run.first, "event"), run.first, run.end);
        expected = run.end;
    }
    if (report.runs.size() > most)
        return text + fmt::format("          and {} more such runs of events; --json has all\n",
                                  report.runs.size() - most);
    missing(report.next_sequence);
    return text;
}

std::string to_text(const verify_report& report, const std::optional<deep_report>& deep,
                    const std::optional<chain_audit::outcome>& history) {
    std::string text = fmt::format(
        "segments  {}\n"
        "events    {}, sequence {} up to {}\n"
        "bytes     {}\n"
        "end       {}\n",
        report.segments, report.events, report.first_sequence, report.next_sequence, report.bytes,
        to_string(report.end));
    if (report.end == end_of_journal::torn && report.torn_bytes == 0)
        text += fmt::format(
            "          The writer crashed, which is no damage; all that it wrote is whole. The\n"
            "          next open for writing, or pawl recover, goes on at sequence {}.\n",
            report.next_sequence);
    else if (report.end == end_of_journal::torn)
        text += fmt::format(
            "          A crash left a torn tail of {} bytes, which is no damage. The next\n"
            "          open for writing, or pawl recover, cuts it at sequence {}.\n",
            report.torn_bytes, report.next_sequence);
    if (deep)
        text += fmt::format(
            "streams   {}\n"
            "snapshots {}\n",
            deep->streams, deep->snapshots);
    if (history) {
        text += fmt::format("attested  {} events are as they were attested", history->checked);
        text += history->unchecked == 0
                    ? "\n"
                    : fmt::format(", {} were pruned in part or whole\n", history->unchecked);
    }
    if (count(report, severity::damage) != 0)
        return text + runs_text(report) + "DAMAGED\n";
    if (count(report, severity::unreadable) != 0)
        return text + runs_text(report) + "NOT ALL COULD BE READ; no damage in the rest\n";
    return text + (report.findings.empty() ? "sound\n" : "sound; no damage, but see the notices\n");
}

result<verify_report> verify_with(std::optional<snapshot_audit>& audit,
                                  std::optional<chain_audit>& chain,
                                  const verify_command_options& options) {
    progress line;
    verify_options how{
        .progress = [&](std::uint64_t done, std::uint64_t all) { line.show(done, all); },
        .deep = options.deep};
    if (audit || chain)
        how.visit = [&](const event& each) {
            if (audit)
                audit->add(each);
            if (chain)
                chain->add(each);
        };
    return verify(options.directory, how);
}

// Nothing if none was given.
result<std::optional<chain_audit>> open_chain(const verify_command_options& options) {
    if (options.chain.empty())
        return std::nullopt;
    auto what = read_attestation(options.chain);
    if (!what)
        return std::unexpected(std::move(what.error()));
    if (!options.public_key.empty()) {
        if (auto checked = check_signature(*what, options.public_key); !checked)
            return std::unexpected(std::move(checked.error()));
    }
    return chain_audit{std::move(*what)};
}

}  // namespace

exit_code verify_command(const verify_command_options& options) {
    std::optional<snapshot_audit> audit;
    if (options.deep) {
        auto opened = snapshot_audit::open(options.directory);
        if (!opened)
            return complain(opened.error());
        audit = std::move(*opened);
    }
    auto chain = open_chain(options);
    if (!chain)
        return complain(chain.error());
    auto report = verify_with(audit, *chain, options);
    if (!report)
        return complain(report.error());
    std::optional<chain_audit::outcome> history;
    if (*chain) {
        history = (*chain)->finish(report->first_sequence, report->origin);
        for (error& each : history->findings)
            report->findings.push_back({std::move(each)});
    }
    std::optional<deep_report> deep;
    if (audit) {
        deep = {.streams = report->streams, .snapshots = audit->count()};
        auto rejected = audit->finish({report->id, report->origin});
        if (!rejected)
            return complain(rejected.error());
        for (rejected_snapshot& each : *rejected)
            report->findings.push_back({std::move(each.why), false});
    }
    if (options.json)
        put_json(to_json(*report, deep, history, options.directory));
    else
        put(to_text(*report, deep, history));
    for (const finding& found : report->findings)
        complain((severity_of(found) == severity::notice ? "notice: " : "") + found.what.message());
    if (count(*report, severity::damage) != 0)
        return failure;
    return count(*report, severity::unreadable) != 0 ? unreadable : success;
}

}  // namespace pawl::cli
