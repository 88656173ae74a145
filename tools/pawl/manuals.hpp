// What --help prints below the options of each command.
#pragma once

namespace pawl::cli {

inline constexpr const char* manual = R"(
If a machine crashed and you were called because of it:
  1. pawl info DIR               the journal's state, and who writes it
  2. pawl recover --dry-run DIR  what a recovery would do; changes nothing
  3. pawl recover DIR            does it, as the service does when it starts
Every crash leaves a torn tail. It is not damage, and recovery needs no
decision from you. If recovery refuses because of damage, it has changed
nothing: copy the directory first, then run `pawl verify DIR`.

Only recover, append, prune, consumers drop and projections drop write, and
follow and promote, to a copy. The other commands work beside a running writer.

Exit code: 0 success, including notices; 1 damage was found, or a requested
item does not exist; 2 wrong usage; 3 the journal could not be read, or a
writer holds it and the command cannot run beside one. Reports go to standard
output, errors and notices to standard error, with file, offset and sequence.)";

inline constexpr const char* info_manual = R"(
Shows the state, the writer and its heartbeat, the number of events and their
time span, the size, and what the log says of its clock and event types; with
--segments also each segment. Reads headers and indexes, and only the segments
at the end of the log and those that describe event types, so a long journal
takes little longer. `durable` is a lower bound. JSON always includes the
segments.

  pawl info orders               who holds it, and how much is in it
  pawl info --segments orders    also each segment, and its sequences)";

inline constexpr const char* verify_manual = R"(
Reads every byte of every segment and index. Lists all damage on standard
error, each with file, offset and sequence, and exits with 1. After damage it
reads on with the next whole event, and says how many events are readable
before, between and after. Data that the
system does not let this program read is not damage; if there is nothing worse,
the exit code is 3. A finding called `notice` is neither, and the exit code
stays 0: one bad copy of a segment header, of which there are two, or an index
that does not fit and that the next open for writing rebuilds. A torn tail and
a missing index are not findings at all. Progress is shown on a terminal.

With --deep it also checks what only several files together can show: that the
versions of every stream continue from segment to segment and names are given
in order; that the file of stream heads agrees with the log at the position it
records; and that each file in DIR/snapshots is whole, has its log point in
this log, and carries the digest of all events up to there. A stream that does
not continue is damage of the log. Stream heads and snapshots are derived, so
errors in them are notices. But the next open for writing trusts heads that are
whole, so move a wrong DIR/streams away first: it is rebuilt. You may move a
wrong snapshot away in the same way. --deep takes memory for every stream and
name, but no second pass over the log.

With --chain it also compares the events with an attestation that `pawl attest`
has made: an event that was changed, removed or added since is damage, even if
all checksums are right. With --public-key its signature is checked first.

  pawl verify orders                  all of it, with progress on a terminal
  pawl verify --deep --json orders    as a report for a script)";

inline constexpr const char* types_manual = R"(
Reads every event and counts them by type and schema version: how many, the
mean size of their payloads, and the latest time. `described` says whether the
journal holds the schema, without which `pawl dump` shows a payload in
hexadecimal. Types that are described and have no event have 0.

JSON: type (null without a name), type_number, schema_version, described,
events, payload_bytes, and if there is an event first_sequence, last_sequence,
min_timestamp_ns and max_timestamp_ns.

  pawl types orders              what is in it, and how much of each
  pawl types --json orders | jq '.types[] | select(.described | not)')";

inline constexpr const char* streams_manual = R"(
Reads every event and counts them by stream. Streams with a name come first, by
name, then those that have only a number. `version` is that of the stream's
last event, and more than `events` if events were pruned; a named stream
without any has 0. Needs about 100 bytes of memory per stream.

JSON: all_streams, and for each one listed stream (its number), name (null
without one), events, version, first_timestamp_ns and last_timestamp_ns.

  pawl streams --top 10 orders              the ten streams with most events
  pawl streams --name 'account-*' orders    names that begin with account-)";

