// Appending to a journal.
//
//     auto log = pawl::writer::open("orders");
//     if (!log) return log.error();
//     auto placed = log->append({.type = 1, .stream = 42}, bytes);
//     if (!placed) return placed.error();
//     return log->wait_durable(placed->sequence);  // once it returns, a power cut cannot take it
//
// A directory has one writer at a time, across all processes.
//
// ONE THREAD AT A TIME USES A WRITER; other threads may concurrently make the calls marked "any
// thread". Two threads in append at once damage the journal. A debug build of the library returns
// busy to every call that overlaps another; a release build only to most of them, because certainty
// would cost more than the rest of a small append. Handing a writer over to another thread needs
// the synchronization that handing over any object needs.
//
// An idle writer wakes up 20 times a second: after one second without an append, its background
// looks for the next one every 51 ms instead of every millisecond. The first event after that
// reaches a blocked follower, and the interval sync, up to 50 ms later than usual; sync(),
// wait_durable() and spinning readers are not affected.
#pragma once

#include <pawl/journal/counter.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/journal/options.hpp>
#include <pawl/journal/prune.hpp>
#include <pawl/journal/recovery_report.hpp>
#include <pawl/journal/tags.hpp>
#include <pawl/journal/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace pawl {

namespace detail {
class appender;
class writer_state;
}  // namespace detail

// Space inside the segment in which the caller builds a payload in place. Exactly one of commit and
// abandon ends it; the destructor abandons. Must not outlive its writer.
class [[nodiscard]] reservation {
  public:
    reservation(reservation&& other) noexcept;
    reservation& operator=(reservation&&) = delete;
    ~reservation();

    // The reserved space, 8-byte aligned, contents undefined.
    [[nodiscard]] std::span<std::byte> payload() const noexcept { return payload_; }

    // Publishes the first `bytes` of it as the event's payload. Fails like append; on failure
    // nothing is published and the reservation has ended.
    [[nodiscard]] result<receipt> commit(std::size_t bytes) noexcept;
    void abandon() noexcept;

  private:
    friend class writer;
    friend class batch;
    reservation(detail::appender* appender, std::span<std::byte> payload) noexcept
        : appender_{appender}, payload_{payload} {}

    detail::appender* appender_;
    std::span<std::byte> payload_;
};

// Several events that become visible together or not at all, across streams too, also after a
// crash. Exactly one of commit and abandon ends it; the destructor abandons. Must not outlive its
// writer.
class [[nodiscard]] batch {
  public:
    batch(batch&& other) noexcept;
    batch& operator=(batch&&) = delete;
    ~batch();

    // Adds an event. The receipt is valid once the batch is committed. Expected versions count the
    // events added before; conditions do not. Fails with conflict, or with too_large if the
    // reserved room is used up; the batch is then unchanged, and the caller may commit what it
    // holds or abandon it. A condition costs one probe of the table of streams, and if the batch
    // has written its stream, a search among the events added before.
    [[nodiscard]] result<receipt> append(const event_header& header,
                                         std::span<const std::byte> payload) noexcept;
    // Like append, with the payload built in place; the reservation must end before the next call.
    [[nodiscard]] result<reservation> reserve(const event_header& header,
                                              std::size_t max_bytes) noexcept;

    [[nodiscard]] std::uint32_t size() const noexcept;

    // Publishes all events and returns the last one's receipt. An empty batch is invalid_argument.
    [[nodiscard]] result<receipt> commit() noexcept;
    void abandon() noexcept;

  private:
    friend class writer;
    explicit batch(detail::appender* appender) noexcept : appender_{appender} {}

    detail::appender* appender_;
};

struct writer_statistics {
    sequence_number published = 0;  // exclusive
    sequence_number durable = 0;    // exclusive
    std::uint64_t appended_bytes = 0;
    std::uint64_t rollovers = 0;
    std::uint64_t syncs = 0;
    std::uint64_t back_pressure = 0;  // appends that found the next segment not ready
    std::uint64_t populated_bytes = 0;
    std::uint64_t scrubbed_bytes = 0;
    std::uint64_t streams = 0;
    std::uint64_t pruned_segments = 0;  // by writer_options::retention
    std::uint64_t failed_prunes = 0;    // the same: holds that could not be had, or a shortage
};

