#include "command_line.hpp"

#include "terminal/output.hpp"

#include <CLI/CLI.hpp>

#include <pawl/journal/version.hpp>

#include <functional>
#include <map>

namespace pawl::cli {

namespace {

constexpr const char* manual = R"(
If a machine crashed and you were called because of it:
  1. pawl info DIR                the journal's state, and whether a writer holds it
  2. pawl recover --dry-run DIR   what a recovery would do; changes nothing
  3. pawl recover DIR             does it; the service does the same when it starts
Every crash leaves a torn tail. It is not damage, and recovery needs no decision from you. If
recovery refuses because of damage, it has changed nothing: copy the directory first, then run
`pawl verify DIR`.

Only recover writes. The other commands work beside a running writer.

Exit code: 0 success, including notices; 1 damage was found, or a requested item does not exist; 2
wrong usage; 3 the journal could not be read, or a writer holds it and the command cannot run beside
one. Reports go to standard output, errors and notices to standard error, with file, offset and
sequence.)";

constexpr const char* info_manual = R"(
Shows the state, the writer and its heartbeat, the number of events and their time span, the size,
and what the log says of its clock and event types; with --segments also each segment. Reads headers
and indexes, and only the segments at the end of the log and those that describe event types, so a
long journal takes little longer. `durable` is a lower bound. JSON always includes the segments.

  pawl info orders               who holds it, and how much is in it
  pawl info --segments orders    which segments are sealed, and which sequences each holds)";

constexpr const char* verify_manual = R"(
Reads every byte of every segment and index. Lists all damage on standard error, each with file,
offset and sequence, and exits with 1. Data that the system does not let this program read is not
damage; if there is nothing worse, the exit code is 3. A finding called `notice` is neither, and the
exit code stays 0: one bad copy of a segment header, of which there are two, or an index that does
not fit and that the next open for writing rebuilds. A torn tail and a missing index are not
findings at all. Progress is shown on a terminal.

With --deep it also checks what only several files together can show: that the versions of every
stream continue from segment to segment and names are given in order; that the file of stream heads
agrees with the log at the position it records; and that each file in DIR/snapshots is whole, has
its log point in this log, and carries the digest of all events up to there. A stream that does not
continue is damage of the log. Stream heads and snapshots are derived, so errors in them are
notices. But the next open for writing trusts heads that are whole, so move a wrong DIR/streams away
first: it is rebuilt. You may move a wrong snapshot away in the same way. --deep takes memory for
every stream and name, but no second pass over the log.

  pawl verify orders                       all of it, with progress on a terminal
  pawl verify --deep --json orders         as a report for a script)";

constexpr const char* dump_manual = R"(
Writes one JSON object per line: sequence, time, stream (its name, or its number), version, type,
type_number, schema_version, more_in_batch (true for all events of a batch but the last), metadata
entry by entry if there is any, and the event itself, printed with the schema that the journal
describes for its type. `pawl append` takes the lines back. An event of a type that the journal does
not describe has its number as type, and its payload in hexadecimal.

Times are UTC; one without a date means the day of the journal's last event. --where takes an SQL
expression over the columns of the type, or of `events` without --type (pawl sql --help).

Damage ends the dump with exit code 1, after the last event before it. A payload that does not fit
its schema does not: its line has the reason as `problem`, and the exit code is 1 at the end.

  pawl dump --limit 5 orders                         the first five events
  pawl dump --type order_filled --where 'price > 5850000' --format csv orders
  pawl dump --stream account-7 --since 14:02 --until 14:03 orders
  pawl dump --from 1000 --durable orders             what no power cut can remove, from 1000
  pawl dump --exact orders | pawl append copy        a copy with equal content digests
  pawl dump --raw orders                             segment, offset, hashes, payload as hexadecimal)";

constexpr const char* recover_manual = R"(
Recovers as the service does when it opens a journal whose writer died, but reads every byte and
leaves the journal closed. It reports what it found and where it cut, what it kept and in which
file, and at most how many published events are gone. None of those was ever acknowledged as
durable: recovery never cuts below the durable events. Instead it refuses, with exit code 1, and
changes nothing.

Nothing is deleted. The bytes after the cut stay in their segment, after its end; the bytes that the
end itself overwrites, and whole segments after the cut, are kept below DIR/torn. You may remove the
files there when you no longer need that evidence.

You may kill it and start it again at any moment. While a writer is alive it fails with `locked`,
names the writer, and exits with 3; so does --dry-run, because what it would see beside a writer is
not what a recovery finds.

  pawl recover --dry-run orders            what would be done
  pawl recover orders                      does it)";

constexpr const char* tail_manual = R"(
Shows one line per event: sequence, time, stream@version, type/schema version, bytes of the payload
and its beginning in hexadecimal; a + at the end means that more of the same batch follows. With
--follow it waits for more, across segments and restarts of the writer, until Ctrl-C.

  pawl tail -n 3 orders                    the last three events
  pawl tail -f --json orders | jq .stream  as they come, for another program)";

// An empty argument is most often an unset shell variable.
CLI::Validator not_empty() {
    return CLI::Validator{
        [](const std::string& text) { return text.empty() ? "must not be empty" : std::string{}; },
        ""};
}