inline constexpr const char* clock_manual = R"(
Says how good the time stamps of a journal are: what the writer reported of its
clock (whether the kernel follows NTP or PTP, the kernel's error estimates,
drift of the time stamp counter, steps of the system clock), and every
excursion: consecutive events whose times lie before that of an earlier event.
Time stamps are data; the order of events is that of their sequences.

JSON: reports, all_excursions, and the first thousand excursions with
first_sequence, events, after_ns (the latest time before it) and back_ns (how
far back an event went, at most).

  pawl clock orders                         a summary, and the excursions
  pawl clock --reports orders               also each report)";

inline constexpr const char* dump_manual = R"(
Writes one JSON object per line: sequence, time, stream (its name, or its
number), version, type, type_number, schema_version, more_in_batch (true if
another event of the same batch follows), metadata entry by entry if there is
any, and the event itself, printed with the schema that the journal describes
for its type. `pawl append` takes the lines back. An event of a type that the
journal does not describe has its number as type, and its payload in
hexadecimal.

The options that select events may leave a part of a batch. That part is a
batch in the dump: more_in_batch is false for the last event of it that is
shown (but not with --raw, which shows what the frames hold). So `pawl append`
takes any dump, and never joins events that were apart: any but a selection
with --exact, which cannot become a new journal.

With --reverse the newest comes first, found from the end of the log backwards;
then more_in_batch is as in the log, and `pawl append` does not take the lines.

Times are UTC; one without a date means the day of the journal's last event.
--where takes an SQL expression over the columns of the type, or of `events`
without --type (pawl sql --help).

Damage ends the dump with exit code 1, after the last event before it. A
payload that does not fit its schema does not: its line has the reason as
`problem`, and the exit code is 1 at the end.

--last and --around find their events from the end of the log backwards, and
read no more of it than they need. --around shows an event, and of the events
that the other options select --context before and after it.

  pawl dump --limit 5 orders                   the first five events
  pawl dump --last 5 --stream account-7 orders the last five of a stream
  pawl dump --around 1000 --context 3 orders   an event and its neighbours
  pawl dump --type order_filled --where 'price > 5850000' --format csv orders
  pawl dump --stream account-7 --since 14:02 --until 14:03 orders
  pawl dump --from 1000 --durable orders       what no power cut can remove
  pawl dump --exact orders | pawl append copy  a copy with equal digests
  pawl dump --raw orders                       places, hashes, hexadecimal)";

inline constexpr const char* append_manual = R"(
Appends lines of JSON from standard input; creates the journal if there is
none. Without --type each line is one of `pawl dump`, and the copy of a whole
journal dumps to the same lines. With --type each line is an event of that
type, and gets the current time.

--schema names a FlatBuffers schema (.fbs or .bfbs) or a journal that describes
its events; without it the journal describes them itself. A schema that does
not extend what the journal describes is refused. Old shapes of a table are in
the namespaces v1, v2 and so on.

A line that cannot be appended ends the command with exit code 1. It is named
with column, field and reason; nothing of its batch is written, and what came
before it stays. A dump keeps its batches; --batch makes others. --expect
demands that the stream has that version before the first event.

  pawl append orders --schema orders.fbs --type order_placed \
      --stream account-7 < events.jsonl
  pawl dump orders | pawl append copy --schema orders    the same events
  pawl dump --exact orders | pawl append copy            with equal digests)";

inline constexpr const char* sql_manual = R"(
Each event type that the journal describes is a table: sequence, time,
timestamp_ns, stream, version and its fields; nested values are JSON. `events`
holds all events: also type, schema_version, more_in_batch, metadata (JSON),
bytes, event (JSON) and payload. The table of a type has metadata too, but
`select *` leaves it out there. `time` is UTC and compares as a time, with
'2026-11-23T14:02' too, and with '14:02' of the last day in DIR; `stream` is
text, a name or a number. Conditions on sequence, time, stream and type limit
what is read of the journal.

