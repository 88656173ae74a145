// Operations on a whole journal: inspect it, verify it, and recover it after a crash.
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

// How a segment ends.
enum class segment_end_type : std::uint8_t {
    none,    // not yet, or it is not sealed
    rolled,  // the log continues in the next segment
    closed,  // the writer was closed
    cut,     // a recovery cut a torn tail
};
[[nodiscard]] std::string_view to_string(segment_end_type end) noexcept;

// What the last writer reports of itself.
enum class journal_state : std::uint8_t {
    unknown,  // there is no control page, or it is not this journal's
    open,     // also after a crash
    closed,
    poisoned,   // a failure ended it
    disk_full,  // it waits for room
};
[[nodiscard]] std::string_view to_string(journal_state state) noexcept;

struct segment_info {
    std::uint64_t ordinal = 0;
    std::uint64_t epoch = 0;
    std::uint64_t bytes = 0;
    std::uint64_t created_ns = 0;
    bool sealed = false;  // it has a valid index
    segment_end_type end = segment_end_type::none;
    sequence_number first_sequence = 0;  // of sealed segments
    sequence_number end_sequence = 0;    // exclusive; of sealed segments
    // Of the events of sealed segments; 0 without events.
    std::uint64_t min_timestamp_ns = 0;
    std::uint64_t max_timestamp_ns = 0;
};

struct journal_info {
    journal_id id{};
    journal_id origin{};  // of the journal that this is a copy of; in an original its own
    std::uint32_t format_version = 0;
    std::uint64_t created_ns = 0;
    std::uint64_t segment_bytes = 0;
    sequence_number first_sequence = 0;  // more than 0 once events were pruned
    std::vector<segment_info> segments;
    // From the control page: the writer's own report.
    journal_state state = journal_state::unknown;
    bool locked = false;
    std::string owner;  // process, program and host of the last writer
    std::uint64_t heartbeat_ns = 0;
    sequence_number published = 0;  // a lower bound
    sequence_number durable = 0;
    // "NFS", "FUSE", … if it lies on a file system that writers and cursors refuse unless they are
    // allowed; what is said of a writer on another machine may be wrong there. Empty: on another.
    std::string network_file_system;
    // With inspect_options::pass_over_faults: why segments that are there are not in `segments`.
    std::vector<error> faults;
};

struct inspect_options {
    // True: a segment whose header cannot be read is left out of the list and named in `faults`.
    // False: it is an error of the call.
    bool pass_over_faults = false;
};

// Reads identity, control page, segment headers and indexes, but no frames. The cost is
// proportional to the number of segments.
[[nodiscard]] result<journal_info> inspect(const std::filesystem::path& directory,
                                           const inspect_options& options = {});

// Where to begin to read a sealed segment for events of `since_ns` or later: no event that it holds
// before the returned sequence has such a time. Time stamps need not ascend, so later events may
// have earlier ones. Nothing if the segment has no valid index. Reads a few blocks of the index.
[[nodiscard]] result<std::optional<sequence_number>> first_since(
    const std::filesystem::path& directory, std::uint64_t ordinal, std::uint64_t since_ns);

struct finding {
    error what;
    bool damage = true;  // false: worth knowing, nothing is lost (an index or stream heads to be
                         // rebuilt, one bad header copy), or it could not be read
    bool unreadable = false;  // the system refused to show it (permissions, a failing disk)
};

// Events with nothing missing between them.
struct event_run {
    sequence_number first = 0;
    sequence_number end = 0;  // exclusive
};

struct verify_report {
    journal_id id{};
    journal_id origin{};  // of the journal that this is a copy of; in an original its own
    std::uint64_t segments = 0;
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    sequence_number first_sequence = 0;
    sequence_number next_sequence = 0;
    end_of_journal end = end_of_journal::open;
    std::uint64_t torn_bytes = 0;
    std::uint64_t streams = 0;  // with verify_options::deep, as far as they were followed
    std::vector<finding> findings;
    // What can be read, in log order: one run in a sound journal, and one more after each place
    // where events are missing. If segments of two histories were mixed, runs overlap.
    std::vector<event_run> runs;

