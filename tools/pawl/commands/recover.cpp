#include "commands/commands.hpp"
#include "commands/recovery_json.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <pawl/journal/journal.hpp>

#include <chrono>
#include <string>

namespace pawl::cli {

namespace {

std::string_view to_string(found state) {
    switch (state) {
        case found::created:
            return "created";
        case found::closed:
            return "closed";
        case found::torn_tail:
            return "torn_tail";
    }
    return "unknown";
}

}  // namespace

nlohmann::ordered_json recovery_json(const recovery_report& report,
                                     const std::filesystem::path& directory) {
    return {{"directory", directory.string()},
            {"found", to_string(report.state)},
            {"dry_run", report.dry_run},
            {"next_sequence", report.next_sequence},
            {"durable", report.durable},
            {"cut", report.state == found::torn_tail
                        ? nlohmann::ordered_json{{"segment", report.cut.ordinal},
                                                 {"offset", report.cut.offset},
                                                 {"sequence", report.cut_sequence}}
                        : nlohmann::ordered_json(nullptr)},
            {"lost_about", report.lost_about},
            {"torn_bytes", report.torn_bytes},
            {"kept", report.kept},
            {"notices", report.notices},
            {"segments", report.segments},
            {"segments_read", report.segments_read},
            {"bytes_read", report.bytes_read},
            {"bytes_rewritten", report.bytes_rewritten}};
}

namespace {

std::string torn_plan(const recovery_report& report) {
    std::string text =
        "The last writer did not close the journal: its process, the kernel or the power\n"
        "failed. What it left is a torn tail, and not damage.\n\n";
    text += report.lost_about == 0 ? std::string{"  No event is known to be lost.\n"}
                                   : fmt::format(
                                         "  About {} events are lost that were published.\n"
                                         "  None of them was acknowledged as durable.\n",
                                         report.lost_about);
    text += fmt::format(
        "  The log will end with {} events, in {} at byte {}.\n"
        "  At least {} of them were durable before the crash.\n",
        report.cut_sequence, segment_file(report.cut.ordinal), report.cut.offset, report.durable);
    if (report.torn_bytes != 0)
        text += fmt::format(
            "  The {} bytes after that place are not part of the log. They stay in the\n"
            "  segment, after its end.\n",
            report.torn_bytes);
    if (!report.kept.empty())
        text += "  What the end overwrites, and what lies in later segments, is kept in\n";
    for (const std::string& file : report.kept)
        text += fmt::format("    {}\n", file);
    return text;
}

// What a recovery is about to do. `rehearsal` is how long it took to find out, which is mostly
// reading: the recovery reads the same again.
std::string plan_text(const recovery_report& report, std::chrono::duration<double> rehearsal) {
    if (report.state != found::torn_tail)
        return "The journal was closed cleanly: there is nothing to recover.\n\n";
    return torn_plan(report) +
           fmt::format("\nReading {} bytes took {:.1f} s; recovery takes about as long.\n\n",
                       report.bytes_read, rehearsal.count());
}

std::string torn_text(const recovery_report& report) {
    std::string text =
        fmt::format("cut        {} at byte {}, before sequence {}\n",
                    segment_file(report.cut.ordinal), report.cut.offset, report.cut_sequence);
    for (const std::string& file : report.kept)
        text += fmt::format("kept       {}\n", file);
    return text;
}

std::string to_text(const recovery_report& report) {
    // A rehearsal has said where it would cut.
    std::string text =
        report.state == found::torn_tail && !report.dry_run ? torn_text(report) : std::string{};
    for (const std::string& notice : report.notices)
        text += fmt::format("notice     {}\n", notice);
    text += fmt::format(
        "read       {} bytes in {} of {} segments, {} bytes {}\n"
        "events     {}; the next one gets sequence {}\n"
        "durable    at least {} of them before this\n",
        report.bytes_read, report.segments_read, report.segments, report.bytes_rewritten,
        report.dry_run ? "to be written again" : "written again", report.next_sequence,
        report.next_sequence, report.durable);
    text += report.dry_run ? "dry run: nothing was changed\n"
                           : "the journal is whole and closed; all of it is on disk\n";
    return text;
}

}  // namespace

exit_code recover_command(const recover_command_options& options) {
    const auto begin = std::chrono::steady_clock::now();
    const auto say_plan = [&](const recovery_report& plan) {
        put(plan_text(plan, std::chrono::steady_clock::now() - begin));
        (void)finish_output(success);
    };
    recover_options how{.dry_run = options.dry_run,
                        .allow_network_file_system = options.allow_network_file_system};
    if (!options.json)
        how.plan = say_plan;
    const auto report = recover(options.directory, how);
    if (!report)
        return complain(report.error());
    if (options.json)
        put_json(recovery_json(*report, options.directory));
    else
        put(to_text(*report));
    return success;
}

}  // namespace pawl::cli