Without a query it reads queries from standard input, and is a prompt on a
terminal. --attach adds another journal, whose tables are NAME.events and so
on. Nothing can be changed.

  pawl sql orders "select instrument, count(*) from order_filled group by 1"
  pawl sql orders --format csv "select * from order_filled
      where time > '2026-11-23T14:00'"
  pawl sql orders "select sequence from events
      where metadata->>'actor' = 'Ada'"
  pawl sql orders --attach old=orders-2025 "select count(*) from old.events"
  pawl sql orders                          a prompt)";

inline constexpr const char* check_schema_manual = R"(
Compares the schemas that the journal describes with those of a schema file, by
the rules of codec/EVOLUTION.md, and reads every event of each type that
changed with its new schema. Exit code 1 if a change needs a new schema version
or is refused, or if an event cannot be read: names table, field and rule, and
the first such event.

  pawl check-schema orders new/orders.fbs  before a release is deployed
  pawl check-schema --json orders new/orders.fbs)";

inline constexpr const char* recover_manual = R"(
Recovers as the service does when it opens a journal whose writer died, but
reads every byte and leaves the journal closed. First it says what it found and
is about to do: how many published events are gone, where it cuts, what it
keeps and in which file, and how long it takes. None of the events that are
gone was ever acknowledged as durable: recovery never cuts below the durable
events. Instead it refuses, with exit code 1, and changes nothing.

Nothing is deleted. The bytes after the cut stay in their segment, after its
end; the bytes that the end itself overwrites, and whole segments after the
cut, are kept below DIR/torn. You may remove the files there when you no longer
need that evidence.

You may kill it and start it again at any moment. While a writer is alive it
fails with `locked`, names the writer, and exits with 3; so does --dry-run,
because what it would see beside a writer is not what a recovery finds.

--salvage OUT is for a journal that is damaged and has no backup: it copies
every event that can be read into the new journal OUT, with times, streams,
names, descriptions, metadata and whole batches. All keep their sequences: an
event of type pawl.lost stands where one is missing, and folds pass over it.
Streams get the versions 1, 2, 3 and so on of the events that are left. DIR is
only read. If it is killed, start it again; if OUT holds anything else, or is a
copy of DIR, it refuses. A journal that was pruned needs room for those events
too: 56 bytes for each.

--force-truncate SEQ is the last resort, and the only way to cut what was
durable: the log ends before event SEQ afterwards, and whoever acted on a later
event knows something that it no longer says. It shows its plan and asks you to
type the journal's id, or takes it from --confirm. What it cuts is kept below
DIR/torn/truncated-SEQ. It refuses to split a batch, or if an event before SEQ
cannot be read. You may kill it and start it again.

  pawl recover --dry-run orders            what would be done
  pawl recover orders                      does it
  pawl recover --salvage rescued orders    the readable events of a damaged one
  pawl recover --force-truncate 41000 --dry-run orders
                                           what a cut would cost)";

inline constexpr const char* backup_manual = R"(
Copies the journal DIR into OUT/current, up to the last event that is durable,
also beside a running writer. Sealed segments are copied once: the next backup
to the same OUT copies only new ones. Each copy is read again, and must hold
the events of the original, by their digest. OUT/current is a journal that the
other commands read; write to a restored copy, not to it. Positions of
consumers are in the backup, stream heads and snapshots are not: they are
derived.

It may be killed: OUT/current changes in one step, once the backup is whole. On
file systems that cannot do that, such as exFAT or an old ZFS, it may be called
OUT/previous afterwards; the next backup puts it back.
It needs room for what it copies and a local file system; where there are no
hard links, it copies everything each time. It refuses, with exit code 1, if
OUT holds a backup of another journal, or of another history of this one, and
if DIR is damaged; with 3 while another backup or a restore uses OUT.

  pawl backup orders /backup/orders        the first time, and every time
  pawl verify /backup/orders/current       what the backup holds)";

inline constexpr const char* restore_manual = R"(
Copies a backup into DIR, which must be new or empty, and verifies every byte
before it puts the copy there. Where a file system is mounted, name a directory
below. The last segment of a backup of a live journal ends as after a loss of
power; the first open for writing recovers it.

