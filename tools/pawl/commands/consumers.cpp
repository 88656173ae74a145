#include "commands/commands.hpp"
#include "events/log_end.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/cursor.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl::cli {

namespace {

// Whether the journal lacks the event that the consumer has handled last.
bool has_diverged(const std::filesystem::path& directory, const consumer_info& consumer) {
    const auto there = cursor::open(
        directory,
        {.from = from_point{.point = consumer.position.point}, .allow_network_file_system = true});
    return !there && there.error().code == errc::diverged;
}

struct listed_consumer {
    consumer_info info;
    bool diverged = false;
};

nlohmann::ordered_json to_json(const listed_consumer& listed, const log_end& end) {
    const consumer_info& consumer = listed.info;
    const lag behind = lag_of(consumer.position.point.next, consumer.position.event_ns, end);
    nlohmann::ordered_json json{{"name", consumer.name},
                                {"selection", consumer.selection},
                                {"next_sequence", consumer.position.point.next},
                                {"lag_events", behind.events},
                                {"lag_ns", nullptr},
                                {"committed_ns", consumer.committed_ns},
                                {"holds_from", consumer.holds_from},
                                {"held", consumer.held},
                                {"diverged", listed.diverged},
                                {"owner", consumer.owner}};
    if (behind.ns)
        json["lag_ns"] = *behind.ns;
    return json;
}

std::string to_text(const listed_consumer& listed, const log_end& end) {
    const consumer_info& consumer = listed.info;
    const lag behind = lag_of(consumer.position.point.next, consumer.position.event_ns, end);
    return fmt::format(
        "consumer   {}\n"
        "reads      {}\n"
        "position   sequence {}, committed {}\n"
        "lag        {}\n"
        "holds      events from sequence {} on\n"
        "owner      {}{}\n",
        consumer.name, consumer.selection.empty() ? "(not said)" : consumer.selection,
        consumer.position.point.next, time_text(consumer.committed_ns),
        listed.diverged ? std::string{"unknown: the position is not of this log"}
                        : lag_text(behind),
        consumer.holds_from, consumer.held ? "" : "none now; the last was ",
        owner_text(consumer.owner));
}

exit_code put_list(const consumer_list& list, const log_end& end,
                   const consumers_options& options) {
    std::vector<listed_consumer> listed;
    listed.reserve(list.consumers.size());
    for (const consumer_info& each : list.consumers)
        listed.push_back({each, has_diverged(options.directory, each)});
    if (options.json) {
        nlohmann::ordered_json json{{"directory", options.directory.string()},
                                    {"next_sequence", end.next},
                                    {"consumers", nlohmann::ordered_json::array()},
                                    {"unreadable", nlohmann::ordered_json::array()}};
        for (const listed_consumer& each : listed)
            json["consumers"].push_back(to_json(each, end));
        for (const unreadable_consumer& each : list.unreadable)
            json["unreadable"].push_back({{"name", each.name}, {"error", error_json(each.why)}});
        put_json(json);
    } else {
        std::string_view between;
        for (const listed_consumer& each : listed) {
            put(between);
            put(to_text(each, end));
            between = "\n";
        }
    }
    for (const unreadable_consumer& each : list.unreadable) {
        complain(each.why.message());
        complain(
            fmt::format("nothing is pruned until this consumer is dropped: pawl consumers "
                        "drop {} {}",
                        options.directory.string(), each.name));
    }
    bool any_diverged = false;
    for (const listed_consumer& each : listed) {
        if (!each.diverged)
            continue;
        any_diverged = true;
        complain(fmt::format(
            "diverged: consumer {} has handled events up to sequence {} that are not those of this "
            "journal, which ends at {}: an older copy of the journal, or another one, was put in "
            "its place",
            each.info.name, each.info.position.point.next, end.next));
    }
    return list.unreadable.empty() && !any_diverged ? success : failure;
}

}  // namespace

exit_code consumers(const consumers_options& options) {
    const auto list = list_consumers(options.directory);
    if (!list)
        return complain(list.error());
    const auto end = end_of_log(options.directory);
    if (!end)
        return complain(end.error());
    return put_list(*list, *end, options);
}

exit_code drop_consumer_command(const drop_consumer_options& options) {
    const auto dropped = drop_consumer(options.directory, options.name);
    if (!dropped) {
        complain(dropped.error().message());
        return exit_code_of(dropped.error().code);
    }
    if (options.json)
        put_json({{"directory", options.directory.string()}, {"dropped", options.name}});
    else
        put(fmt::format("dropped  {}; it holds back nothing any more\n", options.name));
    return success;
}

}  // namespace pawl::cli
