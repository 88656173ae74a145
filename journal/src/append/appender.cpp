#include "append/appender.hpp"

#include "append/appender_frames.hpp"
#include "os/assertion.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace pawl::detail {

namespace {

inline void pause() noexcept {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

}  // namespace

appender::appender(appender_setup setup, head_slots heads)
    : gate_word_{setup.gate_word},
      durable_{setup.durable},
      tsc_{setup.clock == clock_source::tsc ? tsc_clock::instance() : nullptr},
      clock_{setup.clock == clock_source::tsc && tsc_ == nullptr ? clock_source::system
                                                                 : setup.clock},
      first_refused_type_{setup.copying ? 0x10000U : first_reserved_type},
      full_{setup.full},
      sequence_{setup.sequence},
      table_{std::move(heads)},
      commands_{std::move(setup.commands)},
      supply_{setup.supply},
      named_streams_{setup.named_streams},
      reports_clock_{setup.reports_clock} {
    constexpr std::size_t usual_batch = 4096;
    undo_.reserve(usual_batch);
    progress_.sequence.store(sequence_, std::memory_order_relaxed);
    enter(setup.first);
}

void appender::enter(live_segment* segment) noexcept {
    PAWL_ASSERT(segment != nullptr);
    PAWL_ASSERT(segment->bytes.size() == segment->header.segment_bytes);
    segment_ = segment;
    base_ = segment->bytes.data();
    limit_ = segment->header.segment_bytes - end_frame_bytes;
    epoch_ = segment->header.epoch;
    ordinal_ = segment->header.ordinal;
    begin_ = segment->begin;
    position_ = first_frame_offset;
    scribbled_ = 0;
    segment_first_sequence_ = sequence_;
    progress_.position.store(begin_ + position_, std::memory_order_release);
}

std::unexpected<error> appender::refused() const noexcept {
    return std::unexpected(refusal(gate_word_->load(std::memory_order_acquire)));
}

// Some mapping of the process has lost a page. If it is this writer's, the writer must not
// continue.
bool appender::look_for_lost_page() noexcept {
    faults_seen_ = count_guarded_faults();
    if (!segment_->bytes.faulted())
        return false;
    (void)end_gate(*gate_word_, poisoned_gate(errc::io, 0));
    return true;
}

// The first error names the place; later ones only say that the writer is poisoned.
std::unexpected<error> appender::lost_page() const noexcept {
    try {
        if (auto whole = segment_->bytes.whole(); !whole) {
            whole.error().sequence = sequence_;
            return std::unexpected(std::move(whole.error()));
        }
    } catch (const std::bad_alloc&) {
        return refused();
    }
    return refused();
}

std::uint64_t appender::timestamp(std::uint64_t from_caller) const noexcept {
    if (clock_ == clock_source::tsc)
        return tsc_->now_ns();
    if (clock_ == clock_source::caller)
        return from_caller;
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec);
}

std::optional<error> appender::make_room(std::size_t bytes) noexcept {
    if (bytes > limit_ - first_frame_offset)
        return error{
            .code = errc::too_large,
            .size = bytes,
            .limit = limit_ - first_frame_offset,
            .reason = "an event or batch, with its frame headers, must fit into one segment"};
    if (bytes <= limit_ - position_)
        return std::nullopt;
    return roll(bytes);
}

result<live_segment*> appender::wait_for_segment() noexcept {
    if (live_segment* ready = supply_->take())
        return ready;
    progress_.back_pressure.fetch_add(1, std::memory_order_relaxed);
    for (;;) {
        if (!may_go_on())
            return refused();
        // Read once, so that the value that ends the wait is also the one that is returned.
        const int shortage = supply_->shortage();
        if (shortage == ENOSPC || shortage == EDQUOT) {
            return std::unexpected(error{.code = errc::disk_full,
                                         .os_error = shortage,
                                         .reason = "no room for the next segment"});
        }
        if (full_ != when_full::spin) {
            return std::unexpected(error{.code = errc::back_pressure,
                                         .os_error = shortage,
                                         .reason = "the next segment is not ready yet"});
        }
        pause();
        if (live_segment* ready = supply_->take())
            return ready;
    }
}