The result is the same journal: with the same id, so that consumers and
followers go on with it. Never write to it and to the original. With --as-new
it becomes another journal of the same events, with an id of its own and
without consumers; not for one that was pruned.

With --nats it is made of the events that `pawl relay` has published: OUT is
then the directory of the journal, new, empty, or left by a restore that was
interrupted, which it continues. Events, sequences, times, streams, names,
versions and tags are those of the original, and so is the content digest, as
far as the stream goes; log points and snapshots of the original are accepted.
Each event is compared with its content hash, and one that was changed ends the
restore with `damaged`. The journal has an id of its own.

  pawl restore /backup/orders orders           after the original is lost
  pawl restore --as-new /backup/orders trial   to try something out
  pawl restore --nats nats://n1:4222,nats://n2:4222 --stream ORDERS orders)";

inline constexpr const char* relay_manual = R"(
Publishes the journal's durable events to a stream in NATS JetStream, in order,
each exactly once, also across crashes of relay and servers, until Ctrl-C. The
stream is created if it does not exist; it is the journal's alone. Every
message names its predecessor's sequence, so the server stores it in its place
or not at all. At the start, and after each refusal and lost connection, the
relay asks the stream's leader for the last message, compares its content hash
with the journal, and goes on from there: what the servers lost is published
again.

It never publishes to a stream of another journal, or after an event that the
journal does not hold (`diverged`): then the journal is an older copy, or
another copy was promoted. An event that is larger than the servers take, 1 MiB
with its headers unless configured, ends it with `too_large` and both sizes. A
stream that drops old messages, is kept in memory, or has fewer replicas than
asked for is refused.

Its place is a consumer, relay.NAME, which holds back `pawl prune`: no event
goes before the servers have acknowledged it. `pawl consumers` and `pawl stat`
show how far it lags. An acknowledgement is worth what the servers make of it:
NATS 2.9 acknowledges before it syncs, so a loss of power of most of a stream's
replicas at once can take acknowledged messages.

  pawl relay orders --nats nats://n1:4222,nats://n2:4222 --stream ORDERS \
      --replicas 3
  pawl relay orders --nats nats://localhost --stream ORDERS --once)";

inline constexpr const char* relay_verify_manual = R"(
Reads the whole stream and compares each message with the journal's durable
events by content hash, and the hash with the message's own bytes. Lists the
sequences that are missing, damaged or changed, and exits with 1 if there are
any. A stream cannot be repaired in its middle: relay the journal to one with a
new name. A stream that only ends too early is no fault: `pawl relay` publishes
the rest.

  pawl relay verify orders --nats nats://n1:4222 --stream ORDERS)";

inline constexpr const char* follow_manual = R"(
Makes a journal in DIR of the events that `pawl relay` publishes, and keeps it
in step until Ctrl-C; started again, it goes on. Batches appear whole. All
readers and tools can use the copy; nothing else may write to it. It has an id
of its own, and log points and snapshots of the original are accepted.

It ends with `diverged` if the stream holds another event than the copy, and
with `damaged` for a message that is not as it was published.

  pawl follow copy --nats nats://n1:4222 --stream ORDERS)";

inline constexpr const char* promote_manual = R"(
Makes the journal in DIR, a copy that `pawl follow` or `pawl restore` has made,
the writer: brings it up to date, and publishes Pawl's own event `promoted`
directly after the last one in the stream. From then on a program may open DIR
for writing, and `pawl relay DIR` continues the stream. The old writer's relay
stops with `diverged` at that event, and says who took over.

Stop `pawl follow` first. You may kill this and start it again. A batch of
which the stream holds only the beginning never took effect: its sequences go
to events of type pawl.lost.

The old writer itself does not notice: it appends, durably, events that nobody
else will see. Callers are protected only if they wait until their events are
relayed. Stop it if you can.

  pawl promote copy --nats nats://n1:4222 --stream ORDERS)";