    [[nodiscard]] bool sound() const noexcept;  // all was read, and no finding is damage
};

struct verify_options {
    // Called now and then with the bytes read so far and the total.
    std::function<void(std::uint64_t, std::uint64_t)> progress{};
    // Also compare files with each other. Versions of a stream that do not continue from segment to
    // segment, and names out of order, are damage. Stream heads that disagree with the log are a
    // notice, because they are derived, although a writer that opens trusts them. Needs memory for
    // every stream and name, about 64 bytes per stream. After a prune, streams and names continue
    // from what `retained` says of them. After a damaged or missing segment, streams start over and
    // names are no longer checked.
    bool deep = false;
    // Called for every whole event, in log order, so that whatever is derived from the events can
    // be checked in the same pass. Sequences are missing where the log is damaged. The event is
    // valid during the call. If metadata is malformed, payload() includes it.
    std::function<void(const event&)> visit{};
    // The same for names of streams and descriptions of event types, which the log records between
    // the events. Those that a prune has kept come first, names by number and without a time (0).
    std::function<void(const recorded_name&)> visit_name{};
    std::function<void(const recorded_description&)> visit_description{};
};

// Reads every byte of every segment and index and lists what is wrong, each with file, offset and
// sequence. After damage it continues with the next whole frame in the same segment. Changes
// nothing. Works on every file
// system; on one that writers and cursors refuse a notice says so, because what a writer on another
// machine does meanwhile may not be seen.
[[nodiscard]] result<verify_report> verify(const std::filesystem::path& directory,
                                           const verify_options& options = {});

struct recover_options {
    bool dry_run = false;  // make the same decisions, but change nothing
    verify_at_open verify = verify_at_open::all;
    bool allow_network_file_system = false;  // writer_options
    // Called once, before anything is changed, with what the recovery is about to do. Not called if
    // the journal cannot be recovered.
    std::function<void(const recovery_report&)> plan{};
};

// Does what opening for writing does to a journal whose writer died, and leaves it closed. Fails
// like writer::open.
[[nodiscard]] result<recovery_report> recover(const std::filesystem::path& directory,
                                              const recover_options& options = {});

// The number that writer::stream assigned to `name`, if the log holds it.
[[nodiscard]] result<std::optional<stream_id>> find_stream(const std::filesystem::path& directory,
                                                           std::string_view name);

// The names of all streams that the log holds, in log order; of several with one name, the first
// counts. A name whose frame was pruned has the time stamp 0. Reads the head of each index, and the
// segments that name a stream or are not sealed.
[[nodiscard]] result<std::vector<recorded_name>> stream_names(
    const std::filesystem::path& directory);

// How good the time stamps of a log are, as its writer measured it.
struct recorded_clock {
    clock_source source = clock_source::system;  // tsc or system
    bool synchronised = false;  // the kernel says that its clock follows another (NTP, PTP)
    std::uint64_t estimated_error_ns = 0;  // the kernel's, as the next is (adjtimex)
    std::uint64_t maximum_error_ns = 0;
    std::uint64_t tsc_hz = 0;   // of the time stamp counter, with clock_source::tsc
    std::int64_t drift_ns = 0;  // of the counter against the system clock, since the report before
    std::uint64_t steps = 0;    // of the system clock, seen since the writer was opened
    std::uint64_t timestamp_ns = 0;     // of the report
    sequence_number next_sequence = 0;  // of the first event after it
};

// The last clock report in the log; none if the last two segments that hold anything have none.
// Reads those segments.
[[nodiscard]] result<std::optional<recorded_clock>> last_clock_report(
    const std::filesystem::path& directory);

// All clock reports in the log, in log order. Reads every segment. Damage in a sealed segment is an
// error, because reports may follow it.
[[nodiscard]] result<std::vector<recorded_clock>> clock_reports(
    const std::filesystem::path& directory);

// The descriptions of event types that the log holds (writer::describe), in log order. Reads the
// head of each index, and the segments that hold one or are not sealed. malformed if one does not
// have the form of a description.
[[nodiscard]] result<std::vector<recorded_description>> descriptions(
    const std::filesystem::path& directory);

}  // namespace pawl
