#include "command_line.hpp"

#include "manuals.hpp"
#include "option_groups.hpp"
#include "terminal/output.hpp"

#include <CLI/CLI.hpp>

#include <pawl/journal/detail/frame.hpp>
#include <pawl/journal/version.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>

namespace pawl::cli {

namespace {

// The options of all commands. `app` refers to the other members.
struct command_line {
    info_options info_asked;
    verify_command_options verify_asked;
    dump_options dump_asked;
    append_options append_asked;
    sql_options sql_asked;
    check_schema_options check_schema_asked;
    recover_command_options recover_asked;
    backup_options backup_asked;
    restore_options restore_asked;
    relay_command_options relay_asked;
    replica_command_options replica_asked;
    prune_command_options prune_asked;
    consumers_options consumers_asked;
    drop_consumer_options drop_consumer_asked;
    snapshot_command_options snapshot_asked;
    projections_options projections_asked;
    parked_options parked_asked;
    drop_projection_options drop_projection_asked;
    types_options types_asked;
    streams_options streams_asked;
    clock_options clock_asked;
    stat_options stat_asked;
    tail_options tail_asked;
    view_options view_asked;
    bundle_options bundle_asked;
    attest_options attest_asked;
    prove_options prove_asked;
    completion_options completion_asked;
    man_options man_asked;
    std::function<exit_code()> run;
    CLI::App app{"Inspects Pawl journals, checks them, and recovers them after a crash.", "pawl"};

    command_line();
    command_line(const command_line&) = delete;
    command_line& operator=(const command_line&) = delete;

