// The hot path: frames into the mapped segment.
#pragma once

#include "append/call_scope.hpp"
#include "append/command_window.hpp"
#include "append/gate.hpp"
#include "append/heads_beneath.hpp"
#include "append/live_segment.hpp"
#include "append/segment_supply.hpp"
#include "append/stream_table.hpp"
#include "format/clock_frame.hpp"
#include "os/assertion.hpp"
#include "os/clock.hpp"
#include "os/directory_handle.hpp"
#include "os/sigbus_guard.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/journal/options.hpp>
#include <pawl/journal/tags.hpp>
#include <pawl/journal/types.hpp>

#include <atomic>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

namespace pawl::detail {

struct appender_setup {
    directory_handle directory;
    journal_id id{};
    std::atomic<std::uint32_t>* gate_word = nullptr;
    const std::atomic<std::uint64_t>* durable = nullptr;
    segment_supply* supply = nullptr;
    live_segment* first = nullptr;
    sequence_number sequence = 0;
    clock_source clock = clock_source::tsc;
    when_full full = when_full::spin;
    bool copying = false;             // accepts Pawl's own event types, too
    std::uint64_t named_streams = 0;  // stream numbers assigned to names so far
    bool reports_clock = false;
    command_window commands{};
    head_runs runs{};           // beneath the tables
    std::uint64_t streams = 0;  // of the journal
};

class appender {
  public:
    appender(appender_setup setup, head_slots heads, head_slots tags);

    [[nodiscard]] result<receipt> append(const event_header& header,
                                         std::span<const std::byte> payload) noexcept;

    // Records a command that led to no event.
    [[nodiscard]] result<receipt> append_handled(std::span<const metadata_entry> metadata,
                                                 std::span<const std::byte> outcome,
                                                 std::uint64_t timestamp_ns) noexcept;

    // Returns nullopt on success, otherwise the error. After that, reserved_payload() may be
    // written.
    [[nodiscard]] std::optional<error> reserve(const event_header& header,
                                               std::size_t max_bytes) noexcept;
    // The same in the open batch, within the room that it asked for.
    [[nodiscard]] std::optional<error> reserve_in_batch(const event_header& header,
                                                        std::size_t max_bytes) noexcept;
    [[nodiscard]] std::span<std::byte> reserved_payload() const noexcept {
        PAWL_ASSERT(reservation_.open);
        return {base_ + position_ + frame_header_bytes + reservation_.extras.bytes,
                reservation_.max_bytes};
    }
    [[nodiscard]] result<receipt> commit_reservation(std::size_t bytes) noexcept;
    void abandon_reservation() noexcept;

    [[nodiscard]] result<void> begin_batch(std::uint32_t events,
                                           std::size_t payload_bytes) noexcept;
    [[nodiscard]] result<receipt> add_to_batch(const event_header& header,
                                               std::span<const std::byte> payload) noexcept;
    [[nodiscard]] std::uint32_t batch_size() const noexcept { return batch_.events; }
    [[nodiscard]] result<receipt> commit_batch() noexcept;
    void abandon_batch() noexcept;

    // Assigns the next stream number to a name and records that in the log.
    [[nodiscard]] result<stream_id> append_name(std::string_view name,
                                                std::uint64_t timestamp_ns) noexcept;
    // Records a description, whose frame has this payload.
    [[nodiscard]] result<void> append_description(std::span<const std::byte> payload,
                                                  std::uint64_t timestamp_ns) noexcept;

    // The background: whether a report that is offered now would be accepted.
    [[nodiscard]] bool wants_clock_report() const noexcept {
        return gate_word_->load(std::memory_order_acquire) == gate_value(gate::open);
    }
    // The background: has the next append write this report first. Only if one is wanted.
    void offer_clock_report(const clock_payload& report) noexcept;
    // The appending thread, with no reservation or batch open: writes a report at the end of the
    // log, if this writer has written one before.
    void append_last_clock_report(const clock_payload& report) noexcept;

    // Zeroes what was left after the last frame and is not part of the log. Returns the end of what
    // was zeroed, which may lie before the position.
    std::uint64_t zero_scribbles() noexcept;
    // Ends the newest segment with a clean end. Everything before it must be durable.
    void append_closed() noexcept;

