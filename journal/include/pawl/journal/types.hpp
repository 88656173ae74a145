// Small value types shared by readers and writers.
#pragma once

#include <pawl/journal/metadata.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl {

// An event's number in the journal's total order: 0, 1, 2, … without gaps.
using sequence_number = std::uint64_t;

// A stream groups the events of one thing (an order, an account, an instrument), and numbers them
// 1, 2, 3, … within itself. The caller chooses numbers below first_named_stream, or lets the writer
// assign one to a name (writer::stream).
using stream_id = std::uint64_t;

// The firehose: events that belong to no stream and carry version 0.
inline constexpr stream_id no_stream_id = 0;

// Numbers from here on are assigned to names; a caller's own must be smaller.
inline constexpr stream_id first_named_stream = std::uint64_t{1} << 63;

// How many events a stream holds, which is also the version of its last one; 0 before the first.
using stream_version = std::uint64_t;

// A number that an event may name besides its stream (tags.hpp); of the same kind as a stream's.
using tag_id = stream_id;

struct unless_condition;  // tags.hpp

// Identifies a journal; drawn at random when the journal is created.
using journal_id = std::array<std::uint8_t, 16>;

// Identifies the journal in a directory, and the journal whose events it holds: the events of a
// copy are its origin's. In an original both are the same.
struct journal_identity {
    journal_id id{};
    journal_id origin{};

    friend constexpr bool operator==(const journal_identity&, const journal_identity&) = default;
};

// The position of a frame.
struct log_position {
    std::uint64_t ordinal = 0;  // segment
    std::uint64_t offset = 0;   // byte in the segment

    friend constexpr auto operator<=>(const log_position&, const log_position&) = default;
};

// A checkable place in the log: the number of events read so far and the two hashes of the last
// one. A power cut can take a published event, and its sequence is then reused; a reader that
// stored only the sequence would continue without noticing. The content hash is the same in every
// copy of the journal. The frame hash also covers where the event lies, and so distinguishes it
// from one that was appended again with the same content after other events; it must match in the
// journal that the point was taken in. {} is the beginning of every journal.
struct log_point {
    sequence_number next = 0;        // the first sequence not taken yet
    std::uint64_t content_hash = 0;  // of event next - 1
    std::uint64_t frame_hash = 0;    // of event next - 1

    friend constexpr bool operator==(const log_point&, const log_point&) = default;
};

// A stream's name as the log records it, before the first event of the stream.
struct recorded_name {
    stream_id stream = no_stream_id;
    std::uint64_t timestamp_ns = 0;
    std::string name;
};

// What the payloads of an event type at one schema version mean. To the journal `bytes` is opaque;
// a codec puts its schema there.
struct type_description {
    std::uint16_t type = 0;
    std::uint16_t schema_version = 0;
    std::string_view name;             // for people: 1 to 1024 bytes of UTF-8
    std::span<const std::byte> bytes;  // may be empty
};

// A description as the log records it. Of several for one type and schema version, the last counts.
struct recorded_description {
    std::uint16_t type = 0;
    std::uint16_t schema_version = 0;
    sequence_number next_sequence = 0;  // of the first event after it
    std::uint64_t timestamp_ns = 0;
    std::string name;
    std::vector<std::byte> bytes;
};

// What a reader finds at the end of a journal.
enum class end_of_journal : std::uint8_t {
    open,    // a writer is active, or may come
    closed,  // ended cleanly
    torn,    // a torn tail: the next open for writing cuts here
};
[[nodiscard]] std::string_view to_string(end_of_journal end) noexcept;

// The result of an append.
struct receipt {
    sequence_number sequence = 0;
    stream_version version = 0;  // in the event's stream; 0 for the firehose
    log_position position{};
};

// A command that took effect, and its events: all that it led to, which follow each other.
struct recorded_command {
    command_reference command{};
    sequence_number first = 0;
    std::uint32_t events = 0;
    log_position position{};  // of the first event; {} if it was pruned before the open
};

// What must be true of the stream for an append to go through (optimistic concurrency).
class expect {
  public:
    // No condition.
    [[nodiscard]] static constexpr expect any() noexcept { return expect{any_value}; }
    // The stream must hold no event yet.
    [[nodiscard]] static constexpr expect no_stream() noexcept { return expect{0}; }
    // The stream must hold at least one event.
    [[nodiscard]] static constexpr expect exists() noexcept { return expect{exists_value}; }
    // The stream must hold exactly `version` events. No version, computed or not, means any():
    // those that no stream can reach are a conflict.
    [[nodiscard]] static constexpr expect exactly(stream_version version) noexcept {
        return expect{version < unreachable_value ? version : unreachable_value};
    }

