// Reservations: space for a payload that the caller writes in place.
#include "append/appender.hpp"
#include "append/appender_frames.hpp"
#include "os/assertion.hpp"

#include <algorithm>
#include <utility>

namespace pawl::detail {

std::optional<error> appender::reserve(const event_header& header, std::size_t max_bytes) noexcept {
    const call_scope scope{inside_};
    if (!scope) [[unlikely]]
        return call_scope::refusal();
    if (!may_append() || busy_) [[unlikely]] {
        if (auto admitted = attend_reservation(header, max_bytes); !admitted)
            return std::move(admitted.error());
    }
    return open_reservation_for(header, max_bytes);
}

result<void> appender::attend_reservation(const event_header& header,
                                          std::size_t max_bytes) noexcept {
    return attend(
        padded(frame_header_bytes + std::min(max_bytes, max_payload_bytes) + front_bytes(header)));
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
    if (has_more(header)) [[unlikely]]
        return place_reservation_with_more(header, max_bytes);
    return place_reservation<false>(header, max_bytes);
}

std::optional<error> appender::place_reservation_with_more(const event_header& header,
                                                           std::size_t max_bytes) noexcept {
    return place_reservation<true>(header, max_bytes);
}

template <bool WithMore>
[[gnu::always_inline]] inline std::optional<error> appender::place_reservation(
    const event_header& header, std::size_t max_bytes) noexcept {
    event_extras extras = extras_of<WithMore>(header);
    if (auto wrong = admit<WithMore>(header, max_bytes, extras)) [[unlikely]]
        return wrong;
    const std::size_t needed = padded(frame_header_bytes + extras.bytes + max_bytes);
    if (batch_.open) {
        if (batch_.events == batch_.most_events || needed > batch_.limit - position_)
            return batch_is_full(needed);
    } else if (needed > limit_ - position_) [[unlikely]] {
        if (auto wrong = make_room(needed))
            return wrong;
    }
    PAWL_ASSERT(!reservation_.open);
    PAWL_ASSERT(needed <= (batch_.open ? batch_.limit : limit_) - position_);
    const std::uint64_t staged = batch_.open ? batch_.events : 0;
    const std::uint64_t behind = batch_.open ? batch_.witness + staged : behind_durable();
    if (behind > most_behind) [[unlikely]]
        return too_far_behind();
    stream_slot slot;
    if (auto wrong = place_with<WithMore>(header, extras, slot)) [[unlikely]]
        return wrong;
    store_place(position_, sequence_ + staged, header.stream, slot, behind);
    if constexpr (WithMore)
        store_metadata(base_ + position_ + frame_header_bytes, header.metadata, header.tags.span());
    reservation_.open = true;
    reservation_.type = header.type;
    reservation_.schema_version = header.schema_version;
    reservation_.timestamp_ns = header.timestamp_ns;
    reservation_.max_bytes = max_bytes;
    reservation_.slot = slot;
    reservation_.extras.bytes = extras.bytes;
    if constexpr (WithMore) {
        reservation_.extras = extras;
        // The caller's own need not outlive this call.
        if (!extras.tags.empty())
            reservation_.extras.tags =
                metadata_view{{base_ + position_ + frame_header_bytes, extras.bytes}}.tags();
    }
    busy_ = true;
    return std::nullopt;
}

void appender::abandon_reservation() noexcept {
    if (!reservation_.open)
        return;
    note_scribbles(position_ +
                   padded(frame_header_bytes + reservation_.extras.bytes + reservation_.max_bytes));
    if (const stream_head* head = reservation_.slot.head; head != nullptr && head->version == 0)
        table_.forget(head->stream);
    if (reservation_.extras.bytes != 0)
        forget_tags(reservation_.extras);
    reservation_.open = false;
    busy_ = batch_.open;
}

result<receipt> appender::commit_reservation(std::size_t bytes) noexcept {
    const call_scope scope{inside_};
    if (!scope) [[unlikely]]
        return std::unexpected(call_scope::refusal());
    if (!may_go_on() || !reservation_.open || bytes > reservation_.max_bytes) [[unlikely]] {
        const bool ended = !reservation_.open;
        abandon_reservation();
        if (!may_go_on())
            return refused();
        if (ended)
            return std::unexpected(
                error{.code = errc::closed, .reason = "this reservation ended with its batch"});
        return std::unexpected(error{.code = errc::too_large,
                                     .size = bytes,
                                     .limit = reservation_.max_bytes,
                                     .reason = "the payload is longer than its reservation"});
    }
    const open_reservation& room = reservation_;
    const std::size_t front = room.extras.bytes;
    if (padded(room.max_bytes) != padded(bytes))
        note_scribbles(position_ + padded(frame_header_bytes + front + room.max_bytes));
    store_time(position_, room.timestamp_ns);
    zero_padding(position_ + front, bytes);
    const commit_word word{frame_header_bytes + front + bytes, room.extras.flags(), room.type,
                           room.schema_version};
    reservation_.open = false;
    busy_ = batch_.open;
    if (!batch_.open) {
        if (front == 0) [[likely]]
            return publish_event(word, room.slot);
        auto placed = publish_event(word, room.slot);
        keep_command(room.extras.command, placed);
        if (placed)
            note_tags(room.extras.tags, *placed);
        return placed;
    }
    if (lost_a_page()) [[unlikely]]
        return give_up_batch();
    const receipt staged =
        stage_event(word, load_u64(base_ + position_ + frame_offset::stream), room.slot);
    if (front != 0) {
        note_command(room.extras.command, staged.sequence, staged.position.offset);
        note_tags(room.extras.tags, staged);
    }
    return staged;
}

}  // namespace pawl::detail