    // What is known of a stream: in its table, beneath it, or in the log. An open batch counts.
    [[nodiscard]] head_lookup find_head(stream_id stream, stream_head& into) const noexcept;
    // The same of a tag, without the events of an open batch.
    [[nodiscard]] head_lookup find_tag(tag_id tag, stream_head& into) const noexcept;
    [[nodiscard]] const stream_table& streams() const noexcept { return table_; }
    [[nodiscard]] stream_table& streams() noexcept { return table_; }
    // What is known of each tag, as in a run of stream heads.
    [[nodiscard]] const stream_table& tags() const noexcept { return tags_; }
    [[nodiscard]] stream_table& tags() noexcept { return tags_; }
    [[nodiscard]] const heads_beneath& beneath() const noexcept { return beneath_; }
    [[nodiscard]] heads_beneath& beneath() noexcept { return beneath_; }
    [[nodiscard]] sequence_number sequence() const noexcept { return sequence_; }
    [[nodiscard]] const progress& shared() const noexcept { return progress_; }
    [[nodiscard]] const live_segment& newest() const noexcept { return *segment_; }
    // Offsets of the stream's events after a version, the last first, as far as they lie in the
    // newest segment. busy while a batch is open, whose events are not in the log yet.
    [[nodiscard]] result<std::vector<std::uint64_t>> recent_events(stream_id stream,
                                                                   stream_version after) const;
    [[nodiscard]] const command_window& commands() const noexcept { return commands_; }
    // The end of the log, without the events of an open batch.
    [[nodiscard]] writer_point point() const noexcept;
    // The event at a place in the newest segment, which a receipt named.
    [[nodiscard]] event written(log_position position) const noexcept;
    // Whether a batch or reservation is open, whose events are not in the log yet.
    [[nodiscard]] bool is_busy() const noexcept { return busy_; }

  private:
    // An event's place in its stream.
    struct stream_slot {
        stream_head* head = nullptr;  // null for an event without a stream
        stream_version version = 0;
        std::uint32_t back = 0;
    };
    // What an event carries in front of its payload.
    struct event_extras {
        std::size_t bytes = 0;  // in the frame; if 0, there is nothing else
        std::optional<command_reference> command{};
        number_list tags{};            // the caller's, or as they lie in the frame
        std::uint32_t added_tags = 0;  // bit i: the entry of tag i was added for this event

        [[nodiscard]] std::uint8_t flags() const noexcept {
            return bytes == 0 ? 0 : flag::metadata;
        }
    };
    // A frame that is stored except for its time, payload, hash and commit word.
    struct open_reservation {
        bool open = false;
        std::uint16_t type = 0;
        std::uint16_t schema_version = 0;
        std::uint64_t timestamp_ns = 0;  // the caller's
        std::size_t max_bytes = 0;       // of the payload
        stream_slot slot{};
        event_extras extras{};  // stored already
    };
    // What a batch changed in the table of streams.
    struct undo_entry {
        stream_id stream;
        stream_version version;
        std::uint64_t last;
    };
    // A tag that an event of the open batch names.
    struct staged_tag {
        tag_id tag;
        sequence_number sequence;
        std::uint64_t place;
    };
    struct open_batch {
        bool open = false;
        std::uint64_t begin = 0;  // offset of its first frame
        std::uint64_t limit = 0;  // its frames end at or before this
        std::uint32_t events = 0;
        std::uint32_t most_events = 0;
        std::uint32_t witness = 0;
        receipt last{};
    };