result<stream_head*> appender::wait_for_head(stream_id stream) noexcept {
    progress_.back_pressure.fetch_add(1, std::memory_order_relaxed);
    for (;;) {
        if (!may_go_on())
            return refused();
        if (full_ != when_full::spin) {
            return std::unexpected(error{.code = errc::back_pressure,
                                         .stream = stream,
                                         .reason = "the table of streams is growing"});
        }
        pause();
        if (stream_head* head = table_.find_or_insert(stream))
            return head;
    }
}

// Leaves the full segment for the next one. The end frame names its successor's epoch, and nothing
// is synced here: after the death of the process all pages are as they were, and whatever a power
// cut leaves is judged from the disk alone.
//
// - The end frame is lost: the segment has a hole there, and recovery moves the next segment to
//   torn/. Nothing in it can be durable, because a sync goes through the segments in order.
// - The end frame is there, and frames of the next segment are lost: a hole in the next segment.
//
// The next segment itself cannot be lost, because its header and its name were synced before the
// supply offered it.
std::optional<error> appender::roll(std::size_t bytes) noexcept {
    const std::uint64_t behind = behind_durable();
    if (behind > most_behind)
        return too_far_behind();
    const auto ready = wait_for_segment();
    if (!ready)
        return ready.error();
    live_segment* next = *ready;
    PAWL_ASSERT(!busy_);
    PAWL_ASSERT(next->header.ordinal == ordinal_ + 1);
    const std::uint64_t zeroed_to = zero_scribbles();
    append_end(system_type::rolled, next->header.epoch, static_cast<std::uint32_t>(behind));
    progress_.rollovers.fetch_add(1, std::memory_order_relaxed);
    // Check before linking: after that, the flusher may free the segment. If the segment has lost a
    // page, its sync fails and it stays.
    const bool lost = lost_a_page();
    segment_->link(*next, position_, std::max(position_, zeroed_to));
    if (lost) [[unlikely]]
        return lost_page().error();
    enter(next);
    // The next segment may have lost a page while it waited, before anyone checked it.
    if (segment_->bytes.faulted()) [[unlikely]] {
        (void)look_for_lost_page();
        return lost_page().error();
    }
    if (reports_clock_) {
        if (auto reported = append_clock_report(bytes); !reported)
            return std::move(reported.error());
    }
    return std::nullopt;
}

std::uint64_t appender::zero_scribbles() noexcept {
    // The word at position_ is zero already, and readers may be looking at it.
    const std::uint64_t from = position_ + frame_alignment;
    const std::uint64_t end = std::min<std::uint64_t>(scribbled_, segment_->header.segment_bytes);
    if (end > from)
        std::memset(base_ + from, 0, static_cast<std::size_t>(end - from));
    scribbled_ = 0;
    return padded(static_cast<std::size_t>(end));
}

void appender::append_end(system_type type, std::uint64_t successor_epoch,
                          std::uint32_t witness) noexcept {
    const end_payload payload{.successor_epoch = successor_epoch,
                              .first_sequence = segment_first_sequence_,
                              .events = sequence_ - segment_first_sequence_,
                              .lost_about = 0,
                              .torn_bytes = 0};
    PAWL_ASSERT(position_ <= limit_);
    PAWL_ASSERT(sequence_ >= segment_first_sequence_);
    const std::uint64_t offset = position_;
    store_payload(offset, std::as_bytes(std::span{&payload, 1}));
    store_place(offset, sequence_, no_stream_id, {}, witness);
    store_time(offset, 0);
    finish_frame(offset,
                 commit_word{end_frame_bytes, flag::system, static_cast<std::uint16_t>(type), 0});
    position_ += end_frame_bytes;
}

void appender::append_closed() noexcept {
    append_end(system_type::closed, 0, 0);
    progress_.position.store(begin_ + position_, std::memory_order_release);
}

error appender::conflict_with(stream_id stream, expect expected, stream_version actual,
                              std::string_view reason) const noexcept {
    const bool any_event = expected.asks_exists();
    return {.code = errc::conflict,
            .stream = stream,
            .actual_version = actual,
            .expected_version = any_event ? no_value : expected.version(),
            .batch_event = batch_.open ? batch_.events : no_value,
            .reason = any_event ? "the stream was expected to hold an event" : reason};
}

