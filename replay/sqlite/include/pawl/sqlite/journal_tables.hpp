// A journal's events as tables of SQLite: read-only, while a writer appends too.
//
//     sqlite3* database = nullptr;
//     if (sqlite3_open(":memory:", &database) != SQLITE_OK)
//         return "no memory";
//     if (auto attached = pawl::attach_journal(*database, "orders"); !attached)
//         return attached.error();
//     use(database);  // select instrument, sum(quantity) from order_filled group by 1
//
// `events` holds every event: sequence, time, timestamp_ns, stream, version, type, schema_version,
// more_in_batch, metadata, bytes, event (JSON) and payload (a blob). Each event type that the
// journal describes is a table of its own, under the type's name in event_catalog: sequence, time,
// timestamp_ns, stream and version, then the fields of the type in all its schema versions, with
// the values that field_reader gives. A field whose name is taken by one of the others has `event_`
// before it.
//
// `metadata` is JSON as append_metadata_json prints it, and null for an event without any: select
// metadata->>'actor' from events. The table of a type has it too, as a hidden column. A type that
// was renamed is a table under its earlier names too, and a field that was renamed within a version
// is a hidden column, which `select *` leaves out.
//
// `time` is text as append_utc writes it, and compares as a time: with '2026-11-23T14:02' as well
// as with all nine decimals. A time without a date, '14:02', is one of the day of the last event
// (UTC) that the journal had when the connection got its first table, or at the first query that
// found one. `stream` is text, the stream's name or its number, '0' for the events of none. What a
// query demands of sequence, time, stream and type restricts what is read of the journal
// (event_scan), and rows come in the order of their sequence.
//
// Programs that are not compiled with Pawl load pawl_sqlite.so instead: see
// replay/sqlite/README.md.
//
// A query fails if the journal is damaged where it reads, and if a payload does not verify. The
// tables hold the types that the journal described when they were made. A connection and its
// statements are used by one thread at a time, and may outlive everything else.
#pragma once

#include <pawl/journal/error.hpp>

#include <filesystem>
#include <string_view>

struct sqlite3;

namespace pawl {

struct attach_options {
    bool allow_network_file_system = false;  // cursor_options
};

// Registers the module `pawl` with a connection: create virtual table t using pawl('DIR') makes an
// `events`, and using pawl('DIR', 'TYPE') the table of one event type. A third argument,
// 'allow_network_file_system', is attach_options'; 'TYPE' may then be ''.
[[nodiscard]] result<void> add_journal_module(sqlite3& database);

// Makes all tables of a journal, in the schema `name`: main, temp, or a new schema, attached as an
// empty database in memory. Fails like event_catalog::load, and with invalid_argument if SQLite
// refuses a table.
[[nodiscard]] result<void> attach_journal(sqlite3& database, const std::filesystem::path& directory,
                                          std::string_view name = "main",
                                          const attach_options& options = {});

}  // namespace pawl
