#include "relaying/nats_arguments.hpp"
#include "terminal/interrupt.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <relay/nats_sink.hpp>
#include <relay/relay.hpp>

#include <pawl/journal/journal.hpp>

#include <algorithm>
#include <string>

namespace pawl::cli {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 30s;  // with --once, of servers that cannot be reached

// Names of consumers have small letters, digits, _, - and a dot.
[[nodiscard]] std::string checkpoint_of(const std::string& stream) {
    std::string name = "relay." + stream;
    std::ranges::transform(name, name.begin(), [](unsigned char c) {
        if (c >= 'A' && c <= 'Z')
            return static_cast<char>(c - 'A' + 'a');
        const bool is_fine =
            (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
        return is_fine ? static_cast<char>(c) : '_';
    });
    return name;
}

void put_report(const relay::relay_report& report, const relay_command_options& options) {
    if (options.json) {
        put_json({{"directory", options.directory.string()},
                  {"stream", options.to.stream},
                  {"published", report.published},
                  {"next_sequence", report.next},
                  {"opened", report.opened}});
        return;
    }
    put(
        fmt::format("published  {} messages\n"
                    "stream     {} holds the events before sequence {}\n",
                    report.published, options.to.stream, report.next));
}

}  // namespace

exit_code relay_command(const relay_command_options& options) {
    const auto journal = inspect(options.directory, {.pass_over_faults = true});
    if (!journal)
        return complain(journal.error());
    relay::nats_options nats = nats_options_of(options.to);
    nats.replicas = options.replicas;
    relay::nats_sink to{nats, {.origin = journal->origin, .segment_bytes = journal->segment_bytes}};
    catch_interrupts();
    const auto report = relay::run_relay(
        to, {.directory = options.directory,
             .checkpoint = checkpoint_of(options.to.stream),
             .selection = "all, for stream " + options.to.stream + " in NATS",
             .show = options.published ? visibility::published : visibility::durable,
             .until_end = options.once,
             .give_up = options.once ? patience : 0s,
             .allow_network_file_system = options.allow_network_file_system,
             .stop = interrupted,
             .on_failure = retry_notice{}});
    if (!report)
        return complain(report.error());
    put_report(*report, options);
    return success;
}

}  // namespace pawl::cli