std::optional<error> appender::place_in_stream(const event_header& header, std::uint64_t offset,
                                               stream_slot& slot) noexcept {
    if (header.stream == no_stream_id)
        return error{
            .code = errc::invalid_argument,
            .stream = header.stream,
            .reason = "event_header::expected needs a stream, and stream 0 means no stream"};
    if (lacks_its_name(header.stream)) {
        return error{.code = errc::invalid_argument,
                     .stream = header.stream,
                     .reason =
                         "event_header::stream is in the range of named streams, but no name "
                         "has this number"};
    }
    slot.head = table_.find_known(header.stream);
    if (slot.head == nullptr) [[unlikely]] {
        // Check before the stream gets an entry, so that a refusal leaves nothing in the table.
        if (!header.expected.admits(0))
            return conflict_with(header.stream, header.expected, 0);
        slot.head = table_.find_or_insert(header.stream);
    }
    if (slot.head == nullptr) [[unlikely]] {
        const auto waited = wait_for_head(header.stream);
        if (!waited)
            return waited.error();
        slot.head = *waited;
    }
    if (!header.expected.admits(slot.head->version))
        return conflict_with(header.stream, header.expected, slot.head->version);
    PAWL_ASSERT(slot.head->stream == header.stream);
    slot.version = slot.head->version + 1;
    const bool here = slot.head->version != 0 && slot.head->last >> 32 == ordinal_;
    slot.back = here ? static_cast<std::uint32_t>(offset / frame_alignment - slot.head->last) : 0;
    return std::nullopt;
}

[[gnu::always_inline]] inline result<receipt> appender::publish_event(
    commit_word word, const stream_slot& slot) noexcept {
    const std::uint64_t offset = position_;
    const std::uint64_t next = offset + padded(word.frame_bytes());
    PAWL_ASSERT(!busy_ && next <= limit_);
    clear_word(next);
    // A frame of which a later page is lost must not get a commit word that readers can see. If a
    // page is lost after this check, it counts as lost after the append: the next call or sync
    // notices.
    if (lost_a_page()) [[unlikely]]
        return lost_page();
    finish_frame(offset, word);
    move_stream(slot, offset);
    const receipt given{sequence_, slot.version, {ordinal_, offset}};
    ++sequence_;
    publish(next);
    return given;
}

template <bool WithMore>
[[gnu::always_inline]] inline result<receipt> appender::append_event(
    const event_header& header, std::span<const std::byte> payload) noexcept {
    const call_scope scope{inside_};
    if (!scope) [[unlikely]]
        return std::unexpected(call_scope::refusal());
    const std::size_t front = WithMore ? metadata_bytes(header.metadata) : 0;
    if (!may_append() || busy_) [[unlikely]] {
        auto admitted = attend(padded(frame_header_bytes + front + payload.size()));
        if (!admitted)
            return std::unexpected(std::move(admitted.error()));
    }
    if constexpr (WithMore) {
        if (auto wrong = refuse_body(header, front, payload.size()))
            return std::unexpected(std::move(*wrong));
    } else if (payload.size() > max_payload_bytes) [[unlikely]] {
        return std::unexpected(payload_too_large(payload.size()));
    }
    std::optional<command_reference> command;
    if constexpr (WithMore) {
        const auto admitted = admit_command(header.metadata);
        if (!admitted)
            return std::unexpected(admitted.error());
        command = *admitted;
        if (auto wrong = refuse_conditions(header))
            return std::unexpected(std::move(*wrong));
    }
    const std::size_t bytes = frame_header_bytes + front + payload.size();
    if (padded(bytes) > limit_ - position_) [[unlikely]] {
        if (auto wrong = make_room(padded(bytes)))
            return std::unexpected(std::move(*wrong));
    }
    const std::uint64_t behind = behind_durable();
    if (behind > most_behind) [[unlikely]]
        return std::unexpected(too_far_behind());
    stream_slot slot;
    if (auto wrong = place(header, position_, slot)) [[unlikely]]
        return std::unexpected(std::move(*wrong));
    // Read the clock first: its latency is on the hash's critical path.
    store_time(position_, header.timestamp_ns);
    store_payload(position_ + front, payload);
    if constexpr (WithMore)
        store_metadata(base_ + position_ + frame_header_bytes, header.metadata);
    store_place(position_, sequence_, header.stream, slot, behind);
    const std::uint8_t flags = WithMore && front != 0 ? flag::metadata : 0;
    auto placed =
        publish_event(commit_word{bytes, flags, header.type, header.schema_version}, slot);
    if constexpr (WithMore)
        keep_command(command, placed);
    return placed;
}

