#include "terminal/output.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <pawl/journal/journal.hpp>

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

nlohmann::ordered_json to_json(const recovery_report& report,
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

std::string torn_text(const recovery_report& report) {
    const bool dry = report.dry_run;
    std::string text = fmt::format(
        "found      a torn tail: the last writer did not close the journal\n"
        "{}  {:010}.seg at byte {}, before sequence {}\n",
        dry ? "would cut" : "cut      ", report.cut.ordinal, report.cut.offset,
        report.cut_sequence);
    if (report.lost_about == 0)
        text += "lost       no known event\n";
    else
        text += fmt::format(
            "lost       about {} events, published and not on disk; none of them was acknowledged "
            "as durable\n",
            report.lost_about);
    if (report.torn_bytes != 0)
        text += fmt::format(
            "torn       {} bytes after the cut; they stay where they are, after the end of the "
            "segment\n",
            report.torn_bytes);
    for (const std::string& file : report.kept)
        text += fmt::format("{} {}\n", dry ? "would keep" : "kept      ", file);
    return text;
}

std::string to_text(const recovery_report& report) {
    std::string text = report.state == found::torn_tail
                           ? torn_text(report)
                           : "found      a journal that was closed cleanly; nothing to recover\n";
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
    const auto report = recover(options.directory,
                                {.dry_run = options.dry_run,
                                 .allow_network_file_system = options.allow_network_file_system});
    if (!report)
        return complain(report.error());
    if (options.json)
        put_json(to_json(*report, options.directory));
    else
        put(to_text(*report));
    return success;
}

}  // namespace pawl::cli
