// pawl-exchange: a small exchange over a Pawl journal.
#include "engine.hpp"
#include "subcommands.hpp"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

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

    exchange::state_options state;
    auto* state_command =
        subcommand(app, "state", "Print the books' fingerprint and where they came from", state);
    state_command->add_option("DIR", state.directory, "the journal")->required();
    state_command->add_flag("--full", state.full, "from event 0, without snapshots");

    exchange::as_of_options as_of;
    auto* as_of_command =
        subcommand(app, "as-of", "Print the books as they were at some place of the log", as_of);
    as_of_command->add_option("DIR", as_of.directory, "the journal")->required();
    as_of_command
        ->add_option("PLACE", as_of.place,
                     "a sequence, a time such as 2026-11-28T14:02:00, or one of the last day, as "
                     "14:02:00; in UTC")
        ->required();

    exchange::replay_check_options replay_check;
    auto* replay_check_command = subcommand(
        app, "replay-check", "Compare the books with those of another version", replay_check);
    replay_check_command->add_option("DIR", replay_check.directory, "the journal")->required();
    replay_check_command->add_option("MARKS", replay_check.marks, "the recording")->required();
    auto* record = replay_check_command->add_flag("--record", replay_check.record,
                                                  "make the recording, with this version");
    replay_check_command->add_option("--every", replay_check.every, "events between two marks")
        ->check(CLI::PositiveNumber)
        ->needs(record)
        ->capture_default_str();
    replay_check_command->add_option("--from", replay_check.from, "no marks before this event")
        ->needs(record);
    replay_check_command->add_option("--to", replay_check.to, "the last mark")->needs(record);

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
    if (*as_of_command)
        return exchange::as_of(as_of);
    if (*replay_check_command)
        return exchange::replay_check(replay_check);
    if (*drop_copy_command)
        return exchange::drop_copy(drop_copy);
    if (*views_command)
        return exchange::views(views);
    return *state_command ? exchange::state(state) : exchange::lobster(lobster);
}