result<receipt> appender::append(const event_header& header,
                                 std::span<const std::byte> payload) noexcept {
    if (is_refused(header.type)) [[unlikely]]
        return std::unexpected(type_is_reserved(header.type));
    if ((header.metadata.size() | header.conditions.size()) != 0) [[unlikely]]
        return append_with_more(header, payload);
    return append_event<false>(header, payload);
}

result<receipt> appender::append_with_more(const event_header& header,
                                           std::span<const std::byte> payload) noexcept {
    return append_event<true>(header, payload);
}

event appender::written(log_position position) const noexcept {
    PAWL_ASSERT(position.ordinal == ordinal_ && position.offset < position_);
    const std::byte* frame = base_ + position.offset;
    return {frame, position, 0, view_frame(frame, commit_word{load_u64(frame)}).metadata_bytes};
}

std::optional<error> appender::reserve(const event_header& header, std::size_t max_bytes) noexcept {
    const call_scope scope{inside_};
    if (!scope) [[unlikely]]
        return call_scope::refusal();
    if (!may_append() || busy_) [[unlikely]] {
        const std::size_t most =
            padded(frame_header_bytes + std::min(max_bytes, max_payload_bytes) +
                   metadata_bytes(header.metadata));
        if (auto admitted = attend(most); !admitted)
            return std::move(admitted.error());
    }
    return open_reservation_for(header, max_bytes);
}

std::optional<error> appender::reserve_in_batch(const event_header& header,
                                                std::size_t max_bytes) noexcept {
    const call_scope scope{inside_};
    if (!scope) [[unlikely]]
        return call_scope::refusal();
    if (!may_go_on() || reservation_.open || !batch_.open) [[unlikely]]
        return refused().error();
    return open_reservation_for(header, max_bytes);
}

std::optional<error> appender::open_reservation_for(const event_header& header,
                                                    std::size_t max_bytes) noexcept {
    if (is_refused(header.type)) [[unlikely]]
        return type_is_reserved(header.type);
    const std::size_t front = metadata_bytes(header.metadata);
    if (auto wrong = refuse_body(header, front, max_bytes)) [[unlikely]]
        return wrong;
    const auto command = admit_command(header.metadata);
    if (!command) [[unlikely]]
        return command.error();
    if (auto wrong = refuse_conditions(header)) [[unlikely]]
        return wrong;
    const std::size_t needed = padded(frame_header_bytes + front + max_bytes);
    if (batch_.open) {
        if (batch_.events == batch_.most_events || needed > batch_.limit - position_)
            return batch_is_full(needed);
    } else if (needed > limit_ - position_) [[unlikely]] {
        if (auto wrong = make_room(needed))
            return wrong;
    }
    const std::uint64_t staged = batch_.open ? batch_.events : 0;
    const std::uint64_t behind = batch_.open ? batch_.witness + staged : behind_durable();
    if (behind > most_behind) [[unlikely]]
        return too_far_behind();
    stream_slot slot;
    if (auto wrong = place(header, position_, slot)) [[unlikely]]
        return wrong;
    store_place(position_, sequence_ + staged, header.stream, slot, behind);
    store_metadata(base_ + position_ + frame_header_bytes, header.metadata);
    reservation_ = {.open = true,
                    .type = header.type,
                    .schema_version = header.schema_version,
                    .timestamp_ns = header.timestamp_ns,
                    .metadata_bytes = front,
                    .max_bytes = max_bytes,
                    .slot = slot,
                    .command = *command};
    busy_ = true;
    return std::nullopt;
}