inline constexpr const char* prune_manual = R"(
Removes the oldest events, for good: whole sealed segments that meet every
limit given, and never the last one. What later events need of them, such as
the versions and names of all streams, is kept in DIR/retained. Snapshots hold
the events after the older of the two newest good ones of each fold, and
consumers those that they have not committed; the output names every hold
without which more would have gone. If a consumer cannot be read, nothing goes
until it is dropped. A reader that stands before the new beginning gets
`pruned`. While a writer holds the journal, nothing is removed and the exit
code is 3; that program prunes with writer::prune or writer_options::retention.

  pawl prune orders --keep 30d --dry-run   what is older than thirty days
  pawl prune orders --keep-bytes 200G      the oldest, as long as 200 GiB stay
  pawl prune orders --before 1000000       only events below this sequence)";

inline constexpr const char* consumers_manual = R"(
Lists the consumers of a journal, that is its subscriptions and other named
readers: what each reads, its position, how many events and how much time of
the log it lags, from which event on it holds back `pawl prune`, and the
process that has it. Works beside the writer and the consumers. A position that
was committed but is not on stable storage yet holds back more than it says.

Exit code 1 if a consumer cannot be read; the others are listed. Prunes are
refused until that one is dropped. It is 1, too, if a consumer has handled
events that the journal does not hold (`diverged` in JSON): an older copy of
the journal was put in its place. Dropping is refused with exit code 3 while a
process uses the consumer.

  pawl consumers orders                 who lags, and who holds back what
  pawl consumers --json orders |
      jq '.consumers[] | select(.lag_events > 1000000)'
  pawl consumers drop orders risk       forgets the position of risk)";

inline constexpr const char* snapshot_manual = R"(
`list` reads the headers of the files in DIR/snapshots: fold, state version, the
sequence up to which each holds the state, size, time. `verify` reads every byte
of them and of the log, and compares the hash of each, its place in the log and
the digest of the events before it. Neither knows the fold: a program that is
built with pawl::tool_main has a `snapshot verify` that loads the states too.

Exit code 1 if a snapshot cannot be used. A program passes over it and restores
from an older one; you may delete it. Findings in the log go to standard error
and do not count; `pawl verify` is for those.

  pawl snapshot list orders           which states can be restored
  pawl snapshot verify --json orders | jq '.unusable[].file')";

inline constexpr const char* drop_consumer_manual = R"(
Removes the position of a consumer, also one that cannot be read. It holds back
nothing any more, and a program that opens it again begins as a new one. Exit
code 1 if there is none of that name, 3 while a process uses it.

  pawl consumers drop orders risk
  pawl consumers drop orders risk.1-of-4    one member of a share)";

inline constexpr const char* projections_manual = R"(
Lists the projections of a journal that an SQLite database holds: each version,
whether readers see it (live), it is still being built or another one has
replaced it (old), its position and its lag, why it stopped, and the events
that were parked because one of their key failed. Works beside the projector.

The commands that change something are refused with exit code 3 while a
projector has the database. The program that a projection belongs to can do the
same while it runs.

  pawl projections views.db              how far each is, and what is parked
  pawl projections --json views.db |
      jq '.projections[] | select(.stopped != null)'
  pawl projections retry views.db positions 42    key 42, after a repair)";

inline constexpr const char* parked_manual = R"(
`retry` has the next projector that follows the projection apply the parked
events of a key again, in their order, up to one that fails again; only that
program can apply them. `drop-parked` leaves them out for good, and records
that. Exit code 1 if no event is parked under the key, 3 while a projector has
the database.

  pawl projections retry views.db positions 42
  pawl projections drop-parked views.db positions 42)";

inline constexpr const char* drop_projection_manual = R"(
Removes a version of a projection that readers do not see: its tables, and its
consumer, which holds back `pawl prune`. Exit code 1 if there is no such
version or it is live, 3 while a projector has the database.

  pawl projections drop views.db positions 1    after version 2 went live)";