    [[nodiscard]] bool may_append() const noexcept {
        return gate_word_->load(std::memory_order_relaxed) == gate_value(gate::open);
    }
    // The same for a batch or reservation that is already open: a clock report waits for its end.
    [[nodiscard]] bool may_go_on() const noexcept {
        return is_open(gate_word_->load(std::memory_order_relaxed));
    }
    // Called if may_append() is false or something is open: admits an event or batch of this many
    // bytes after writing the clock report that the background has asked for, or returns why it may
    // not begin.
    [[nodiscard, gnu::cold, gnu::noinline]] result<void> attend(std::size_t unit_bytes) noexcept;
    [[nodiscard, gnu::cold, gnu::noinline]] result<void> attend_reservation(
        const event_header& header, std::size_t max_bytes) noexcept;
    // Stores a clock report, unless an event or batch of this many bytes would then not fit the
    // segment. Fails if a page of the segment is lost.
    [[nodiscard]] result<void> append_clock_report(std::size_t unit_bytes) noexcept;
    [[nodiscard]] std::unexpected<error> refused() const noexcept;
    // Whether a store went to a lost page, which never reaches the file. Must be checked before an
    // event is reported as published.
    [[nodiscard]] bool lost_a_page() noexcept {
        return count_guarded_faults() != faults_seen_ && look_for_lost_page();
    }
    [[nodiscard, gnu::cold, gnu::noinline]] bool look_for_lost_page() noexcept;
    [[nodiscard, gnu::cold, gnu::noinline]] std::unexpected<error> lost_page() const noexcept;
    [[nodiscard]] std::unexpected<error> give_up_batch() noexcept;
    // The error if an event whose frame has `bytes` does not fit the open batch.
    [[nodiscard]] error batch_is_full(std::size_t bytes) const noexcept;
    [[nodiscard]] std::uint64_t timestamp(std::uint64_t from_caller) const noexcept;
    // How many published events are not durable yet.
    [[nodiscard]] std::uint64_t behind_durable() const noexcept {
        PAWL_ASSERT(durable_->load(std::memory_order_relaxed) <= sequence_);
        return sequence_ - durable_->load(std::memory_order_relaxed);
    }
    // Makes sure that `bytes` fit the current segment, and rolls over if they do not. Returns
    // nullopt on success, otherwise the error.
    [[nodiscard]] std::optional<error> make_room(std::size_t bytes) noexcept;
    // Rolls over to the next segment, for an event or batch of this many bytes.
    [[nodiscard]] std::optional<error> roll(std::size_t bytes) noexcept;
    // Returns the next segment, or why there is none.
    [[nodiscard]] result<live_segment*> wait_for_segment() noexcept;
    // Waits until a full table has room for the stream or tag. Returns its entry, or why there is
    // none.
    [[nodiscard, gnu::cold, gnu::noinline]] result<stream_head*> wait_for_head(
        stream_table& table, stream_id number) noexcept;
    void enter(live_segment* segment) noexcept;
    // Finds the event's place in its stream, or returns why the event may not be appended.
    [[nodiscard]] std::optional<error> place(const event_header& header, std::uint64_t offset,
                                             stream_slot& slot) noexcept;
    [[nodiscard, gnu::cold]] error conflict_with(stream_id stream, expect expected,
                                                 stream_version actual,
                                                 std::string_view reason = {}) const noexcept;
    // Whether the number is in the range of named streams and no name has it.
    [[nodiscard]] bool lacks_its_name(stream_id stream) const noexcept {
        return stream >= first_named_stream && stream - first_named_stream >= named_streams_;
    }
    // The error if one of the event's conditions does not hold. Inline, so that an event without
    // any pays for one comparison.
    [[nodiscard]] std::optional<error> refuse_conditions(
        const event_header& header) const noexcept {
        if (header.conditions.empty()) [[likely]]
            return std::nullopt;
        return unmet_condition(header);
    }
    [[nodiscard, gnu::noinline]] std::optional<error> unmet_condition(
        const event_header& header) const noexcept;
    // The error if an event matches the condition, or its point is not in this log.
    [[nodiscard, gnu::noinline]] std::optional<error> judge(
        const unless_condition& unless) noexcept;
    [[nodiscard]] std::optional<error> judge_all(const unless_condition& unless);
    [[nodiscard]] result<writer_point> find_point(
        const std::variant<log_point, writer_point>& after);
    // `budget` is how many more events may be looked at.
    [[nodiscard]] std::optional<error> judge_item(const tag_query& item, const writer_point& since,
                                                  std::uint64_t& budget);
    [[nodiscard]] std::optional<error> look_at_older(const tag_query& item, tag_id tag,
                                                     const writer_point& since,
                                                     std::uint64_t end_ordinal,
                                                     std::uint64_t& budget);
    [[nodiscard]] std::optional<error> look_at_newest(const tag_query& item,
                                                      const writer_point& since, std::uint64_t end,
                                                      std::uint64_t& budget) const;
    [[nodiscard]] std::optional<error> look_at_all(const tag_query& item, const writer_point& since,
                                                   std::uint64_t& budget);
    // Where the log ends, without the events of an open batch.
    [[nodiscard]] std::uint64_t end_of_log() const noexcept {
        return batch_.open ? batch_.begin : position_;
    }
    // Without the events of an open batch.
    [[nodiscard]] result<stream_version> published_version(stream_id stream) const noexcept;
    // For a stream or tag without an entry: adds one with what is known of it, unless the log holds
    // none of its events and it is refused. Returns the entry, or why there is none.
    [[nodiscard, gnu::noinline]] result<stream_head*> add_head(const event_header& header) noexcept;
    [[nodiscard, gnu::noinline]] result<stream_head*> add_tag(tag_id tag) noexcept;
    [[nodiscard]] result<stream_head*> add_entry(stream_table& table,
                                                 const stream_head& known) noexcept;
    // The same, and entries for its tags.
    template <bool WithMore>
    [[nodiscard]] std::optional<error> place_with(const event_header& header, event_extras& extras,
                                                  stream_slot& slot) noexcept;
    [[nodiscard]] std::optional<error> place_in_stream(const event_header& header,
                                                       std::uint64_t offset,
                                                       stream_slot& slot) noexcept;