class writer {
  public:
    // Opens the journal in `directory`, creating or recovering it as needed; recovery() reports
    // what was found. Fails with locked, not_a_journal, newer_format, damaged, missing_segment,
    // network_file_system, foreign_owner, disk_full or io. After damaged or foreign_owner, nothing
    // has been changed.
    [[nodiscard]] static result<writer> open(const std::filesystem::path& directory,
                                             const writer_options& options = {});

    writer(writer&&) noexcept;
    writer& operator=(writer&&) noexcept;
    // Ends without waiting for the disk: as after the death of the process, the next open recovers.
    // Until then the journal keeps the room of its last segment and of the prepared ones, 512 MiB
    // by default; the recovery gives it back. Call close() to end cleanly. Waits for the background
    // threads to finish the step they are in, which may be a sync.
    ~writer();

    [[nodiscard]] const recovery_report& recovery() const noexcept;
    [[nodiscard]] const std::filesystem::path& directory() const noexcept;
    [[nodiscard]] const journal_id& id() const noexcept;
    [[nodiscard]] const journal_identity& identity() const noexcept;

    // Publishes one event. No allocation, lock or system call between rollovers. Fails with
    // conflict, repeated, command_id_reused, too_large, invalid_argument, busy, back_pressure,
    // disk_full, poisoned, closed or forked, and with io if a page of the segment is gone; on
    // failure nothing is published. With when_full::spin it waits for the next segment and for room
    // in the table of streams, also while descriptors or memory are short, and returns disk_full
    // but not back_pressure, unless 2^32 events are published and not durable.
    [[nodiscard]] result<receipt> append(const event_header& header,
                                         std::span<const std::byte> payload) noexcept;

    // The event that `placed` refers to, as a reader sees it, without reading the journal. `placed`
    // must come from the last append or batch of this writer; the view is valid until the next one.
    [[nodiscard]] event appended(const receipt& placed) const noexcept;

    // Reserves space for a payload of at most `max_bytes`. The expected version is checked here;
    // commit assigns the sequence.
    [[nodiscard]] result<reservation> reserve(const event_header& header,
                                              std::size_t max_bytes) noexcept;

    // Opens a batch with room for `events` events of `payload_bytes` in total, metadata
    // (metadata_bytes) included. It must fit into one segment (too_large).
    [[nodiscard]] result<batch> begin_batch(std::uint32_t events,
                                            std::size_t payload_bytes) noexcept;

    // The number of the stream with this name (1 to 1024 bytes), assigned and recorded at first
    // use. Not for the hot path: may allocate and appends a system frame. `timestamp_ns` is used
    // only with clock_source::caller.
    [[nodiscard]] result<stream_id> stream(std::string_view name, std::uint64_t timestamp_ns = 0);
    // Records what the payloads of an event type at one schema version mean, before the next event:
    // once for each distinct content, so a program describes its types at every start. Returns
    // whether it was recorded now. Not for the hot path: the first call reads the heads of the
    // journal's indexes and the segments that hold descriptions, and each allocates and may append
    // a system frame. busy while a batch or reservation is open, invalid_argument for a name that
    // is empty or longer than 1024 bytes or a type of Pawl's own, too_large for what does not fit
    // into a segment. `timestamp_ns` is used only with clock_source::caller.
    [[nodiscard]] result<bool> describe(const type_description& what,
                                        std::uint64_t timestamp_ns = 0);
    // The version of a stream; 0 if it holds no event, no_value if neither heads nor log can be
    // read.
    [[nodiscard]] stream_version version(stream_id stream) const noexcept;
    // Calls visit(event) for each event of the stream whose version is greater than `after`, in
    // order, and returns how many there were: what a conflict missed. Events in the newest segment
    // are read in place, without a system call; for older ones a cursor reads the segments that
    // hold the stream. The events are valid during the call, in which the writer must not be used.
    // Fails with busy beside an open batch or reservation, and as a cursor does.
    [[nodiscard]] result<std::uint64_t> read_since(
        stream_id stream, stream_version after,
        const std::function<void(const event&)>& visit) const;
    // Commands. An event whose metadata names a command (metadata.hpp, reference_to) belongs to it.
    // If the writer remembers the command's id (writer_options::command_window), append, reserve
    // and batch::append refuse the event before they look at any expected version or condition:
    // with repeated, or with command_id_reused if the command's bytes are others. Events of one
    // command follow each other in one batch; a batch may hold those of several commands.
    //
    // The command with this id, if the writer remembers it.
    [[nodiscard]] std::optional<recorded_command> find_command(const message_id& id) const noexcept;
    // Calls visit(event) for each event of the command, in order, as read_since does for those of a
    // stream. not_found if the writer does not remember the id.
    [[nodiscard]] result<recorded_command> read_command(
        const message_id& id, const std::function<void(const event&)>& visit) const;
    // Records that a command, named in `metadata`, led to no event: it is remembered by an event of
    // reserved_type::handled with `outcome` (at most max_outcome_bytes). Fails like append, and
    // with invalid_argument if there are tags. `timestamp_ns` is used only with
    // clock_source::caller.
    [[nodiscard]] result<receipt> append_handled(std::span<const metadata_entry> metadata,
                                                 std::span<const std::byte> outcome,
                                                 std::uint64_t timestamp_ns = 0) noexcept;
    // Position of the stream's last event, for a cursor that starts there (from_position).
    [[nodiscard]] std::optional<log_position> last_position(stream_id stream) const noexcept;

