// The commands of `pawl`, each a function from its options to an exit code.
#pragma once

#include "events/selection.hpp"
#include "terminal/exit_code.hpp"
#include "terminal/rows.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

// NOLINTBEGIN(readability-identifier-naming): the library's names
namespace CLI {
class App;
}  // namespace CLI
// NOLINTEND(readability-identifier-naming)

namespace pawl::cli {

struct info_options {
    std::filesystem::path directory{};
    bool segments = false;
    bool json = false;
};
[[nodiscard]] exit_code info(const info_options& options);

struct verify_command_options {
    std::filesystem::path directory{};
    bool deep = false;
    std::filesystem::path chain{};       // an attestation; empty: none
    std::filesystem::path public_key{};  // of its signature; empty: it is not checked
    bool json = false;
};
[[nodiscard]] exit_code verify_command(const verify_command_options& options);

struct dump_options {
    std::filesystem::path directory{};
    selection selected{};
    row_format format = row_format::json;
    bool raw = false;       // places, hashes and payloads in hexadecimal
    bool exact = false;     // stream numbers, payloads as base64, names and descriptions
    bool strings = false;   // 64-bit integers as strings
    bool defaults = false;  // also fields that an event leaves out
};
[[nodiscard]] exit_code dump(const dump_options& options);

struct append_options {
    std::filesystem::path directory{};
    std::filesystem::path schema{};  // a schema file, or a journal; empty: the journal itself
    std::string type{};
    std::optional<std::uint16_t> type_number{};
    std::string stream{};
    std::string stream_field{};
    std::uint64_t batch = 0;
    std::optional<std::uint64_t> expect{};
    bool json = false;
    bool allow_network_file_system = false;
};
[[nodiscard]] exit_code append(const append_options& options);

struct sql_options {
    std::filesystem::path directory{};
    std::string query{};                  // empty: those of standard input
    std::vector<std::string> attached{};  // NAME=DIR
    row_format format = row_format::table;
    bool allow_network_file_system = false;
};
[[nodiscard]] exit_code sql(const sql_options& options);

struct check_schema_options {
    std::filesystem::path directory{};
    std::filesystem::path schema{};
    bool json = false;
    bool allow_network_file_system = false;
};
[[nodiscard]] exit_code check_schema(const check_schema_options& options);

struct recover_command_options {
    std::filesystem::path directory{};
    std::filesystem::path salvage{};  // a directory for what can be read; empty: recover
    std::optional<std::uint64_t> truncate_before{};  // by force
    std::string confirm{};                           // with it: the journal's id
    bool dry_run = false;
    bool json = false;
    bool allow_network_file_system = false;
};
[[nodiscard]] exit_code recover_command(const recover_command_options& options);
[[nodiscard]] exit_code salvage_command(const recover_command_options& options);
[[nodiscard]] exit_code force_truncate_command(const recover_command_options& options);

struct backup_options {
    std::filesystem::path directory{};
    std::filesystem::path out{};
    bool json = false;
};
[[nodiscard]] exit_code backup_command(const backup_options& options);

// A stream in NATS JetStream.
struct stream_arguments {
    std::vector<std::string> servers{};  // none: no stream is meant
    std::string stream{};
    std::string credentials{};  // a file; empty: none
};

struct restore_options {
    std::filesystem::path out{};        // of a backup; with a stream: of the journal to be made
    std::filesystem::path directory{};  // of the journal to be made
    stream_arguments from{};
    bool as_new = false;
    bool json = false;
    bool allow_network_file_system = false;
};
[[nodiscard]] exit_code restore_command(const restore_options& options);
// From a stream.
[[nodiscard]] exit_code restore_stream_command(const restore_options& options);

struct relay_command_options {
    std::filesystem::path directory{};
    stream_arguments to{};
    std::uint32_t replicas = 1;
    bool published = false;
    bool once = false;
    bool json = false;
    bool allow_network_file_system = false;
};
[[nodiscard]] exit_code relay_command(const relay_command_options& options);

// Of a journal and the stream that holds its events.
struct replica_command_options {
    std::filesystem::path directory{};
    stream_arguments from{};
    bool json = false;
    bool allow_network_file_system = false;
};
[[nodiscard]] exit_code follow_command(const replica_command_options& options);
[[nodiscard]] exit_code promote_command(const replica_command_options& options);
[[nodiscard]] exit_code relay_verify_command(const replica_command_options& options);

// At least one of the first three is given.
struct prune_command_options {
    std::filesystem::path directory{};
    std::optional<std::uint64_t> keep_seconds{};
    std::optional<std::uint64_t> before{};
    std::optional<std::uint64_t> keep_bytes{};
    bool dry_run = false;
    bool json = false;
    bool allow_network_file_system = false;
};
[[nodiscard]] exit_code prune_command(const prune_command_options& options);

struct consumers_options {
    std::filesystem::path directory{};
    bool json = false;
};
[[nodiscard]] exit_code consumers(const consumers_options& options);

struct drop_consumer_options {
    std::filesystem::path directory{};
    std::string name{};
    bool json = false;
};
[[nodiscard]] exit_code drop_consumer_command(const drop_consumer_options& options);

struct projections_options {
    std::filesystem::path database{};
    bool json = false;
};
[[nodiscard]] exit_code projections(const projections_options& options);

struct parked_options {
    std::filesystem::path database{};
    std::string name{};
    std::string key{};
    bool json = false;
};
[[nodiscard]] exit_code retry_parked_command(const parked_options& options);
[[nodiscard]] exit_code drop_parked_command(const parked_options& options);

struct drop_projection_options {
    std::filesystem::path database{};
    std::string name{};
    std::uint32_t version = 0;
    bool json = false;
};
[[nodiscard]] exit_code drop_projection_command(const drop_projection_options& options);

struct snapshot_command_options {
    std::filesystem::path directory{};
    bool json = false;
};
[[nodiscard]] exit_code list_snapshots_command(const snapshot_command_options& options);
[[nodiscard]] exit_code verify_snapshots_command(const snapshot_command_options& options);

struct types_options {
    std::filesystem::path directory{};
    bool json = false;
    bool allow_network_file_system = false;
};
[[nodiscard]] exit_code types(const types_options& options);

struct streams_options {
    std::filesystem::path directory{};
    std::uint64_t top = 0;  // 0: all, by name
    std::string name{};     // a pattern as in a shell; empty: all
    bool json = false;
    bool allow_network_file_system = false;
};
[[nodiscard]] exit_code streams(const streams_options& options);

struct clock_options {
    std::filesystem::path directory{};
    bool reports = false;
    bool json = false;
    bool allow_network_file_system = false;
};
[[nodiscard]] exit_code clock_command(const clock_options& options);

struct stat_options {
    std::filesystem::path directory{};
    std::filesystem::path projections{};  // a database of them; empty: none are shown
    std::filesystem::path textfile{};     // for Prometheus; empty: to standard output
    bool prometheus = false;
    bool watch = false;
    double interval_s = 1;
    std::uint64_t count = 0;  // with watch: how often; 0: until interrupted
    bool json = false;
};
[[nodiscard]] exit_code stat_command(const stat_options& options);

// What pawl itself is like: `all` is its command line.
struct completion_options {
    std::string shell{};  // bash or zsh
};
[[nodiscard]] exit_code completion_command(const completion_options& options, const CLI::App& all);

struct man_options {
    std::vector<std::string> command{};  // and a command of it; empty: pawl itself
    std::filesystem::path into{};        // a directory for all pages
};
[[nodiscard]] exit_code man_command(const man_options& options, const CLI::App& all);

struct bundle_options {
    std::filesystem::path directory{};
    std::filesystem::path out{};
    bool quick = false;  // without verification
    bool json = false;
};
[[nodiscard]] exit_code bundle_command(const bundle_options& options);

struct attest_options {
    std::filesystem::path directory{};
    std::filesystem::path file{};  // the attestation
    std::filesystem::path key{};   // a private one; empty: it is not signed
    std::string anchor{};          // a shell command that gets the statement; empty: none
    bool json = false;
    bool allow_network_file_system = false;
};
[[nodiscard]] exit_code attest_command(const attest_options& options);

struct prove_options {
    std::filesystem::path directory{};
    std::uint64_t sequence = 0;
    std::filesystem::path file{};  // the attestation
    bool allow_network_file_system = false;
};
[[nodiscard]] exit_code prove_command(const prove_options& options);

struct view_options {
    std::filesystem::path directory{};
    std::uint16_t port = 0;  // 0: a free one
    bool json = false;
    bool allow_network_file_system = false;
};
[[nodiscard]] exit_code view(const view_options& options);

struct tail_options {
    std::filesystem::path directory{};
    std::uint64_t lines = 10;
    bool follow = false;
    bool wait = false;  // for the journal to be created
    bool durable = false;
    bool json = false;
    bool allow_network_file_system = false;
};
[[nodiscard]] exit_code tail(const tail_options& options);

}  // namespace pawl::cli
