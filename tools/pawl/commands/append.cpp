#include "append/event_appender.hpp"
#include "commands/commands.hpp"
#include "terminal/interrupt.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iostream>
#include <string>

namespace pawl::cli {

namespace {

result<append_rules> rules_of(const append_options& options) {
    append_rules rules{.type = options.type,
                       .type_number = options.type_number,
                       .stream = options.stream,
                       .stream_field = options.stream_field,
                       .batch = options.batch,
                       .expect = options.expect};
    if (!options.schema.empty()) {
        auto schemas = schema_source::open(options.schema);
        if (!schemas)
            return std::unexpected(std::move(schemas.error()));
        rules.schemas.emplace(std::move(*schemas));
    }
    return rules;
}

// Takes standard input. Names the line that cannot be appended.
result<void> take_lines(event_appender& to) {
    std::ios::sync_with_stdio(false);
    std::string line;
    std::uint64_t number = 0;
    while (!interrupted() && std::getline(std::cin, line)) {
        ++number;
        if (line.find_first_not_of(" \t\r") == std::string::npos)
            continue;
        if (auto taken = to.take(line); !taken) {
            error& why = taken.error();
            why.detail =
                fmt::format("line {}{}{}", number, why.detail.empty() ? "" : ", ", why.detail);
            return taken;
        }
    }
    auto done = to.finish();
    if (!done && !done.error().detail.empty())
        done.error().detail = fmt::format("line {}: {}", number, done.error().detail);
    return done;
}

void report(const event_appender& done, bool as_json) {
    const std::uint64_t next = done.next_sequence();
    if (as_json)
        put_json({{"events", done.events()},
                  {"first_sequence", next - done.events()},
                  {"next_sequence", next}});
    else
        put(fmt::format("appended {}; the next sequence is {}\n", counted(done.events(), "event"),
                        next));
}

}  // namespace

exit_code append(const append_options& options) {
    auto rules = rules_of(options);
    if (!rules)
        return complain(rules.error());
    auto log = writer::open(options.directory,
                            {.clock = clock_source::caller,
                             .allow_network_file_system = options.allow_network_file_system});
    if (!log)
        return complain(log.error());
    event_appender to{std::move(*log), std::move(*rules)};
    catch_interrupts();
    const auto taken = take_lines(to);
    if (!taken) {
        complain(taken.error());
        complain(fmt::format("{} events before it were appended", to.events()));
        if (auto closed = to.abandon(); !closed)
            complain(closed.error());
        return failure;
    }
    report(to, options.json);
    return finish_output(success);
}

}  // namespace pawl::cli