    // The sequence of the last event that names the tag, without those of an open batch; none if no
    // event ever did, pruned ones included.
    [[nodiscard]] std::optional<sequence_number> last_named(tag_id tag) const noexcept;
    // The end of the log now, for unless_condition::after of an append to come.
    [[nodiscard]] writer_point point() const noexcept;

    // The sequence of the next event.
    [[nodiscard]] sequence_number next_sequence() const noexcept;

    // any thread: Every event below this is visible to readers / on stable storage.
    [[nodiscard]] sequence_number published() const noexcept;
    [[nodiscard]] sequence_number durable() const noexcept;
    // any thread: Makes everything published so far durable and returns the watermark. Callers
    // that arrive together share one sync.
    [[nodiscard]] result<sequence_number> sync();
    // any thread: Returns once event `sequence` is durable; syncs if no other thread does.
    [[nodiscard]] result<sequence_number> wait_durable(sequence_number sequence);
    // any thread: The same, spinning instead of sleeping; needs a sync policy.
    [[nodiscard]] result<sequence_number> spin_durable(sequence_number sequence) const noexcept;
    // any thread: Removes the oldest events as pawl::prune does, beside appends, which do not wait
    // for it; the calling thread reads the segments that go. Waits for a segment that is being
    // sealed and for another prune. For a policy that is applied in the background see
    // writer_options::retention. Fails like pawl::prune, and with poisoned, closed or forked.
    [[nodiscard]] result<prune_report> prune(const prune_options& options);
    // any thread: poisoned with the first failed sync, or damage found by the scrub; else empty.
    [[nodiscard]] std::optional<error> failure() const;
    // any thread:
    [[nodiscard]] writer_statistics statistics() const noexcept;
    // any thread: A counter of this name (counter.hpp): a new one, or the one that has it already.
    // Not for the hot path. invalid_argument unless the name has 1 to 39 of a to z, 0 to 9 and _,
    // the first no digit; too_large if there are 48 already.
    [[nodiscard]] result<counter> register_counter(std::string_view name,
                                                   counter_kind kind = counter_kind::gauge);

    // Does the background work that is due, for programs without background threads.
    [[nodiscard]] result<void> poll();

    // Syncs, seals the last segment and releases the journal. Any later call fails with closed.
    // Fails if the end of the log could not be made durable: then the next open recovers. Indexes
    // and stream heads for which there is no room, descriptor or memory are left to the next open,
    // and that is no failure; another error in making them is returned, and the journal is closed.
    // busy inside an observer.
    [[nodiscard]] result<void> close();

  private:
    explicit writer(std::unique_ptr<detail::writer_state> state) noexcept;
    std::unique_ptr<detail::writer_state> state_;
    detail::appender* appender_ = nullptr;
};

}  // namespace pawl
