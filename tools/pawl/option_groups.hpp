// The options that several commands share, and how help shows them.
#pragma once

#include "commands/commands.hpp"

#include <CLI/CLI.hpp>

#include <cstddef>
#include <map>
#include <sstream>
#include <string>

namespace pawl::cli {

// Help fits a terminal of 80 columns; CLI11 itself does not break descriptions.
class narrow_formatter : public CLI::Formatter {
  public:
    narrow_formatter() { column_width(name_columns); }
    std::string make_option_desc(const CLI::Option* option) const override {
        std::string text;
        std::size_t column = 0;
        std::istringstream words{option->get_description()};
        for (std::string word; words >> word;) {
            const bool fits = column + 1 + word.size() <= all_columns - name_columns;
            text += column == 0 ? "" : fits ? " " : "\n";
            column = (column == 0 || !fits ? 0 : column + 1) + word.size();
            text += word;
        }
        return text;
    }

  private:
    static constexpr std::size_t name_columns = 29;
    static constexpr std::size_t all_columns = 79;
};

// An empty argument is most often an unset shell variable: it is wrong usage for every option of
// every command, and never means all or none.
inline void refuse_empty_arguments(CLI::App& app) {
    const CLI::Validator refuse{[](std::string& text) {
                                    return text.empty() ? std::string{"must not be empty"}
                                                        : std::string{};
                                },
                                ""};
    for (CLI::Option* option : app.get_options({})) {
        if (option->get_items_expected_max() != 0)
            option->transform(refuse);
    }
    for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
        refuse_empty_arguments(*command);
}

template <class Options>
CLI::App* add_command(CLI::App& app, const char* name, const char* description, const char* footer,
                      Options& options) {
    CLI::App* command = app.add_subcommand(name, description)->footer(footer);
    CLI::Option* place = nullptr;
    if constexpr (requires { options.database; })
        place = command->add_option("DB", options.database, "SQLite database of projections");
    else
        place = command->add_option("DIR", options.directory, "Directory of the journal");
    place->required()->type_name("");
    return command;
}

template <class Options>
void add_json(CLI::App* command, Options& options) {
    command->add_flag("--json", options.json, "Machine-readable standard output");
}

template <class Options>
void add_durable(CLI::App* command, Options& options) {
    command->add_flag("--durable", options.durable,
                      "Only events that are known to be on stable storage");
}

template <class Options>
void add_allow(CLI::App* command, Options& options) {
    command->add_flag("--allow-network-file-system", options.allow_network_file_system,
                      "Also on FUSE, NFS and the like: for a local file system, or a journal that "
                      "nobody writes");
}

// CLI11 itself parses -1 as the greatest number.
inline CLI::Validator at_least_one() {
    return CLI::Validator{[](const std::string& text) {
                              return text.starts_with('-') || text == "0" ? "must be at least 1"
                                                                          : std::string{};
                          },
                          ""};
}
inline CLI::Validator not_negative() {
    return CLI::Validator{[](const std::string& text) {
                              return text.starts_with('-') ? "must not be negative" : std::string{};
                          },
                          ""};
}

inline CLI::Validator a_time() {
    return CLI::Validator{[](const std::string& text) {
                              return is_time(text) ? std::string{}
                                                   : "is no time: 2026-11-23T14:02:00.5, or 14:02";
                          },
                          ""};
}

// The options that choose events.
inline void add_selection(CLI::App* command, selection& chosen) {
    command->add_option("--from", chosen.from, "Sequence to begin at")
        ->check(not_negative())
        ->type_name("SEQUENCE");
    command->add_option("--limit", chosen.limit, "Stop after this many events")
        ->check(not_negative())
        ->type_name("COUNT");
    command->add_option("--stream", chosen.stream, "Only this stream: its number, or its name")
        ->type_name("STREAM");
    command->add_option("--tag", chosen.tag, "Only events that name this tag: number or name")
        ->type_name("TAG");
    command->add_option("--type", chosen.type, "Only this event type: its name, or its number")
        ->type_name("TYPE");
    command->add_option("--since", chosen.since, "Only events from this time on (UTC)")
        ->check(a_time())
        ->type_name("TIME");
    command->add_option("--until", chosen.until, "Only events before this time (UTC)")
        ->check(a_time())
        ->type_name("TIME");
    command->add_option("--where", chosen.where, "Only events for which this SQL expression holds")
        ->type_name("EXPRESSION");
}

// The options that choose events by their place in the log.
inline void add_places(CLI::App* command, selection& chosen) {
    CLI::Option* last =
        command->add_option("--last", chosen.last, "The last so many of the events selected")
            ->check(at_least_one())
            ->excludes("--from")
            ->excludes("--limit")
            ->type_name("COUNT");
    CLI::Option* around =
        command->add_option("--around", chosen.around, "The event of this sequence and those near")
            ->check(not_negative())
            ->excludes(last)
            ->excludes("--from")
            ->excludes("--limit")
            ->type_name("SEQUENCE");
    command->add_option("--context", chosen.context, "With --around: so many before and after it")
        ->capture_default_str()
        ->check(not_negative())
        ->needs(around)
        ->type_name("COUNT");
    command->add_flag("--reverse", chosen.reverse, "The newest event first; lines of JSON only")
        ->excludes(around);
}

// The options that name a stream in NATS; returns that of the servers.
inline CLI::Option* add_stream(CLI::App* command, stream_arguments& chosen) {
    CLI::Option* servers =
        command->add_option("--nats", chosen.servers, "Servers of NATS, separated by commas")
            ->delimiter(',')
            ->allow_extra_args(false)
            ->type_name("URL");
    CLI::Option* stream = command->add_option("--stream", chosen.stream, "The stream in JetStream")
                              ->type_name("NAME");
    servers->needs(stream);
    command
        ->add_option("--credentials", chosen.credentials, "File with the token and key of a user")
        ->needs(servers)
        ->type_name("FILE");
    return servers;
}

inline CLI::Option* add_format(CLI::App* command, row_format& format) {
    static const std::map<std::string, row_format> formats{
        {"json", row_format::json}, {"table", row_format::table}, {"csv", row_format::csv}};
    return command->add_option("--format", format, "json (lines), table or csv")
        ->transform(CLI::CheckedTransformer{formats}.description(""))
        ->type_name("FORMAT");
}

}  // namespace pawl::cli
