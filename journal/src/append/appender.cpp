#include "append/appender.hpp"

#include "append/appender_frames.hpp"
#include "append/pause.hpp"
#include "os/assertion.hpp"

#include <ctime>
#include <new>
#include <utility>

namespace pawl::detail {

appender::appender(appender_setup setup, head_slots heads, head_slots tags)
    : gate_word_{setup.gate_word},
      durable_{setup.durable},
      tsc_{setup.clock == clock_source::tsc ? tsc_clock::instance() : nullptr},
      clock_{setup.clock == clock_source::tsc && tsc_ == nullptr ? clock_source::system
                                                                 : setup.clock},
      first_refused_type_{setup.copying ? 0x10000U : first_reserved_type},
      full_{setup.full},
      sequence_{setup.sequence},
      beneath_{std::move(setup.runs), setup.directory, setup.id},
      table_{std::move(heads), beneath_, setup.streams},
      tags_{std::move(tags), beneath_, 0},
      commands_{std::move(setup.commands)},
      supply_{setup.supply},
      named_streams_{setup.named_streams},
      reports_clock_{setup.reports_clock},
      directory_{std::move(setup.directory)},
      id_{setup.id} {
    constexpr std::size_t usual_batch = 4096;
    PAWL_ASSERT(gate_word_ != nullptr && supply_ != nullptr);
    PAWL_ASSERT(durable_ != nullptr && durable_->load(std::memory_order_relaxed) <= sequence_);
    undo_.reserve(usual_batch);
    staged_tags_.reserve(usual_batch);
    progress_.sequence.store(sequence_, std::memory_order_relaxed);
    enter(setup.first);
    life_ = epoch_;
    table_.note_first(ordinal_);
    tags_.note_first(ordinal_);
}

void appender::enter(live_segment* segment) noexcept {
    PAWL_ASSERT(segment != nullptr);
    PAWL_ASSERT(segment->bytes.size() == segment->header.segment_bytes);
    PAWL_ASSERT(!busy_ && segment->header.epoch != 0);
    PAWL_ASSERT(segment->begin + first_frame_offset >=
                progress_.position.load(std::memory_order_relaxed));
    PAWL_ASSERT(load_u64(segment->bytes.data() + first_frame_offset) == 0);
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

result<stream_head*> appender::wait_for_head(stream_table& table, stream_id number) noexcept {
    PAWL_ASSERT(number != 0);
    progress_.back_pressure.fetch_add(1, std::memory_order_relaxed);
    for (;;) {
        if (!may_go_on())
            return refused();
        if (full_ != when_full::spin) {
            return std::unexpected(error{.code = errc::back_pressure,
                                         .stream = number,
                                         .reason = &table == &tags_
                                                       ? "the table of tags is growing"
                                                       : "the table of streams is growing"});
        }
        pause();
        if (stream_head* head = table.find_or_insert(number))
            return head;
    }
}

head_lookup appender::find_head(stream_id stream, stream_head& into) const noexcept {
    if (const stream_head* head = table_.find(stream)) {
        into = *head;
        return head->version == 0 ? head_lookup::absent : head_lookup::present;
    }
    return beneath_.find_stream(stream, into);
}

head_lookup appender::find_tag(tag_id tag, stream_head& into) const noexcept {
    if (const stream_head* tip = tags_.find(tag)) {
        into = *tip;
        return tip->version == 0 ? head_lookup::absent : head_lookup::present;
    }
    return beneath_.find_tag(tag, into);
}

// Checks before the stream gets an entry, so that a refusal leaves nothing in the table.
result<stream_head*> appender::add_head(const event_header& header) noexcept {
    beneath_.take_offer();
    stream_head known{.stream = header.stream, .version = 0, .last = 0};
    if (beneath_.find_stream(header.stream, known) == head_lookup::unreadable)
        return std::unexpected(cannot_look_up(header.stream));
    if (!header.expected.admits(known.version))
        return std::unexpected(conflict_with(header.stream, header.expected, known.version));
    return add_entry(table_, known);
}

result<stream_head*> appender::add_tag(tag_id tag) noexcept {
    beneath_.take_offer();
    stream_head known{.stream = tag, .version = 0, .last = 0};
    if (beneath_.find_tag(tag, known) == head_lookup::unreadable)
        return std::unexpected(cannot_look_up(tag));
    return add_entry(tags_, known);
}

result<stream_head*> appender::add_entry(stream_table& table, const stream_head& known) noexcept {
    stream_head* head = table.find_or_insert(known.stream);
    if (head == nullptr) [[unlikely]] {
        const auto waited = wait_for_head(table, known.stream);
        if (!waited)
            return waited;
        head = *waited;
    }
    PAWL_ASSERT(head->version == 0);
    *head = known;
    if (known.version == 0) {
        table.note_new();
        table.note_touch(ordinal_);
    }
    return head;
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
        const auto added = add_head(header);
        if (!added)
            return added.error();
        slot.head = *added;
    }
    if (!header.expected.admits(slot.head->version))
        return conflict_with(header.stream, header.expected, slot.head->version);
    PAWL_ASSERT(slot.head->stream == header.stream);
    slot.version = slot.head->version + 1;
    const bool here = slot.head->version != 0 && slot.head->last >> 32 == ordinal_;
    if (!here && slot.head->version != 0)
        table_.note_touch(ordinal_);
    slot.back = here ? static_cast<std::uint32_t>(offset / frame_alignment - slot.head->last) : 0;
    return std::nullopt;
}

template <bool WithMore>
[[gnu::always_inline]] inline result<receipt> appender::append_event(
    const event_header& header, std::span<const std::byte> payload) noexcept {
    const call_scope scope{inside_};
    if (!scope) [[unlikely]]
        return std::unexpected(call_scope::refusal());
    event_extras extras = extras_of<WithMore>(header);
    const std::size_t bytes = frame_header_bytes + extras.bytes + payload.size();
    if (!may_append() || busy_) [[unlikely]] {
        auto admitted = attend(padded(bytes));
        if (!admitted)
            return std::unexpected(std::move(admitted.error()));
    }
    if (auto wrong = admit<WithMore>(header, payload.size(), extras)) [[unlikely]]
        return std::unexpected(std::move(*wrong));
    if (padded(bytes) > limit_ - position_) [[unlikely]] {
        if (auto wrong = make_room(padded(bytes)))
            return std::unexpected(std::move(*wrong));
    }
    PAWL_ASSERT(!busy_ && padded(bytes) <= limit_ - position_);
    const std::uint64_t behind = behind_durable();
    if (behind > most_behind) [[unlikely]]
        return std::unexpected(too_far_behind());
    stream_slot slot;
    if (auto wrong = place_with<WithMore>(header, extras, slot)) [[unlikely]]
        return std::unexpected(std::move(*wrong));
    store_body<WithMore>(header, payload, extras);
    store_place(position_, sequence_, header.stream, slot, behind);
    const commit_word word{bytes, extras.flags(), header.type, header.schema_version};
    if constexpr (WithMore) {
        auto placed = publish_event(word, slot);
        keep_command(extras.command, placed);
        if (placed)
            note_tags(extras.tags, *placed);
        return placed;
    } else {
        return publish_event(word, slot);
    }
}

result<receipt> appender::append(const event_header& header,
                                 std::span<const std::byte> payload) noexcept {
    if (is_refused(header.type)) [[unlikely]]
        return std::unexpected(type_is_reserved(header.type));
    if (has_more(header)) [[unlikely]]
        return append_with_more(header, payload);
    return append_event<false>(header, payload);
}

result<receipt> appender::append_with_more(const event_header& header,
                                           std::span<const std::byte> payload) noexcept {
    return append_event<true>(header, payload);
}

event appender::written(log_position position) const noexcept {
    PAWL_ASSERT(position.ordinal == ordinal_ && position.offset < position_);
    PAWL_ASSERT(position.offset >= first_frame_offset && position.offset % frame_alignment == 0);
    const std::byte* frame = base_ + position.offset;
    return {frame, position, 0, view_frame(frame, commit_word{load_u64(frame)}).metadata_bytes};
}

}  // namespace pawl::detail
