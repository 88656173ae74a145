#include "terminal/output.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <pawl/journal/journal.hpp>

namespace pawl::cli {

namespace {

nlohmann::ordered_json to_json(const segment_info& segment) {
    nlohmann::ordered_json json{
        {"ordinal", segment.ordinal}, {"epoch", fmt::format("{:016x}", segment.epoch)},
        {"bytes", segment.bytes},     {"created_ns", segment.created_ns},
        {"sealed", segment.sealed},   {"end", segment.end}};
    if (segment.sealed) {
        json["first_sequence"] = segment.first_sequence;
        json["end_sequence"] = segment.end_sequence;
    }
    return json;
}

nlohmann::ordered_json to_json(const journal_info& journal,
                               const std::filesystem::path& directory) {
    nlohmann::ordered_json json{{"directory", directory.string()},
                                {"id", id_text(journal.id)},
                                {"origin", id_text(journal.origin)},
                                {"format_version", journal.format_version},
                                {"created_ns", journal.created_ns},
                                {"segment_bytes", journal.segment_bytes},
                                {"state", journal.state},
                                {"locked", journal.locked},
                                {"owner", journal.owner},
                                {"heartbeat_ns", journal.heartbeat_ns},
                                {"published", journal.published},
                                {"durable", journal.durable},
                                {"segments", nlohmann::ordered_json::array()}};
    for (const segment_info& segment : journal.segments)
        json["segments"].push_back(to_json(segment));
    return json;
}

std::string to_text(const segment_info& segment) {
    const std::string_view end = segment.end.empty() ? std::string_view{"-"} : segment.end;
    const std::string sequences =
        segment.sealed
            ? fmt::format("{} events from {}", segment.end_sequence - segment.first_sequence,
                          segment.first_sequence)
            : std::string{"not sealed"};
    return fmt::format("{:>10}  {:016x}  {:>11}  {}  {:<6}  {}\n", segment.ordinal, segment.epoch,
                       segment.bytes, time_text(segment.created_ns), end, sequences);
}

std::string to_text(const journal_info& journal, const std::filesystem::path& directory) {
    std::string text = fmt::format(
        "journal        {}\n"
        "id             {}\n"
        "format         {}\n"
        "created        {}\n"
        "segment bytes  {}\n"
        "state          {}{}\n",
        directory.string(), id_text(journal.id), journal.format_version,
        time_text(journal.created_ns), journal.segment_bytes, journal.state,
        journal.locked ? ", a writer holds it" : "");
    if (journal.origin != journal.id)
        text += fmt::format("a copy of      {}\n", id_text(journal.origin));
    if (!journal.owner.empty())
        text += fmt::format("last writer    {}\n", journal.owner);
    if (journal.heartbeat_ns != 0)
        text += fmt::format("heartbeat      {}\n", time_text(journal.heartbeat_ns));
    text += fmt::format(
        "published      at least {} events\n"
        "durable        at least {} events\n\n"
        "   segment  epoch             bytes        created                         end     "
        "holds\n",
        journal.published, journal.durable);
    for (const segment_info& segment : journal.segments)
        text += to_text(segment);
    return text;
}

}  // namespace

exit_code info(const info_options& options) {
    const auto journal = inspect(options.directory);
    if (!journal)
        return complain(journal.error());
    if (options.json)
        put_json(to_json(*journal, options.directory));
    else
        put(to_text(*journal, options.directory));
    return success;
}

}  // namespace pawl::cli