template <class Options>
CLI::App* add_command(CLI::App& app, const char* name, const char* description, const char* footer,
                      Options& options) {
    CLI::App* command = app.add_subcommand(name, description)->footer(footer);
    command->add_option("DIR", options.directory, "Directory of the journal")
        ->required()
        ->check(not_empty())
        ->type_name("");
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
CLI::Validator not_negative() {
    return CLI::Validator{[](const std::string& text) {
                              return text.starts_with('-') ? "must not be negative" : std::string{};
                          },
                          ""};
}

CLI::Validator a_time() {
    return CLI::Validator{[](const std::string& text) {
                              return is_time(text) ? std::string{}
                                                   : "is no time: 2026-11-23T14:02:00.5, or 14:02";
                          },
                          ""};
}

// The options that choose events.
void add_selection(CLI::App* command, selection& chosen) {
    command->add_option("--from", chosen.from, "Sequence to begin at")
        ->check(not_negative())
        ->type_name("SEQUENCE");
    command->add_option("--limit", chosen.limit, "Stop after this many events")
        ->check(not_negative())
        ->type_name("COUNT");
    command->add_option("--stream", chosen.stream, "Only this stream: its number, or its name")
        ->check(not_empty())
        ->type_name("STREAM");
    command->add_option("--type", chosen.type, "Only this event type: its name, or its number")
        ->check(not_empty())
        ->type_name("TYPE");
    command->add_option("--since", chosen.since, "Only events from this time on (UTC)")
        ->check(a_time())
        ->type_name("TIME");
    command->add_option("--until", chosen.until, "Only events before this time (UTC)")
        ->check(a_time())
        ->type_name("TIME");
    command->add_option("--where", chosen.where, "Only events for which this SQL expression holds")
        ->check(not_empty())
        ->type_name("EXPRESSION");
}

CLI::Option* add_format(CLI::App* command, row_format& format) {
    static const std::map<std::string, row_format> formats{
        {"json", row_format::json}, {"table", row_format::table}, {"csv", row_format::csv}};
    return command->add_option("--format", format, "json (lines), table or csv")
        ->transform(CLI::CheckedTransformer{formats}.description(""))
        ->type_name("FORMAT");
}

// The options of all commands. `app` refers to the other members.
struct command_line {
    info_options info_asked;
    verify_command_options verify_asked;
    dump_options dump_asked;
    recover_command_options recover_asked;
    tail_options tail_asked;
    std::function<exit_code()> run;
    CLI::App app{"Inspects Pawl journals, checks them, and recovers them after a crash.", "pawl"};

    command_line();
    command_line(const command_line&) = delete;
    command_line& operator=(const command_line&) = delete;

  private:
    void add_dump();
    void add_tail();
};

command_line::command_line() {
    app.footer(manual);
    app.require_subcommand(1);
    app.set_version_flag("--version", std::string{version()});
    app.failure_message([](const CLI::App*, const CLI::Error& problem) {
        return std::string{"pawl: "} + problem.what() + "; see pawl --help\n";
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
    add_json(command, verify_asked);
    command->callback([this] { run = [this] { return verify_command(verify_asked); }; });

    add_dump();

    command = add_command(app, "recover", "Recover a journal after a crash", recover_manual,
                          recover_asked);
    command->add_flag("--dry-run", recover_asked.dry_run,
                      "Report the recovery, but change nothing");
    add_json(command, recover_asked);
    add_allow(command, recover_asked);
    command->callback([this] { run = [this] { return recover_command(recover_asked); }; });

    add_tail();
}

void command_line::add_dump() {
    CLI::App* command =
        add_command(app, "dump", "Write events as lines of JSON", dump_manual, dump_asked);
    add_selection(command, dump_asked.selected);
    CLI::Option* format = add_format(command, dump_asked.format);
    command->add_flag("--raw", dump_asked.raw, "Places, hashes, and payloads in hexadecimal")
        ->excludes(format);
    command
        ->add_flag("--exact", dump_asked.exact,
                   "Everything that a copy needs: also names and descriptions, payloads as base64")
        ->excludes(format)
        ->excludes("--raw");
    command->add_flag("--strings", dump_asked.strings,
                      "64-bit integers as strings, for JavaScript");
    command->add_flag("--defaults", dump_asked.defaults, "Also fields that an event leaves out");
    add_durable(command, dump_asked.selected);
    add_allow(command, dump_asked.selected);
    command->add_flag_function(
        "--json", [](std::int64_t) {}, "Accepted, as everywhere; lines of JSON are the default");
    command->callback([this] { run = [this] { return dump(dump_asked); }; });
}

void command_line::add_tail() {
    CLI::App* command = add_command(app, "tail", "Show the last events", tail_manual, tail_asked);
    command->add_option("-n,--lines", tail_asked.lines, "How many events")
        ->capture_default_str()
        ->check(not_negative())
        ->type_name("COUNT");
    command->add_flag("-f,--follow", tail_asked.follow, "Wait for more");
    add_durable(command, tail_asked);
    add_allow(command, tail_asked);
    add_json(command, tail_asked);
    command->callback([this] { run = [this] { return tail(tail_asked); }; });
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
