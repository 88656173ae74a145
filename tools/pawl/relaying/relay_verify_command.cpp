#include "relaying/nats_arguments.hpp"
#include "terminal/interrupt.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <relay/stream_audit.hpp>

#include <string>

namespace pawl::cli {

namespace {

[[nodiscard]] nlohmann::ordered_json to_json(const relay::stream_audit& audit,
                                             const replica_command_options& options) {
    nlohmann::ordered_json json{{"directory", options.directory.string()},
                                {"stream", options.from.stream},
                                {"sound", audit.faults.empty()},
                                {"first_sequence", audit.first},
                                {"next_sequence", audit.next},
                                {"journal_next_sequence", audit.journal_next},
                                {"faults", nlohmann::ordered_json::array()}};
    for (const relay::faulty_events& each : audit.faults)
        json["faults"].push_back({{"fault", to_string(each.fault)},
                                  {"first_sequence", each.first},
                                  {"next_sequence", each.end}});
    return json;
}

}  // namespace

exit_code relay_verify_command(const replica_command_options& options) {
    catch_interrupts();
    const auto audit =
        relay::audit_stream(nats_options_of(options.from),
                            {.directory = options.directory,
                             .allow_network_file_system = options.allow_network_file_system,
                             .stop = interrupted});
    if (!audit)
        return complain(audit.error());
    for (const relay::faulty_events& each : audit->faults)
        complain(fmt::format("{}: sequence {} up to {} of the stream", to_string(each.fault),
                             each.first, each.end));
    if (!audit->faults.empty())
        complain(
            "a stream cannot be repaired in its middle; relay the journal to one with a new name");
    if (options.json) {
        put_json(to_json(*audit, options));
    } else {
        put(fmt::format("compared   sequence {} up to {}, by content hash\n", audit->first,
                        audit->next));
        if (audit->journal_next > audit->next)
            put(fmt::format("to come    sequence {} up to {}: the relay publishes them\n",
                            audit->next, audit->journal_next));
        put(audit->faults.empty() ? "the stream holds the same events\n" : "NOT THE SAME EVENTS\n");
    }
    return audit->faults.empty() ? success : failure;
}

}  // namespace pawl::cli