void appender::abandon_reservation() noexcept {
    if (!reservation_.open)
        return;
    note_scribbles(position_ + padded(frame_header_bytes + reservation_.metadata_bytes +
                                      reservation_.max_bytes));
    if (const stream_head* head = reservation_.slot.head; head != nullptr && head->version == 0)
        table_.forget(head->stream);
    reservation_.open = false;
    busy_ = batch_.open;
}

result<receipt> appender::commit_reservation(std::size_t bytes) noexcept {
    const call_scope scope{inside_};
    if (!scope) [[unlikely]]
        return std::unexpected(call_scope::refusal());
    if (!may_go_on() || bytes > reservation_.max_bytes) [[unlikely]] {
        abandon_reservation();
        if (!may_go_on())
            return refused();
        return std::unexpected(error{.code = errc::too_large,
                                     .size = bytes,
                                     .limit = reservation_.max_bytes,
                                     .reason = "the payload is longer than its reservation"});
    }
    const open_reservation& room = reservation_;
    const std::size_t front = room.metadata_bytes;
    if (padded(room.max_bytes) != padded(bytes))
        note_scribbles(position_ + padded(frame_header_bytes + front + room.max_bytes));
    store_time(position_, room.timestamp_ns);
    zero_padding(position_ + front, bytes);
    const std::uint8_t flags = front == 0 ? 0 : flag::metadata;
    const commit_word word{frame_header_bytes + front + bytes, flags, room.type,
                           room.schema_version};
    reservation_.open = false;
    busy_ = batch_.open;
    if (!batch_.open) {
        auto placed = publish_event(word, room.slot);
        keep_command(room.command, placed);
        return placed;
    }
    if (lost_a_page()) [[unlikely]]
        return give_up_batch();
    const receipt staged =
        stage_event(word, load_u64(base_ + position_ + frame_offset::stream), room.slot);
    note_command(room.command, staged.sequence, staged.position.offset);
    return staged;
}

result<stream_id> appender::append_name(std::string_view name,
                                        std::uint64_t timestamp_ns) noexcept {
    const stream_id stream = first_named_stream + named_streams_;
    auto recorded = append_record(system_type::stream_name, stream, std::as_bytes(std::span{name}),
                                  timestamp_ns);
    if (!recorded)
        return std::unexpected(std::move(recorded.error()));
    ++named_streams_;
    return stream;
}

result<void> appender::append_description(std::span<const std::byte> payload,
                                          std::uint64_t timestamp_ns) noexcept {
    return append_record(system_type::description, no_stream_id, payload, timestamp_ns);
}

result<void> appender::append_record(system_type type, stream_id stream,
                                     std::span<const std::byte> payload,
                                     std::uint64_t timestamp_ns) noexcept {
    const call_scope scope{inside_};
    if (!scope) [[unlikely]]
        return std::unexpected(call_scope::refusal());
    if (payload.size() > max_payload_bytes)
        return std::unexpected(payload_too_large(payload.size()));
    const std::size_t bytes = frame_header_bytes + payload.size();
    if (!may_append() || busy_) {
        if (auto admitted = attend(padded(bytes)); !admitted)
            return admitted;
    }
    if (auto wrong = make_room(padded(bytes)))
        return std::unexpected(std::move(*wrong));
    const std::uint64_t behind = behind_durable();
    if (behind > most_behind)
        return std::unexpected(too_far_behind());
    return store_record(type, stream, payload, timestamp_ns, behind);
}

result<void> appender::store_record(system_type type, stream_id stream,
                                    std::span<const std::byte> payload, std::uint64_t timestamp_ns,
                                    std::uint64_t behind) noexcept {
    const std::size_t bytes = frame_header_bytes + payload.size();
    const std::uint64_t offset = position_;
    store_payload(offset, payload);
    store_place(offset, sequence_, stream, {}, behind);
    store_time(offset, timestamp_ns);
    const std::uint64_t next = offset + padded(bytes);
    clear_word(next);
    if (lost_a_page()) [[unlikely]]
        return lost_page();
    finish_frame(offset, commit_word{bytes, flag::system, static_cast<std::uint16_t>(type), 0});
    publish(next);
    return {};
}

}  // namespace pawl::detail