inline constexpr const char* stat_manual = R"(
Shows what the writer of a journal reports of itself while it runs: how far it
has published and made durable, its rate, how long its syncs take, segments
prepared ahead, the consumers' lag, errors, and the counters that the program
has registered (writer::register_counter; a command_loop registers its own).
The writer's background stores all this ten times per second in DIR/control;
reading it costs the writer nothing. Rates are between two readings: half a
second apart, or with --watch as far as --interval says. Counts begin with the
open of the writer. Without a writer it shows what the last one has left.

  pawl stat --watch orders                  a live screen
  pawl stat --prometheus orders             metrics, for a script
  pawl stat --prometheus --textfile /var/lib/node_exporter/pawl.prom \\
            --watch --interval 15 orders    for the node exporter
  pawl stat --watch --json orders | jq .rates.events)";

inline constexpr const char* bundle_manual = R"(
Writes a tar archive with what somebody needs who is to find out what happened
to a journal: the reports of info, stat, clock, types, consumers, recover
--dry-run and verify --deep, the list of files, the headers of all segments and
indexes, the control file, and places, types and sizes of the last thousand
events. It holds no payloads and no metadata, but the names of event types,
consumers, the host and the program. Works beside a writer, and on a damaged
journal; the exit code says whether the archive was written.

  pawl bundle orders orders-bundle.tar
  tar -tf orders-bundle.tar             what is in it, before you send it)";

inline constexpr const char* attest_manual = R"(
Hashes the durable events into a chain, one link for every 65,536, and writes
it to FILE; the next run continues it. `pawl verify --chain` finds whether the
journal, or a copy of it, still holds that history. Keep FILE, or the head that
is printed, where nobody who can write the journal can change it. Works beside
the writer. Exit code 1 if events that were attested are no longer the same;
then nothing is written. tools/ATTESTATION.md says what is hashed.

  openssl genpkey -algorithm ed25519 -out attest.pem       once
  pawl attest --key attest.pem orders orders.attestation   every night
  pawl attest --anchor 'lp -d safe' orders orders.attestation)";

inline constexpr const char* prove_manual = R"(
Prints the event and the hashes that lead from it to the head of an
attestation. With the script in tools/ATTESTATION.md and openssl, somebody who
has neither Pawl nor the journal checks that the event is in its history.

  pawl prove orders 41000 orders.attestation > 41000.proof)";

inline constexpr const char* completion_manual = R"(
Prints a script that completes commands and options. A package installs both.

  source <(pawl completion bash)                  in ~/.bashrc
  pawl completion zsh > ~/.zfunc/_pawl            a directory in $fpath)";

inline constexpr const char* man_manual = R"(
Prints the page that a package installs, in the language of man(7).

  pawl man verify | man -l -             reads it
  pawl man consumers drop | man -l -     of a command of a command
  pawl man --into /tmp/pages             all of them, as files)";

inline constexpr const char* view_manual = R"(
Serves a page on 127.0.0.1 and prints its address, until Ctrl-C: how many
events of each type over time; events by sequence, time, stream or tag; one
event as JSON and as bytes, each field of its frame explained; the history of
a stream; SQL; segments, and on request whether they are sound; watermarks,
consumers and their lag as they change. Works beside the writer, and changes
nothing in the journal.

The address holds a random token, without which nothing is shown; whoever has
it can read the journal as long as the command runs. Only GET is answered, and
only for 127.0.0.1 and localhost. For a journal on another machine, forward
the port with ssh.

  pawl view orders                          prints http://127.0.0.1:41923/...
  pawl view --json orders | jq -r .url      for a script
  ssh -L 8080:127.0.0.1:8080 host pawl view --port 8080 orders)";

inline constexpr const char* tail_manual = R"(
Shows one line per event: sequence, time, stream@version, type/schema version,
bytes of the payload and its beginning in hexadecimal; a + at the end means
that more of the same batch follows. With --follow it waits for more, across
segments and restarts of the writer, until Ctrl-C. With --wait it waits for the
journal to be created, too, so that it may be started before the service.

  pawl tail -n 3 orders                    the last three events
  pawl tail -f --json orders | jq .stream  as they come, for another program)";

}  // namespace pawl::cli