    [[nodiscard]] constexpr bool admits(stream_version actual) const noexcept {
        return value_ == any_value || value_ == actual || (value_ == exists_value && actual != 0);
    }
    [[nodiscard]] constexpr bool asks_nothing() const noexcept { return value_ == any_value; }
    [[nodiscard]] constexpr bool asks_exists() const noexcept { return value_ == exists_value; }
    // The version asked for, if neither any() nor exists() is asked for.
    [[nodiscard]] constexpr stream_version version() const noexcept { return value_; }

  private:
    static constexpr stream_version any_value = ~std::uint64_t{0};
    static constexpr stream_version exists_value = any_value - 1;
    static constexpr stream_version unreachable_value = any_value - 2;
    constexpr explicit expect(stream_version value) noexcept : value_{value} {}
    stream_version value_;
};

// What must be true of a stream that the event need not belong to.
struct stream_condition {
    stream_id stream = no_stream_id;
    expect expected = expect::any();
};

// Event types from here to 0xffff are Pawl's own. A writer refuses them from an application with
// invalid_argument; one that copies a journal (writer_options::origin) appends them as it finds
// them. They belong to no stream, have version 0, and typed dispatch and folds pass over them.
inline constexpr std::uint16_t first_reserved_type = 0xff00;

enum class reserved_type : std::uint16_t {
    erased = 0xff01,    // subjects whose keys were destroyed, and the reference of the request
    handled = 0xff02,   // a command that led to no event: its outcome
    promoted = 0xff03,  // a replica became the writer
    lost = 0xff04,      // in a salvaged journal: an event that could not be read
};

// The payload of a handled event: what the application keeps of a command's outcome.
inline constexpr std::size_t max_outcome_bytes = 64;

class tag_set;  // tags.hpp

// The tags of an event as its header takes them: none, or those of a set, to which it refers.
class tag_list {
  public:
    constexpr tag_list() noexcept = default;
    // NOLINTNEXTLINE(google-explicit-constructor): `.tags = pawl::tag_set{7, 9}` is how it is used
    constexpr tag_list(const tag_set& tags) noexcept : set_{&tags} {}

    // These three are defined in tags.hpp.
    [[nodiscard]] constexpr bool empty() const noexcept;
    [[nodiscard]] constexpr std::size_t size() const noexcept;
    [[nodiscard]] constexpr std::span<const tag_id> span() const noexcept;

  private:
    const tag_set* set_ = nullptr;
};

// Everything about an event but its payload.
struct event_header {
    std::uint16_t type = 0;  // the caller's numbering of event types, below first_reserved_type
    std::uint16_t schema_version = 0;  // of that type's payload
    stream_id stream = no_stream_id;
    expect expected = expect::any();
    std::uint64_t timestamp_ns = 0;  // since the Unix epoch; used only with clock_source::caller
    // Stored in front of the payload (metadata.hpp); copied, so it need not outlive the call. The
    // tags of Pawl's own must ascend, with values of the sizes they ask for (invalid_argument).
    std::span<const metadata_entry> metadata{};
    // What else must be true, of any number of streams, for the event to be appended: a decision
    // that read several streams names their versions here. They are compared with the log as it was
    // before the event or its batch, wherever in the batch they are given, and the first that does
    // not hold is the conflict: error::stream names its stream. Need not outlive the call.
    std::span<const stream_condition> conditions{};
    // What the event concerns besides its stream: a valid tag_set (tags.hpp), which need not
    // outlive the call; invalid_argument for one that is too large or holds 0. Stored as
    // metadata_tag::tags, which `metadata` then must not contain.
    tag_list tags{};
    // Events that must not have been appended, or null. Like `conditions`, judged against the log
    // before the event or its batch, after them. Need not outlive the call.
    const unless_condition* unless = nullptr;
};
// A caller makes one of these for each event. Up to this size GCC zeroes it with a few stores;
// beyond, with `rep stos`, which takes as long as a tenth of an append.
static_assert(sizeof(event_header) <= 80);

}  // namespace pawl
