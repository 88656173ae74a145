// pawl-exchange: a small exchange over a Pawl journal.
#include "engine.hpp"
#include "subcommands.hpp"

#include <CLI/CLI.hpp>

#include <pawl/replay/tool_main.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace {

template <class Options>
CLI::App* subcommand(CLI::App& app, const std::string& name, const std::string& description,
                     Options& options) {
    CLI::App* command = app.add_subcommand(name, description);
    command->add_flag("--json", options.json, "machine-readable output");
    return command;
}

}  // namespace

int main(int argc, char** argv) {
    // Listed here for --help, and handed on with all their arguments.
    const auto folds = pawl::tool_commands();
    if (argc > 1 && std::ranges::find(folds, std::string_view{argv[1]},
                                      &pawl::tool_command::name) != folds.end())
        return pawl::tool_main<exchange::engine>(argc, argv);
    CLI::App app{"A small exchange whose every event is in a Pawl journal", "pawl-exchange"};
    app.require_subcommand(1);

    exchange::run_options run;
    auto* run_command =
        subcommand(app, "run", "Take commands, continuing where the journal ends", run);
    run_command->add_option("DIR", run.directory, "the journal")->required();
    run_command
        ->add_option("--commands", run.commands, "commands in all, with those of earlier runs")
        ->required();
    run_command
        ->add_option("--seed", run.seed, "which clients; continue with the one you began with")
        ->capture_default_str();
    run_command
        ->add_option("--sessions", run.sessions,
                     "clients' threads; continue with as many as you began with")
        ->check(CLI::Range(1, int{exchange::engine::sessions}))
        ->capture_default_str();
    run_command
        ->add_option("--sent-again", run.sent_again,
                     "how many of its last commands each client sends again when it continues")
        ->capture_default_str();
    run_command
        ->add_option("--segment-bytes", run.segment_bytes, "size of a new journal's segments")
        ->capture_default_str();
    run_command
        ->add_option("--snapshot-every", run.snapshot_every, "events from one snapshot to the next")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    run_command->add_option("--day-ends", run.day_ends,
                            "make half of the limit orders day orders that expire then, at a time "
                            "such as 2026-11-28T16:30:00");
    run_command->add_option("--fills", run.fills,
                            "send fills to this file, one per line, continuing where it ends");

    for (const pawl::tool_command& each : folds)
        app.add_subcommand(std::string{each.name}, std::string{each.description});

    exchange::drop_copy_options drop_copy;
    auto* drop_copy_command = app.add_subcommand(
        "drop-copy", "Print each durable trade, continuing where the last one stopped");
    drop_copy_command->add_option("DIR", drop_copy.directory, "the journal")->required();
    drop_copy_command->add_option("--name", drop_copy.name, "of the subscription")
        ->capture_default_str();
    drop_copy_command->add_flag("--follow", drop_copy.follow, "wait for more");

    exchange::views_options views;
    auto* views_command =
        subcommand(app, "views", "Keep orders, candles and positions in an SQLite database", views);
    views_command->add_option("DIR", views.directory, "the journal")->required();
    views_command->add_option("DB", views.database, "the database")->required();
    auto* follow = views_command->add_flag("--follow", views.follow, "wait for more");
    views_command
        ->add_flag("--check", views.check, "compare the database with a fold of the journal")
        ->excludes(follow);

    exchange::lobster_options lobster;
    auto* lobster_command =
        subcommand(app, "lobster",
                   "Journal NASDAQ messages and hold the book against the published one", lobster);
    lobster_command->add_option("MESSAGES", lobster.messages, "LOBSTER's message file")->required();
    lobster_command->add_option("ORDERBOOK", lobster.rows, "LOBSTER's orderbook file")->required();
    lobster_command->add_option("--journal", lobster.journal, "the journal to record them in")
        ->required();

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& wrong) {
        constexpr int wrong_usage = 2;
        return app.exit(wrong) == 0 ? 0 : wrong_usage;
    }
    if (*run_command)
        return exchange::run(run);
    if (*drop_copy_command)
        return exchange::drop_copy(drop_copy);
    return *views_command ? exchange::views(views) : exchange::lobster(lobster);
}
