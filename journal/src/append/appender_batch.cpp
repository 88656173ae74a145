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
    if (auto room = commands_.make_room(events); !room)
        return room;
    try {
        undo_.clear();
        undo_.reserve(events);
    } catch (const std::bad_alloc&) {
        return std::unexpected(error{.code = errc::out_of_memory});
    }
    batch_ = {.open = true,
              .begin = position_,
              .limit = position_ + needed,
              .most_events = events,
              .witness = static_cast<std::uint32_t>(behind)};
    busy_ = true;
    return {};
}

result<receipt> appender::add_to_batch(const event_header& header,
                                       std::span<const std::byte> payload) noexcept {
    const call_scope scope{inside_};
    if (!scope) [[unlikely]]
        return std::unexpected(call_scope::refusal());
    if (!may_go_on() || !batch_.open || reservation_.open)
        return refused();
    if (is_refused(header.type)) [[unlikely]]
        return std::unexpected(type_is_reserved(header.type));
    const std::size_t front = metadata_bytes(header.metadata);
    if (auto wrong = refuse_body(header, front, payload.size())) [[unlikely]]
        return std::unexpected(std::move(*wrong));
    const auto command = admit_command(header.metadata);
    if (!command) [[unlikely]]
        return std::unexpected(command.error());
    if (auto wrong = refuse_conditions(header)) [[unlikely]]
        return std::unexpected(std::move(*wrong));
    const std::size_t bytes = frame_header_bytes + front + payload.size();
    const std::size_t needed = padded(bytes);
    if (batch_.events == batch_.most_events || needed > batch_.limit - position_)
        return std::unexpected(batch_is_full(needed));
    stream_slot slot;
    if (auto wrong = place(header, position_, slot)) [[unlikely]]
        return std::unexpected(std::move(*wrong));
    store_time(position_, header.timestamp_ns);
    store_payload(position_ + front, payload);
    store_metadata(base_ + position_ + frame_header_bytes, header.metadata);
    store_place(position_, sequence_ + batch_.events, header.stream, slot,
                std::uint64_t{batch_.witness} + batch_.events);
    const std::uint8_t flags = front == 0 ? 0 : flag::metadata;
    const receipt staged = stage_event(
        commit_word{bytes, flags, header.type, header.schema_version}, header.stream, slot);
    note_command(*command, staged.sequence, staged.position.offset);
    return staged;
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
        const commit_word word{load_u64(base_ + offset + frame_offset::hash)};
        return commit_word{word.frame_bytes(), static_cast<std::uint8_t>(word.flags() | part),
                           word.type(), word.schema_version()};
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
    publish(position_);
    return batch_.last;
}

std::unexpected<error> appender::give_up_batch() noexcept {
    abandon_batch();
    return lost_page();
}

error appender::batch_is_full(std::size_t bytes) const noexcept {
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
    PAWL_ASSERT(batch_.begin <= position_);
    note_scribbles(position_);
    position_ = batch_.begin;
    batch_.open = false;
    busy_ = false;
}

}  // namespace pawl::detail
