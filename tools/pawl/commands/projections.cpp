#include "commands/commands.hpp"
#include "events/log_end.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <pawl/sqlite/projection_catalog.hpp>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::cli {

namespace {

// Nothing if the journal cannot be read, whose absence does not matter to the database, or has lost
// events that the database shows.
std::optional<lag> lag_behind_journal(const projection_info& of) {
    const auto end = end_of_log(of.journal);
    if (!end || of.next > end->next)
        return std::nullopt;
    return lag_of(of.next, of.event_ns, *end);
}

nlohmann::ordered_json to_json(const projection_info& of) {
    const auto behind = lag_behind_journal(of);
    nlohmann::ordered_json json{{"name", of.name},
                                {"version", of.version},
                                {"state", to_string(of.state)},
                                {"journal", of.journal.string()},
                                {"consumer", of.consumer},
                                {"next_sequence", of.next},
                                {"applied", of.applied},
                                {"lag_events", nullptr},
                                {"lag_ns", nullptr},
                                {"skipped", of.skipped},
                                {"stopped", nullptr},
                                {"parked", nlohmann::ordered_json::array()}};
    if (behind)
        json["lag_events"] = behind->events;
    if (behind && behind->ns)
        json["lag_ns"] = *behind->ns;
    if (!of.stopped.empty())
        json["stopped"] = of.stopped;
    for (const parked_event& each : of.parked) {
        nlohmann::ordered_json one{
            {"sequence", each.sequence}, {"key", each.key}, {"why", nullptr}};
        if (!each.why.empty())
            one["why"] = each.why;
        json["parked"].push_back(std::move(one));
    }
    return json;
}

// One line for each key: its first event, which failed, and how many follow it.
std::string parked_text(const std::vector<parked_event>& parked) {
    std::string text;
    std::set<std::string> seen;
    for (const parked_event& each : parked) {
        if (!seen.insert(each.key).second)
            continue;
        const auto events = std::ranges::count(parked, each.key, &parked_event::key);
        text += fmt::format("parked      key {}: {} events from sequence {} on: {}\n", each.key,
                            events, each.sequence, each.why);
    }
    return text;
}

std::string to_text(const projection_info& of) {
    const auto behind = lag_behind_journal(of);
    std::string text = fmt::format(
        "projection  {}, version {}, {}\n"
        "position    sequence {}, {} events applied, {} left out\n"
        "lag         {}\n"
        "journal     {}, as consumer {}\n",
        of.name, of.version, to_string(of.state), of.next, of.applied, of.skipped,
        behind ? lag_text(*behind) : "unknown: the journal cannot be read, or ends before that",
        of.journal.string(), of.consumer);
    if (!of.stopped.empty())
        text += fmt::format("stopped     {}\n", of.stopped);
    return text + parked_text(of.parked);
}

exit_code report_parked(const parked_options& options, const result<std::uint64_t>& done,
                        const char* member, const char* sentence) {
    if (!done)
        return complain(done.error());
    if (options.json)
        put_json({{"database", options.database.string()},
                  {"name", options.name},
                  {"key", options.key},
                  {member, *done}});
    else
        put(fmt::format("{} events of {}, key {}, {}\n", *done, options.name, options.key,
                        sentence));
    return success;
}

}  // namespace

exit_code projections(const projections_options& options) {
    const auto all = list_projections(options.database);
    if (!all)
        return complain(all.error());
    nlohmann::ordered_json json{{"database", options.database.string()},
                                {"projections", nlohmann::ordered_json::array()}};
    std::string_view between;
    for (const projection_info& each : *all) {
        if (options.json) {
            json["projections"].push_back(to_json(each));
        } else {
            put(between);
            put(to_text(each));
            between = "\n";
        }
    }
    if (options.json)
        put_json(json);
    return success;
}

exit_code retry_parked_command(const parked_options& options) {
    return report_parked(options, ask_for_retry(options.database, options.name, options.key),
                         "to_retry", "will be retried when the projector starts");
}

exit_code drop_parked_command(const parked_options& options) {
    return report_parked(options, drop_parked_events(options.database, options.name, options.key),
                         "left_out", "are left out from now on");
}

exit_code drop_projection_command(const drop_projection_options& options) {
    const auto done = drop_projection(options.database, options.name, options.version);
    if (!done)
        return complain(done.error());
    if (options.json)
        put_json({{"database", options.database.string()},
                  {"dropped", options.name},
                  {"version", options.version}});
    else
        put(fmt::format("dropped  {}, version {}, its tables and its consumer\n", options.name,
                        options.version));
    return success;
}

}  // namespace pawl::cli
