#include "output.hpp"
#include "progress.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <pawl/journal/journal.hpp>

namespace pawl::cli {

namespace {

nlohmann::ordered_json to_json(const verify_report& report,
                               const std::filesystem::path& directory) {
    nlohmann::ordered_json json{{"directory", directory.string()},
                                {"sound", report.sound()},
                                {"segments", report.segments},
                                {"events", report.events},
                                {"bytes", report.bytes},
                                {"first_sequence", report.first_sequence},
                                {"next_sequence", report.next_sequence},
                                {"end", report.end},
                                {"torn_bytes", report.torn_bytes},
                                {"findings", nlohmann::ordered_json::array()}};
    for (const finding& found : report.findings) {
        nlohmann::ordered_json entry = error_json(found.what);
        entry["damage"] = found.damage;
        json["findings"].push_back(std::move(entry));
    }
    return json;
}

std::string to_text(const verify_report& report) {
    std::string text = fmt::format(
        "segments  {}\n"
        "events    {}, sequence {} up to {}\n"
        "bytes     {}\n"
        "end       {}\n",
        report.segments, report.events, report.first_sequence, report.next_sequence, report.bytes,
        report.end);
    if (report.end == "torn")
        text += fmt::format(
            "          a torn tail of {} bytes, which a crash leaves and the next open for "
            "writing, or\n"
            "          pawl recover, cuts at sequence {}; no damage\n",
            report.torn_bytes, report.next_sequence);
    if (!report.sound())
        return text + "DAMAGED\n";
    return text + (report.findings.empty() ? "sound\n" : "no damage, but see the notices\n");
}

}  // namespace

exit_code verify_command(const verify_command_options& options) {
    result<verify_report> report;
    {
        progress line;
        report = verify(options.directory, {.progress = [&](std::uint64_t done, std::uint64_t all) {
                            line.show(done, all);
                        }});
    }
    if (!report)
        return complain(report.error());
    if (options.json)
        put_json(to_json(*report, options.directory));
    else
        put(to_text(*report));
    for (const finding& found : report->findings)
        complain((found.damage ? "" : "notice: ") + found.what.message());
    return report->findings.empty() ? success : failure;
}

}  // namespace pawl::cli