  private:
    void add_dump();
    void add_append();
    void add_sql();
    void add_check_schema();
    void add_recover();
    void add_backup();
    void add_restore();
    void add_relay();
    void add_prune();
    void add_consumers();
    void add_snapshot();
    void add_projections();
    void add_counts();
    void add_stat();
    void add_tail();
    void add_view();
    void add_attest();
    void add_pages();
};

std::string version_text() {
    return "pawl " + std::string{version()} + "\njournal format " +
           std::to_string(detail::format_version) + "\nbuilt with " PAWL_BUILD;
}

command_line::command_line() {
    app.formatter(std::make_shared<narrow_formatter>());
    app.footer(manual);
    app.require_subcommand(1);
    app.set_version_flag("--version", version_text());
    app.failure_message([](const CLI::App* whole, const CLI::Error& problem) {
        const auto unknown = whole->remaining();
        const bool no_command = whole->get_subcommands().empty() && !unknown.empty();
        return "pawl: " +
               (no_command ? "there is no command '" + unknown.front() + "'"
                           : std::string{problem.what()}) +
               "; see pawl --help\n";
    });

    CLI::App* command =
        add_command(app, "info", "Show a journal's state and its writer", info_manual, info_asked);
    command->add_flag("--segments", info_asked.segments, "Also the table of segments");
    add_json(command, info_asked);
    command->callback([this] { run = [this] { return info(info_asked); }; });

    command = add_command(app, "verify", "Read every byte and list all damage", verify_manual,
                          verify_asked);
    command->add_flag("--deep", verify_asked.deep,
                      "Also streams across segments, stream heads and snapshots against the log");
    CLI::Option* chain =
        command->add_option("--chain", verify_asked.chain, "Also against this attestation")
            ->type_name("FILE");
    command->add_option("--public-key", verify_asked.public_key, "And its signature, with this key")
        ->needs(chain)
        ->type_name("FILE");
    add_json(command, verify_asked);
    command->callback([this] { run = [this] { return verify_command(verify_asked); }; });

    add_counts();
    add_dump();
    add_append();
    add_sql();
    add_check_schema();

    add_recover();
    add_backup();
    add_restore();
    add_relay();
    add_prune();
    add_consumers();
    add_snapshot();
    add_projections();
    add_stat();
    add_tail();
    add_view();
    add_attest();
    add_pages();
    refuse_empty_arguments(app);
}

// The commands that count events.
void command_line::add_counts() {
    CLI::App* command =
        add_command(app, "types", "List the event types and count them", types_manual, types_asked);
    add_json(command, types_asked);
    add_allow(command, types_asked);
    command->callback([this] { run = [this] { return types(types_asked); }; });

    command = add_command(app, "streams", "List the streams and count their events", streams_manual,
                          streams_asked);
    command
        ->add_option("--top", streams_asked.top, "Only so many: those with most events, most first")
        ->check(at_least_one())
        ->type_name("COUNT");
    command->add_option("--name", streams_asked.name, "Only those whose name matches this pattern")
        ->type_name("GLOB");
    add_json(command, streams_asked);
    add_allow(command, streams_asked);
    command->callback([this] { run = [this] { return streams(streams_asked); }; });

    command =
        add_command(app, "clock", "Say how good the time stamps are", clock_manual, clock_asked);
    command->add_flag("--reports", clock_asked.reports, "Also each report of the writer");
    add_json(command, clock_asked);
    add_allow(command, clock_asked);
    command->callback([this] { run = [this] { return clock_command(clock_asked); }; });
}

void command_line::add_dump() {
    CLI::App* command =
        add_command(app, "dump", "Write events as lines of JSON", dump_manual, dump_asked);
    add_selection(command, dump_asked.selected);
    add_places(command, dump_asked.selected);
    add_format(command, dump_asked.format);
    command->add_flag("--raw", dump_asked.raw, "Places, hashes, and payloads in hexadecimal");
    command
        ->add_flag("--exact", dump_asked.exact,
                   "Everything that a copy needs: also names and descriptions, payloads as base64")
        ->excludes("--raw");
    command->add_flag("--strings", dump_asked.strings,
                      "64-bit integers as strings, for JavaScript");
    command->add_flag("--defaults", dump_asked.defaults, "Also fields that an event leaves out");
    add_durable(command, dump_asked.selected);
    add_allow(command, dump_asked.selected);
    command->add_flag_function(
        "--json", [](std::int64_t) {}, "Accepted, as everywhere; lines of JSON are the default");
    command->callback([this] {
        if (dump_asked.format != row_format::json && (dump_asked.raw || dump_asked.exact))
            throw CLI::ExcludesError(dump_asked.raw ? "--raw" : "--exact",
                                     "--format table and --format csv");
        if (dump_asked.selected.reverse &&
            (dump_asked.format != row_format::json || dump_asked.exact))
            throw CLI::ExcludesError("--reverse", "--exact, --format table and --format csv");
        run = [this] { return dump(dump_asked); };
    });
}

void command_line::add_append() {
    CLI::App* command =
        add_command(app, "append", "Append events from lines of JSON", append_manual, append_asked);
    command->add_option("--schema", append_asked.schema, "Schema file, or a journal with schemas")
        ->type_name("FILE");
    CLI::Option* type =
        command->add_option("--type", append_asked.type, "Each line is an event of this type")
            ->type_name("TYPE");
    command
        ->add_option("--type-number", append_asked.type_number,
                     "Its number, if the journal does not know it")
        ->check(not_negative())
        ->needs(type)
        ->type_name("NUMBER");
    CLI::Option* stream =
        command->add_option("--stream", append_asked.stream, "Stream of all events: number or name")
            ->type_name("STREAM");
    command
        ->add_option("--stream-field", append_asked.stream_field,
                     "Field of each event that holds its stream: a number or a name")
        ->excludes(stream)
        ->type_name("FIELD");
    command->add_option("--batch", append_asked.batch, "So many lines are one batch")
        ->check(at_least_one())
        ->type_name("COUNT");
    command
        ->add_option("--expect", append_asked.expect,
                     "Version of the stream before the first event")
        ->check(not_negative())
        ->needs(stream)
        ->type_name("VERSION");
    add_json(command, append_asked);
    add_allow(command, append_asked);
    command->callback([this] { run = [this] { return append(append_asked); }; });
}

void command_line::add_sql() {
    CLI::App* command = add_command(app, "sql", "Ask a journal in SQL", sql_manual, sql_asked);
    command->add_option("QUERY", sql_asked.query, "One statement; none: from standard input")
        ->type_name("");
    CLI::Option* format = add_format(command, sql_asked.format);
    command
        ->add_option("--attach", sql_asked.attached,
                     "Another journal, whose tables get this prefix")
        ->check(CLI::Validator{[](const std::string& text) {
                                   const std::size_t equals = text.find('=');
                                   return equals == 0 || equals >= text.size() - 1
                                              ? std::string{"must be NAME=DIR"}
                                              : std::string{};
                               },
                               ""})
        ->type_name("NAME=DIR")
        ->allow_extra_args(false);
    command
        ->add_flag_function(
            "--json", [this](std::int64_t) { sql_asked.format = row_format::json; },
            "Short for --format json")
        ->excludes(format);
    add_allow(command, sql_asked);
    command->callback([this] { run = [this] { return sql(sql_asked); }; });
}

void command_line::add_check_schema() {
    CLI::App* command = add_command(app, "check-schema", "Check a new schema against a journal",
                                    check_schema_manual, check_schema_asked);
    command->add_option("NEW", check_schema_asked.schema, "The new schema, .fbs or .bfbs")
        ->required()
        ->type_name("");
    add_json(command, check_schema_asked);
    add_allow(command, check_schema_asked);
    command->callback([this] { run = [this] { return check_schema(check_schema_asked); }; });
}

void command_line::add_recover() {
    CLI::App* command = add_command(app, "recover", "Recover a journal after a crash",
                                    recover_manual, recover_asked);
    CLI::Option* dry_run = command->add_flag("--dry-run", recover_asked.dry_run,
                                             "Report the recovery, but change nothing");
    CLI::Option* salvage =
        command
            ->add_option("--salvage", recover_asked.salvage,
                         "Change nothing, and copy what can be read to a new journal")
            ->excludes(dry_run)
            ->type_name("OUT");
    CLI::Option* cut =
        command
            ->add_option("--force-truncate", recover_asked.truncate_before,
                         "Cut the log before this event, durable or not; asks for the journal's id")
            ->check(not_negative())
            ->excludes(salvage)
            ->type_name("SEQUENCE");
    command
        ->add_option("--confirm", recover_asked.confirm,
                     "With --force-truncate: the journal's id, instead of asking for it")
        ->needs(cut)
        ->type_name("ID");
    add_json(command, recover_asked);
    add_allow(command, recover_asked);
    command->callback([this] {
        run = [this] {
            if (recover_asked.truncate_before)
                return force_truncate_command(recover_asked);
            return recover_asked.salvage.empty() ? recover_command(recover_asked)
                                                 : salvage_command(recover_asked);
        };
    });
}

void command_line::add_backup() {
    CLI::App* command = add_command(app, "backup", "Copy a journal's files, also of a live one",
                                    backup_manual, backup_asked);
    command->add_option("OUT", backup_asked.out, "Directory of the backup")
        ->required()
        ->type_name("");
    add_json(command, backup_asked);
    command->callback([this] { run = [this] { return backup_command(backup_asked); }; });
}

// With a stream, the only directory is that of the journal.
void command_line::add_restore() {
    CLI::App* command = app.add_subcommand("restore", "Put a backup or a stream into a directory")
                            ->footer(restore_manual);
    command->add_option("OUT", restore_asked.out, "Directory of the backup; with --nats as DIR")
        ->required()
        ->type_name("");
    CLI::Option* directory =
        command
            ->add_option("DIR", restore_asked.directory, "Directory of the journal, new or empty")
            ->type_name("");
    CLI::Option* as_new = command->add_flag("--as-new", restore_asked.as_new,
                                            "Make another journal of the same events");
    CLI::Option* servers = add_stream(command, restore_asked.from);
    servers->excludes(directory)->excludes(as_new);
    command->get_option("--stream")->needs(servers);
    add_json(command, restore_asked);
    add_allow(command, restore_asked);
    command->callback([this, directory, servers] {
        if (servers->count() == 0 && directory->count() == 0)
            throw CLI::RequiredError{"DIR"};
        run = [this, servers] {
            return servers->count() == 0 ? restore_command(restore_asked)
                                         : restore_stream_command(restore_asked);
        };
    });
}

// The commands that connect a journal with a stream.
void command_line::add_relay() {
    CLI::App* command =
        add_command(app, "relay", "Publish events to NATS JetStream", relay_manual, relay_asked);
    command->get_option("DIR")->required(false);
    command->require_subcommand(0, 1);
    CLI::Option* servers = add_stream(command, relay_asked.to);
    command
        ->add_option("--replicas", relay_asked.replicas,
                     "Of a stream that is created; one with fewer is refused")
        ->capture_default_str()
        ->check(at_least_one())
        ->type_name("COUNT");
    command->add_flag("--published", relay_asked.published,
                      "Also events that a power cut could still take");
    command->add_flag("--once", relay_asked.once, "End once the stream holds what is there now");
    add_json(command, relay_asked);
    add_allow(command, relay_asked);
    CLI::App* audit = add_command(*command, "verify", "Compare a stream with its journal",
                                  relay_verify_manual, replica_asked);
    add_stream(audit, replica_asked.from)->required();
    add_json(audit, replica_asked);
    add_allow(audit, replica_asked);
    audit->callback([this] { run = [this] { return relay_verify_command(replica_asked); }; });
    command->callback([this, command, audit, servers] {
        if (audit->parsed())
            return;
        if (command->get_option("DIR")->count() == 0)
            throw CLI::RequiredError{"DIR"};
        if (servers->count() == 0)
            throw CLI::RequiredError{"--nats"};
        run = [this] { return relay_command(relay_asked); };
    });

    command = add_command(app, "follow", "Keep a copy of a journal in step with a stream",
                          follow_manual, replica_asked);
    add_stream(command, replica_asked.from)->required();
    add_json(command, replica_asked);
    add_allow(command, replica_asked);
    command->callback([this] { run = [this] { return follow_command(replica_asked); }; });

    command = add_command(app, "promote", "Make a copy of a journal its writer", promote_manual,
                          replica_asked);
    add_stream(command, replica_asked.from)->required();
    add_json(command, replica_asked);
    add_allow(command, replica_asked);
    command->callback([this] { run = [this] { return promote_command(replica_asked); }; });
}

void command_line::add_prune() {
    CLI::App* command =
        add_command(app, "prune", "Remove the oldest events", prune_manual, prune_asked);
    auto* what = command->add_option_group("what may go");
    constexpr std::uint64_t minute = 60;
    constexpr std::uint64_t hour = 60 * minute;
    constexpr std::uint64_t day = 24 * hour;
    what->add_option("--keep", prune_asked.keep_seconds, "Only events older than this")
        ->check(not_negative())
        ->transform(CLI::AsNumberWithUnit(
            std::map<std::string, std::uint64_t>{
                {"s", 1}, {"m", minute}, {"h", hour}, {"d", day}, {"w", 7 * day}},
            CLI::AsNumberWithUnit::UNIT_REQUIRED))
        ->type_name("TIME");
    what->add_option("--before", prune_asked.before, "Only events below this sequence")
        ->check(not_negative())
        ->type_name("SEQUENCE");
    what->add_option("--keep-bytes", prune_asked.keep_bytes, "As long as so many bytes stay")
        ->check(not_negative())
        ->transform(CLI::AsSizeValue(false))
        ->type_name("SIZE");
    what->require_option(1, 3);
    command->add_flag("--dry-run", prune_asked.dry_run, "Report what would go, and change nothing");
    add_json(command, prune_asked);
    add_allow(command, prune_asked);
    command->callback([this] { run = [this] { return prune_command(prune_asked); }; });
}

// Without a subcommand it lists, so DIR is not required where `drop` takes its own.
void command_line::add_consumers() {
    CLI::App* command = add_command(app, "consumers", "List the named readers of a journal",
                                    consumers_manual, consumers_asked);
    command->get_option("DIR")->required(false);
    command->require_subcommand(0, 1);
    add_json(command, consumers_asked);
    CLI::App* drop = add_command(*command, "drop", "Forget a reader by its name",
                                 drop_consumer_manual, drop_consumer_asked);
    drop->add_option("NAME", drop_consumer_asked.name, "Name of the consumer")
        ->required()
        ->type_name("");
    add_json(drop, drop_consumer_asked);
    drop->callback([this] { run = [this] { return drop_consumer_command(drop_consumer_asked); }; });
    command->callback([this, command, drop] {
        if (drop->parsed())
            return;
        if (command->get_option("DIR")->count() == 0)
            throw CLI::RequiredError{"DIR"};
        run = [this] { return consumers(consumers_asked); };
    });
}

void command_line::add_snapshot() {
    CLI::App* command =
        add_command(app, "snapshot", "List the snapshots of a journal, or check them",
                    snapshot_manual, snapshot_asked);
    command->remove_option(command->get_option("DIR"));
    command->require_subcommand(1);
    const auto add_one = [&](const char* name, const char* description,
                             exit_code (*act)(const snapshot_command_options&)) {
        CLI::App* one = add_command(*command, name, description, snapshot_manual, snapshot_asked);
        add_json(one, snapshot_asked);
        one->callback([this, act] { run = [this, act] { return act(snapshot_asked); }; });
    };
    add_one("list", "List the snapshots of every fold and state version", list_snapshots_command);
    add_one("verify", "Compare the snapshots with the log", verify_snapshots_command);
}

// Without a subcommand it lists, as consumers does.
void command_line::add_projections() {
    CLI::App* command = add_command(app, "projections", "List the read models in a database",
                                    projections_manual, projections_asked);
    command->get_option("DB")->required(false);
    command->require_subcommand(0, 1);
    add_json(command, projections_asked);
    const auto add_name = [](CLI::App* to, std::string& name) {
        to->add_option("NAME", name, "Name of the projection")->required()->type_name("");
    };
    const auto add_parked = [&](const char* name, const char* description,
                                exit_code (*act)(const parked_options&)) {
        CLI::App* one = add_command(*command, name, description, parked_manual, parked_asked);
        add_name(one, parked_asked.name);
        one->add_option("KEY", parked_asked.key, "Key of the parked events")
            ->required()
            ->type_name("");
        add_json(one, parked_asked);
        one->callback([this, act] { run = [this, act] { return act(parked_asked); }; });
    };
    add_parked("retry", "Have the next projector retry parked events", &retry_parked_command);
    add_parked("drop-parked", "Leave parked events out for good", &drop_parked_command);
    CLI::App* drop = add_command(*command, "drop", "Remove a version that is not live",
                                 drop_projection_manual, drop_projection_asked);
    add_name(drop, drop_projection_asked.name);
    drop->add_option("VERSION", drop_projection_asked.version, "Its version")
        ->required()
        ->check(not_negative())
        ->type_name("");
    add_json(drop, drop_projection_asked);
    drop->callback(
        [this] { run = [this] { return drop_projection_command(drop_projection_asked); }; });
    command->callback([this, command] {
        if (!command->get_subcommands().empty())
            return;
        if (command->get_option("DB")->count() == 0)
            throw CLI::RequiredError{"DB"};
        run = [this] { return projections(projections_asked); };
    });
}

void command_line::add_stat() {
    CLI::App* command =
        add_command(app, "stat", "Show how a running writer is doing", stat_manual, stat_asked);
    CLI::Option* watch =
        command->add_flag("--watch", stat_asked.watch, "Again and again, until Ctrl-C");
    command->add_option("--interval", stat_asked.interval_s, "With --watch: so many seconds apart")
        ->capture_default_str()
        ->check(CLI::Range(0.05, 86400.0).description(""))
        ->needs(watch)
        ->type_name("SECONDS");
    command->add_option("--count", stat_asked.count, "With --watch: only so often")
        ->check(at_least_one())
        ->needs(watch)
        ->type_name("COUNT");
    CLI::Option* prometheus =
        command->add_flag("--prometheus", stat_asked.prometheus, "Text for Prometheus");
    command
        ->add_option("--textfile", stat_asked.textfile,
                     "With --prometheus: replace this file, for the node exporter")
        ->needs(prometheus)
        ->type_name("FILE");
    command
        ->add_option("--projections", stat_asked.projections,
                     "Also the read models of this database")
        ->type_name("DB");
    command->add_flag("--json", stat_asked.json, "Machine-readable standard output")
        ->excludes(prometheus);
    command->callback([this] { run = [this] { return stat_command(stat_asked); }; });
}

void command_line::add_tail() {
    CLI::App* command = add_command(app, "tail", "Show the last events", tail_manual, tail_asked);
    command->add_option("-n,--lines", tail_asked.lines, "How many events")
        ->capture_default_str()
        ->check(not_negative())
        ->type_name("COUNT");
    command->add_flag("-f,--follow", tail_asked.follow, "Wait for more");
    command->add_flag("--wait", tail_asked.wait, "Wait until there is a journal");
    add_durable(command, tail_asked);
    add_allow(command, tail_asked);
    add_json(command, tail_asked);
    command->callback([this] { run = [this] { return tail(tail_asked); }; });
}

void command_line::add_view() {
    CLI::App* command =
        add_command(app, "view", "Show a journal as a page in a browser", view_manual, view_asked);
    command->add_option("--port", view_asked.port, "On this port; otherwise on a free one")
        ->check(not_negative())
        ->type_name("PORT");
    add_json(command, view_asked);
    add_allow(command, view_asked);
    command->callback([this] { run = [this] { return view(view_asked); }; });
}

void command_line::add_attest() {
    CLI::App* command =
        add_command(app, "attest", "Make or continue a chain of hashes over history", attest_manual,
                    attest_asked);
    command->add_option("FILE", attest_asked.file, "The attestation; kept elsewhere")
        ->required()
        ->type_name("");
    command->add_option("--key", attest_asked.key, "Sign with this Ed25519 key, in PEM form")
        ->type_name("FILE");
    command->add_option("--anchor", attest_asked.anchor, "Give the statement to this shell command")
        ->type_name("COMMAND");
    add_json(command, attest_asked);
    add_allow(command, attest_asked);
    command->callback([this] { run = [this] { return attest_command(attest_asked); }; });

    command = add_command(app, "bundle", "Collect what a bug report needs, without payloads",
                          bundle_manual, bundle_asked);
    command->add_option("OUT", bundle_asked.out, "The archive, a new file")
        ->required()
        ->type_name("");
    command->add_flag("--quick", bundle_asked.quick, "Without reading everything");
    add_json(command, bundle_asked);
    command->callback([this] { run = [this] { return bundle_command(bundle_asked); }; });

    command = add_command(app, "prove", "Prove to others that an event is in the history",
                          prove_manual, prove_asked);
    command->add_option("SEQUENCE", prove_asked.sequence, "The event")
        ->required()
        ->check(not_negative())
        ->type_name("");
    command->add_option("FILE", prove_asked.file, "The attestation")->required()->type_name("");
    add_allow(command, prove_asked);
    command->callback([this] { run = [this] { return prove_command(prove_asked); }; });
}

// The commands that concern pawl itself.
void command_line::add_pages() {
    CLI::App* command =
        app.add_subcommand("completion", "Print completion for a shell")->footer(completion_manual);
    command->add_option("SHELL", completion_asked.shell, "bash or zsh")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh"}).description(""))
        ->type_name("");
    command->callback(
        [this] { run = [this] { return completion_command(completion_asked, app); }; });

    command = app.add_subcommand("man", "Print a manual page")->footer(man_manual);
    CLI::Option* pages =
        command->add_option("COMMAND", man_asked.command, "The command; none: pawl itself")
            ->type_name("");
    command->add_option("--into", man_asked.into, "Write all pages into this directory")
        ->excludes(pages)
        ->type_name("DIR");
    command->callback([this] { run = [this] { return man_command(man_asked, app); }; });
}

}  // namespace

exit_code run(int argc, const char* const* argv) {
    command_line line;
    try {
        line.app.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        return line.app.exit(problem) == 0 ? success : wrong_usage;
    }
    return finish_output(line.run());
}

}  // namespace pawl::cli