    // Appends a system frame other than an end, for a caller with no batch or reservation open.
    [[nodiscard]] result<void> append_record(system_type type, stream_id stream,
                                             std::span<const std::byte> payload,
                                             std::uint64_t timestamp_ns) noexcept;
    // Stores and publishes a system frame, for which the segment has room.
    [[nodiscard]] result<void> store_record(system_type type, stream_id stream,
                                            std::span<const std::byte> payload,
                                            std::uint64_t timestamp_ns,
                                            std::uint64_t behind) noexcept;
    // An event that has neither metadata nor tags nor conditions must not pay for them: what
    // appends one is instantiated twice.
    [[nodiscard]] static bool has_more(const event_header& header) noexcept {
        return (header.metadata.size() | header.conditions.size() |
                std::bit_cast<std::uintptr_t>(header.tags) |
                std::bit_cast<std::uintptr_t>(header.unless)) != 0;
    }
    template <bool WithMore>
    [[nodiscard]] result<receipt> append_event(const event_header& header,
                                               std::span<const std::byte> payload) noexcept;
    [[nodiscard, gnu::noinline]] result<receipt> append_with_more(
        const event_header& header, std::span<const std::byte> payload) noexcept;
    template <bool WithMore>
    [[nodiscard]] result<receipt> batch_event(const event_header& header,
                                              std::span<const std::byte> payload) noexcept;
    [[nodiscard, gnu::noinline]] result<receipt> add_to_batch_with_more(
        const event_header& header, std::span<const std::byte> payload) noexcept;
    template <bool WithMore>
    [[nodiscard]] static event_extras extras_of(const event_header& header) noexcept;
    // Fills in the command. Returns the error if payload, metadata or conditions are refused.
    template <bool WithMore>
    [[nodiscard]] std::optional<error> admit(const event_header& header, std::size_t payload_bytes,
                                             event_extras& extras) noexcept;
    template <bool WithMore>
    void store_body(const event_header& header, std::span<const std::byte> payload,
                    const event_extras& extras) noexcept;
    // Whether events of this type are Pawl's own to append. A copy takes them as they come.
    [[nodiscard]] bool is_refused(std::uint16_t type) const noexcept {
        return type >= first_refused_type_;
    }
    [[nodiscard]] bool is_copying() const noexcept {
        return first_refused_type_ > first_reserved_type;
    }
    // Why an event's metadata and its payload of `payload_bytes` may not be appended. `front` is
    // the number of bytes of the metadata in the frame.
    [[nodiscard]] std::optional<error> refuse_body(const event_header& header, std::size_t front,
                                                   std::size_t payload_bytes) const noexcept;
    // The command in these entries, or why its events may not be appended: the window knows its id.
    [[nodiscard]] result<std::optional<command_reference>> admit_command(
        std::span<const metadata_entry> metadata) const noexcept;
    [[nodiscard]] std::optional<error> refuse_known(const command_reference& command,
                                                    const remembered_command& known) const noexcept;
    // The event with this sequence, at this offset, belongs to the command, which is staged.
    void note_command(const std::optional<command_reference>& command, sequence_number sequence,
                      std::uint64_t offset) noexcept;
    // The same of an event that is published, and its command with it.
    void keep_command(const std::optional<command_reference>& command,
                      const result<receipt>& placed) noexcept;
    // Gives each of the event's tags an entry, and room to note them in an open batch; or returns
    // why there is none, and none was added.
    [[nodiscard, gnu::noinline]] std::optional<error> admit_tags(event_extras& extras) noexcept;
    // Removes what was added for an event that is not appended.
    void forget_tags(const event_extras& extras) noexcept;
    // The event is published, or staged in the open batch.
    void note_tags(const number_list& tags, const receipt& placed) noexcept;
    void move_tag(tag_id tag, sequence_number sequence, std::uint64_t place) noexcept;
    void keep_staged_tags() noexcept;
    void drop_staged_tags() noexcept;
    [[nodiscard]] std::optional<error> open_reservation_for(const event_header& header,
                                                            std::size_t max_bytes) noexcept;
    template <bool WithMore>
    [[nodiscard]] std::optional<error> place_reservation(const event_header& header,
                                                         std::size_t max_bytes) noexcept;
    [[nodiscard, gnu::noinline]] std::optional<error> place_reservation_with_more(
        const event_header& header, std::size_t max_bytes) noexcept;

