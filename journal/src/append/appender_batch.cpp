// Batches: events that become visible together or not at all.
#include "append/appender.hpp"
#include "append/appender_frames.hpp"
#include "os/assertion.hpp"

#include <new>
#include <utility>

namespace pawl::detail {

result<void> appender::begin_batch(std::uint32_t events, std::size_t payload_bytes) noexcept {
    const call_scope scope{inside_};
    if (!scope) [[unlikely]]
        return std::unexpected(call_scope::refusal());
    if (events == 0)
        return std::unexpected(
            error{.code = errc::invalid_argument, .reason = "begin_batch: events must not be 0"});
    const std::size_t overhead = frame_header_bytes + frame_alignment - 1;
    if (payload_bytes > max_segment_bytes)
        return std::unexpected(error{.code = errc::too_large,
                                     .size = payload_bytes,
                                     .limit = max_segment_bytes,
                                     .reason = "begin_batch: payload_bytes exceeds a segment"});
    const std::size_t needed = padded(payload_bytes + events * overhead);
    if (!may_append() || busy_) {
        if (auto admitted = attend(needed); !admitted)
            return admitted;
    }
    if (auto wrong = make_room(needed))
        return std::unexpected(std::move(*wrong));
    PAWL_ASSERT(needed <= limit_ - position_);
    const std::uint64_t behind = behind_durable();
    if (behind > most_behind - events)
        return std::unexpected(too_far_behind());
    if (!commands_.has_room(events)) [[unlikely]] {
        if (auto room = commands_.make_room(events); !room)
            return room;
    }
    try {
        undo_.clear();
        undo_.reserve(events);
    } catch (const std::bad_alloc&) {
        return std::unexpected(error{.code = errc::out_of_memory});
    }
    PAWL_ASSERT(!batch_.open && !reservation_.open && !busy_);
    batch_ = {.open = true,
              .begin = position_,
              .limit = position_ + needed,
              .most_events = events,
              .witness = static_cast<std::uint32_t>(behind)};
    busy_ = true;
    return {};
}

template <bool WithMore>
[[gnu::always_inline]] inline result<receipt> appender::batch_event(
    const event_header& header, std::span<const std::byte> payload) noexcept {
    const call_scope scope{inside_};
    if (!scope) [[unlikely]]
        return std::unexpected(call_scope::refusal());
    if (!may_go_on() || !batch_.open || reservation_.open) [[unlikely]]
        return refused();
    PAWL_ASSERT(busy_ && position_ >= batch_.begin && position_ <= batch_.limit);
    event_extras extras = extras_of<WithMore>(header);
    if (auto wrong = admit<WithMore>(header, payload.size(), extras)) [[unlikely]]
        return std::unexpected(std::move(*wrong));
    const std::size_t bytes = frame_header_bytes + extras.bytes + payload.size();
    if (batch_.events == batch_.most_events || padded(bytes) > batch_.limit - position_)
        [[unlikely]]
        return std::unexpected(batch_is_full(padded(bytes)));
    stream_slot slot;
    if (auto wrong = place_with<WithMore>(header, extras, slot)) [[unlikely]]
        return std::unexpected(std::move(*wrong));
    store_body<WithMore>(header, payload, extras);
    store_place(position_, sequence_ + batch_.events, header.stream, slot,
                std::uint64_t{batch_.witness} + batch_.events);
    const receipt staged =
        stage_event(commit_word{bytes, extras.flags(), header.type, header.schema_version},
                    header.stream, slot);
    if constexpr (WithMore) {
        note_command(extras.command, staged.sequence, staged.position.offset);
        note_tags(extras.tags, staged);
    }
    return staged;
}

result<receipt> appender::add_to_batch(const event_header& header,
                                       std::span<const std::byte> payload) noexcept {
    if (is_refused(header.type)) [[unlikely]]
        return std::unexpected(type_is_reserved(header.type));
    if (has_more(header)) [[unlikely]]
        return add_to_batch_with_more(header, payload);
    return batch_event<false>(header, payload);
}

result<receipt> appender::add_to_batch_with_more(const event_header& header,
                                                 std::span<const std::byte> payload) noexcept {
    return batch_event<true>(header, payload);
}

result<receipt> appender::commit_batch() noexcept {
    const call_scope scope{inside_};
    if (!scope) [[unlikely]]
        return std::unexpected(call_scope::refusal());
    if (!may_go_on() || !batch_.open || reservation_.open || batch_.events == 0) {
        const bool empty = may_go_on() && batch_.open && !reservation_.open;
        abandon_batch();
        if (empty)
            return std::unexpected(
                error{.code = errc::invalid_argument, .reason = "commit: the batch is empty"});
        return refused();
    }
    const auto planned = [&](std::uint64_t offset, std::uint8_t part) {
        return commit_word{load_u64(base_ + offset + frame_offset::hash)}.with(part);
    };
    const auto first = planned(batch_.begin, batch_.events == 1 ? 0 : flag::batch_first);
    clear_word(position_);
    if (lost_a_page()) [[unlikely]]
        return give_up_batch();
    std::uint64_t offset = batch_.begin + padded(first.frame_bytes());
    while (offset != position_) {
        const auto middle = planned(offset, flag::batch_middle);
        // If a page was lost, zeros may have replaced the planned commit word.
        if (lost_a_page()) [[unlikely]]
            return give_up_batch();
        const std::uint64_t next = offset + padded(middle.frame_bytes());
        PAWL_ASSERT(next <= position_);
        finish_frame(offset, next == position_ ? planned(offset, flag::batch_last) : middle);
        offset = next;
    }
    if (lost_a_page()) [[unlikely]]
        return give_up_batch();
    finish_frame(batch_.begin, first);
    PAWL_ASSERT(position_ <= batch_.limit && batch_.events <= batch_.most_events);
    sequence_ += batch_.events;
    batch_.open = false;
    busy_ = false;
    commands_.keep();
    keep_staged_tags();
    publish(position_);
    return batch_.last;
}

std::unexpected<error> appender::give_up_batch() noexcept {
    abandon_batch();
    return lost_page();
}

error appender::batch_is_full(std::size_t bytes) const noexcept {
    PAWL_ASSERT(batch_.open);
    if (batch_.events == batch_.most_events) {
        return error{.code = errc::too_large,
                     .size = std::uint64_t{batch_.events} + 1,
                     .limit = batch_.most_events,
                     .reason = "the batch already holds as many events as begin_batch asked for"};
    }
    return error{.code = errc::too_large,
                 .size = bytes,
                 .limit = batch_.limit - position_,
                 .reason = "the frame exceeds the rest of the room that begin_batch asked for"};
}

void appender::abandon_batch() noexcept {
    abandon_reservation();
    PAWL_ASSERT(!reservation_.open);
    if (!batch_.open)
        return;
    for (auto entry = undo_.rbegin(); entry != undo_.rend(); ++entry) {
        if (entry->version == 0) {
            table_.forget(entry->stream);
            continue;
        }
        stream_head* head = table_.find_or_insert(entry->stream);
        if (head == nullptr)
            continue;  // cannot happen: the batch itself found or added it
        head->version = entry->version;
        head->last = entry->last;
    }
    commands_.drop();
    drop_staged_tags();
    PAWL_ASSERT(batch_.begin <= position_);
    note_scribbles(position_);
    position_ = batch_.begin;
    batch_.open = false;
    busy_ = false;
}

}  // namespace pawl::detail
