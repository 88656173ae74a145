// Looking at a journal as a whole: what it is, whether it is sound, and bringing it back after a
// crash.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/journal/options.hpp>
#include <pawl/journal/recovery_report.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pawl {

struct segment_info {
    std::uint64_t ordinal = 0;
    std::uint64_t epoch = 0;
    std::uint64_t bytes = 0;
    std::uint64_t created_ns = 0;
    bool sealed = false;                 // a valid index stands beside it
    std::string end;                     // "rolled", "closed", "cut", or "" while it has none
    sequence_number first_sequence = 0;  // of sealed segments
    sequence_number end_sequence = 0;    // exclusive; of sealed segments
};

struct journal_info {
    journal_id id{};
    std::uint32_t format_version = 0;
    std::uint64_t created_ns = 0;
    std::uint64_t segment_bytes = 0;
    std::vector<segment_info> segments;
    // From the control page: where a writer says it is.
    std::string state;  // "open", "closed", "poisoned", "disk_full", "unknown"
    bool locked = false;
    std::string owner;  // process, program and host of the last writer
    std::uint64_t heartbeat_ns = 0;
    sequence_number published = 0;  // a lower bound
    sequence_number durable = 0;
};

// Reads identity, control page, segment headers and indexes; no frames. Cost: proportional to the
// number of segments.
[[nodiscard]] result<journal_info> inspect(const std::filesystem::path& directory);

struct finding {
    error what;
    bool damage = true;  // false: worth knowing, nothing is lost (an index or stream heads to be
                         // rebuilt, one bad header copy)
};

struct verify_report {
    journal_id id{};
    std::uint64_t segments = 0;
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    sequence_number first_sequence = 0;
    sequence_number next_sequence = 0;
    std::string end;  // "open", "closed", "torn"
    std::uint64_t torn_bytes = 0;
    std::uint64_t streams = 0;  // with verify_options::deep, as far as they were followed
    std::vector<finding> findings;

    [[nodiscard]] bool sound() const noexcept;  // no finding is damage
};

struct verify_options {
    // Called now and then with the bytes read so far and in all.
    std::function<void(std::uint64_t, std::uint64_t)> progress{};
    // Also looks across files: whether each stream's versions go on from segment to segment without
    // a gap and names are given in order, which is damage where it is not so; and whether the file
    // of stream heads says what the log says at the place it stands for, where a difference is
    // none, for the file is derived: but a writer that opens trusts it. Needs memory for every
    // stream and name, about 64 bytes a stream. Behind a damaged or missing segment streams are
    // followed anew, and names no more.
    bool deep = false;
    // Called for every whole event, in the order of the log, while it is read: what else stands on
    // the events can be checked in the same pass. Where the log is damaged, sequences are missing.
    // The event is valid during the call. Metadata that does not have its form is left in front of
    // the payload.
    std::function<void(const event&)> visit{};
};

// Reads every byte of every segment and index and lists what is wrong with them, each with file,
// offset and sequence. Goes on behind damage in a later segment. Changes nothing.
[[nodiscard]] result<verify_report> verify(const std::filesystem::path& directory,
                                           const verify_options& options = {});

struct recover_options {
    bool dry_run = false;  // the same decisions, and nothing is changed
    verify_at_open verify = verify_at_open::all;
    bool allow_network_file_system = false;
};

// Does what opening for writing does to a journal whose writer died, and leaves it closed. Fails as
// writer::open.
[[nodiscard]] result<recovery_report> recover(const std::filesystem::path& directory,
                                              recover_options options = {});

// Names handed out by writer::stream, as far as the log has them.
[[nodiscard]] result<std::optional<stream_id>> find_stream(const std::filesystem::path& directory,
                                                           std::string_view name);

}  // namespace pawl