    // Each stores a part of a frame. The commit word, in finish_frame(), comes last, and then
    // publish().
    void store_payload(std::uint64_t offset, std::span<const std::byte> payload) noexcept;
    void zero_padding(std::uint64_t offset, std::size_t payload_bytes) noexcept;
    void store_place(std::uint64_t offset, sequence_number sequence, stream_id stream,
                     const stream_slot& slot, std::uint64_t witness) noexcept;
    void store_time(std::uint64_t offset, std::uint64_t from_caller) noexcept;
    void clear_word(std::uint64_t next) noexcept;
    void finish_frame(std::uint64_t offset, commit_word word) noexcept;
    void publish(std::uint64_t next) noexcept;

    void append_end(system_type type, std::uint64_t successor_epoch,
                    std::uint32_t witness) noexcept;
    // Publishes the event at the current position, of which only hash and commit word are missing.
    [[nodiscard]] result<receipt> publish_event(commit_word word, const stream_slot& slot) noexcept;
    // The same for an event of a batch, which its commit publishes.
    receipt stage_event(commit_word word, stream_id stream, const stream_slot& slot) noexcept;
    void move_stream(const stream_slot& slot, std::uint64_t offset) noexcept;
    void note_scribbles(std::uint64_t end) noexcept {
        if (end > scribbled_)
            scribbled_ = end;
    }

    // Read by every append.
    std::atomic<std::uint32_t>* gate_word_;
    const std::atomic<std::uint64_t>* durable_;
    tsc_clock* tsc_ = nullptr;
    clock_source clock_;
    std::uint32_t first_refused_type_;
    when_full full_;
    bool busy_ = false;                // a reservation or batch is open
    std::atomic<bool> inside_{false};  // a thread is inside a call
    std::uint32_t faults_seen_ = 0;
    std::byte* base_ = nullptr;
    std::uint64_t limit_ = 0;  // frames end at or before this; an end frame fits after it
    std::uint64_t epoch_ = 0;
    std::uint64_t ordinal_ = 0;
    std::uint64_t begin_ = 0;  // live_segment::begin
    // Changed by every append.
    std::uint64_t position_ = 0;
    std::uint64_t scribbled_ = 0;  // bytes between position_ and this may not be zero
    sequence_number sequence_ = 0;

    heads_beneath beneath_;
    stream_table table_;
    stream_table tags_;
    command_window commands_;
    live_segment* segment_ = nullptr;
    segment_supply* supply_;
    sequence_number segment_first_sequence_ = 0;
    std::uint64_t named_streams_;
    std::uint64_t life_ = 0;  // the epoch of the first segment: no other writer has it
    open_reservation reservation_;
    open_batch batch_;
    std::vector<undo_entry> undo_;
    std::vector<staged_tag> staged_tags_;  // of the open batch
    bool reports_clock_;
    bool has_reported_ = false;
    directory_handle directory_;
    journal_id id_{};
    log_point known_point_{};        // the last point that was looked up,
    writer_point known_place_{};     // and what was found
    clock_payload clock_now_{};      // the report written last
    clock_payload clock_offered_{};  // the background's while the gate is open, ours while attend
    progress progress_;
};

}  // namespace pawl::detail
