#include "commands/commands.hpp"
#include "terminal/log_records.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace pawl::cli {

namespace {

nlohmann::ordered_json to_json(const segment_info& segment) {
    nlohmann::ordered_json json{
        {"ordinal", segment.ordinal},
        {"epoch", fmt::format("{:016x}", segment.epoch)},
        {"bytes", segment.bytes},
        {"created_ns", segment.created_ns},
        {"sealed", segment.sealed},
        {"end", segment.end == segment_end_type::none ? "" : to_string(segment.end)}};
    if (segment.sealed) {
        json["first_sequence"] = segment.first_sequence;
        json["end_sequence"] = segment.end_sequence;
    }
    return json;
}

nlohmann::ordered_json to_json(const journal_info& journal, const log_records& records,
                               const std::filesystem::path& directory) {
    nlohmann::ordered_json json{{"directory", directory.string()},
                                {"id", id_text(journal.id)},
                                {"origin", id_text(journal.origin)},
                                {"format_version", journal.format_version},
                                {"created_ns", journal.created_ns},
                                {"segment_bytes", journal.segment_bytes},
                                {"first_sequence", journal.first_sequence},
                                {"state", to_string(journal.state)},
                                {"locked", journal.locked},
                                {"owner", journal.owner},
                                {"heartbeat_ns", journal.heartbeat_ns},
                                {"published", journal.published},
                                {"durable", journal.durable},
                                {"network_file_system", journal.network_file_system},
                                {"segments", nlohmann::ordered_json::array()}};
    for (const segment_info& segment : journal.segments)
        json["segments"].push_back(to_json(segment));
    json["faults"] = nlohmann::ordered_json::array();
    for (const error& fault : journal.faults)
        json["faults"].push_back(error_json(fault));
    add_json(json, records);
    return json;
}

std::string to_text(const segment_info& segment) {
    const std::string_view end =
        segment.end == segment_end_type::none ? "-" : to_string(segment.end);
    constexpr std::size_t to_the_second = 19;
    const std::string sequences =
        segment.sealed ? fmt::format("{:>9}  {:>14}", segment.end_sequence - segment.first_sequence,
                                     segment.first_sequence)
                       : std::string{"not sealed"};
    return fmt::format("{:>8}  {:>10}  {}  {:<6}  {}\n", segment.ordinal, segment.bytes,
                       time_text(segment.created_ns).substr(0, to_the_second), end, sequences);
}

// The number of events and their time span, read from the two ends of the log.
struct log_span {
    std::uint64_t events = 0;
    std::uint64_t first_ns = 0;
    std::uint64_t last_ns = 0;
};

std::optional<std::uint64_t> time_at(const std::filesystem::path& directory,
                                     decltype(cursor_options::from) from) {
    auto events = cursor::open(directory, {.from = from, .allow_network_file_system = true});
    const event* e = events ? events->next() : nullptr;
    return e == nullptr ? std::nullopt : std::optional{e->timestamp_ns()};
}

std::optional<log_span> span_of(const std::filesystem::path& directory,
                                sequence_number first_sequence) {
    const auto end =
        cursor::open(directory, {.from = from_end{}, .allow_network_file_system = true});
    if (!end)
        return std::nullopt;
    const std::uint64_t events = end->next_sequence();
    if (events == first_sequence)
        return log_span{.events = events};
    const auto first = time_at(directory, from_first{});
    const auto last = time_at(directory, from_sequence{events - 1});
    if (!first || !last)
        return std::nullopt;
    return log_span{events, *first, *last};
}

std::string heartbeat_text(const journal_info& journal) {
    using namespace std::chrono;
    const auto now = static_cast<std::uint64_t>(
        duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count());
    const std::uint64_t age_ms = (now - std::min(now, journal.heartbeat_ns)) / 1'000'000;
    if (age_ms < 10'000)
        return fmt::format("{} ms ago", age_ms);
    return fmt::format("{} s ago, at {}", age_ms / 1000, time_text(journal.heartbeat_ns));
}

std::string state_text(const journal_info& journal) {
    std::string text{to_string(journal.state)};
    text += journal.locked ? "; a writer holds it" : "; nobody holds it";
    if (!journal.locked && journal.state != journal_state::closed)
        text += ", the last writer did not close it";
    return text;
}

std::string to_text(const journal_info& journal, const std::optional<log_span>& span,
                    const log_records& records, const info_options& options) {
    std::string text = fmt::format(
        "journal    {}\n"
        "state      {}\n",
        options.directory.string(), state_text(journal));
    if (!journal.owner.empty())
        text += fmt::format("writer     {}\n", owner_text(journal.owner));
    if (journal.heartbeat_ns != 0)
        text += fmt::format("heartbeat  {}\n", heartbeat_text(journal));
    if (span) {
        const std::uint64_t pruned = journal.first_sequence;
        const std::uint64_t durable = std::min(journal.durable, span->events);
        text += fmt::format("events     {}, at least {} of them durable\n", span->events - pruned,
                            durable - std::min(durable, pruned));
        if (pruned != 0)
            text += fmt::format("pruned     the {} events before\n", pruned);
        if (span->events != pruned)
            text += fmt::format("from       {}\nto         {}\n", time_text(span->first_ns),
                                time_text(span->last_ns));
    } else {
        text += fmt::format(
            "events     at least {}; the ends of the log cannot be read, see pawl verify\n",
            journal.published);
    }
    text += fmt::format(
        "size       {} bytes in {} of {}\n"
        "created    {}\n"
        "id         {}, format {}\n",
        journal.segments.size() * journal.segment_bytes,
        counted(journal.segments.size(), "segment"), journal.segment_bytes,
        time_text(journal.created_ns), id_text(journal.id), journal.format_version);
    if (journal.origin != journal.id)
        text += fmt::format("a copy of  {}\n", id_text(journal.origin));
    text += to_text(records);
    if (!options.segments)
        return text;
    text += "\n segment       bytes  created              end        events  from sequence\n";
    for (const segment_info& segment : journal.segments)
        text += to_text(segment);
    return text;
}

}  // namespace

exit_code info(const info_options& options) {
    const auto journal = inspect(options.directory, {.pass_over_faults = true});
    if (!journal)
        return complain(journal.error());
    const log_records records = read_records(options.directory);
    if (options.json)
        put_json(to_json(*journal, records, options.directory));
    else
        put(to_text(*journal, span_of(options.directory, journal->first_sequence), records,
                    options));
    if (!journal->network_file_system.empty())
        complain(
            fmt::format("notice: the journal is on {}; what this shows of a writer on "
                        "another machine may be wrong",
                        journal->network_file_system));
    exit_code code = success;
    for (const error& fault : journal->faults) {
        complain(fault.message());
        code = exit_code_of(fault.code);
    }
    if (code != success) {
        complain("The segments named above are left out here; `pawl verify` lists all damage.");
        return code;
    }
    return records.failure ? complain(*records.failure) : success;
}

}  // namespace pawl::cli
