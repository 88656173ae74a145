// How the appender stores a frame, piece by piece. Inline, for the source files of the appender.
#pragma once

#include "append/appender.hpp"
#include "format/frame_check.hpp"
#include "format/metadata.hpp"
#include "os/assertion.hpp"

#include <pawl/journal/tags.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace pawl::detail {

// A run of heads is damaged, and neither does the log have the answer.
[[nodiscard]] inline error cannot_look_up(stream_id number) noexcept {
    return {.code = errc::damaged,
            .stream = number,
            .reason =
                "the stream heads are damaged, and the log that they are derived from cannot "
                "be read"};
}

inline constexpr std::uint64_t most_behind = std::numeric_limits<std::uint32_t>::max();

[[nodiscard]] inline error too_far_behind() noexcept {
    // After four billion events without a sync, the frame's witness field cannot express the
    // distance.
    return error{.code = errc::back_pressure,
                 .limit = most_behind,
                 .reason = "too many events are not durable yet; sync before appending more"};
}

inline constexpr std::size_t max_payload_bytes = max_frame_bytes - frame_header_bytes;

[[nodiscard]] inline error payload_too_large(std::size_t bytes) noexcept {
    return error{.code = errc::too_large,
                 .size = bytes,
                 .limit = max_payload_bytes,
                 .reason = "the payload is larger than a frame can hold"};
}

[[nodiscard]] inline error metadata_refused(std::string_view reason, std::uint16_t tag) noexcept {
    return error{.code = errc::invalid_argument, .size = tag, .reason = reason};
}

[[nodiscard]] inline error type_is_reserved(std::uint16_t type) noexcept {
    return error{.code = errc::invalid_argument,
                 .size = type,
                 .limit = first_reserved_type - 1,
                 .reason = "event_header::type is one of Pawl's own event types"};
}

inline std::optional<error> appender::refuse_body(const event_header& header, std::size_t front,
                                                  std::size_t payload_bytes) const noexcept {
    metadata_rules rules;
    for (const metadata_entry& entry : header.metadata) {
        const auto fault = rules.check(entry.tag, entry.critical, entry.value);
        const auto number = static_cast<std::uint16_t>(entry.tag);
        if (fault != metadata_fault::none)
            return metadata_refused(to_string(fault), number);
        if (number < first_application_tag && !is_known(entry.tag) && !is_copying())
            return metadata_refused("metadata with a tag that is reserved for a later version",
                                    number);
        if (entry.value.size() > max_payload_bytes)
            return payload_too_large(entry.value.size());
        if (entry.tag == metadata_tag::tags && !header.tags.empty())
            return metadata_refused("tags both in event_header::tags and in its metadata", number);
    }
    if (!header.tags.empty() &&
        !value_fits(metadata_tag::tags, std::as_bytes(header.tags.span()))) {
        return error{.code = errc::invalid_argument,
                     .size = header.tags.size(),
                     .limit = max_tags,
                     .reason = "event_header::tags must hold at most 16, none of them 0"};
    }
    if (front > max_payload_bytes || payload_bytes > max_payload_bytes - front)
        return payload_too_large(front + payload_bytes);
    return std::nullopt;
}

// What an event carries in front of its payload.
[[nodiscard]] inline std::size_t front_bytes(const event_header& header) noexcept {
    return metadata_bytes(header.metadata) + tag_bytes(header.tags.size());
}

// The event's tags, also if they are given as metadata, as a copy gives them.
[[nodiscard]] inline number_list tags_of(const event_header& header) noexcept {
    if (!header.tags.empty())
        return number_list{std::as_bytes(header.tags.span())};
    const auto entry = std::ranges::find(header.metadata, metadata_tag::tags, &metadata_entry::tag);
    return entry == header.metadata.end() ? number_list{} : number_list{entry->value};
}

template <bool WithMore>
inline appender::event_extras appender::extras_of(const event_header& header) noexcept {
    event_extras extras;
    if constexpr (WithMore)
        extras.bytes = front_bytes(header);
    return extras;
}

template <bool WithMore>
inline std::optional<error> appender::admit(const event_header& header, std::size_t payload_bytes,
                                            event_extras& extras) noexcept {
    if constexpr (WithMore) {
        if (auto wrong = refuse_body(header, extras.bytes, payload_bytes))
            return wrong;
        auto command = admit_command(header.metadata);
        if (!command)
            return std::move(command.error());
        extras.command = *command;
        extras.tags = tags_of(header);
        if (auto unmet = refuse_conditions(header))
            return unmet;
        return header.unless == nullptr ? std::nullopt : judge(*header.unless);
    } else {
        if (payload_bytes > max_payload_bytes) [[unlikely]]
            return payload_too_large(payload_bytes);
        return std::nullopt;
    }
}

inline std::optional<error> appender::place(const event_header& header, std::uint64_t offset,
                                            stream_slot& slot) noexcept {
    if (header.stream == no_stream_id && header.expected.asks_nothing())
        return std::nullopt;
    return place_in_stream(header, offset, slot);
}

template <bool WithMore>
inline std::optional<error> appender::place_with(const event_header& header, event_extras& extras,
                                                 stream_slot& slot) noexcept {
    if constexpr (WithMore) {
        if (!extras.tags.empty()) {
            if (auto wrong = admit_tags(extras))
                return wrong;
        }
    }
    auto wrong = place(header, position_, slot);
    if constexpr (WithMore) {
        if (wrong)
            forget_tags(extras);
    }
    return wrong;
}

inline void appender::store_payload(std::uint64_t offset,
                                    std::span<const std::byte> payload) noexcept {
    PAWL_ASSERT(offset % frame_alignment == 0);
    PAWL_ASSERT(padded(payload.size()) <= limit_ + end_frame_bytes - frame_header_bytes - offset);
    std::byte* at = base_ + offset + frame_header_bytes;
    // Zero the last word; the payload then overwrites what is not padding.
    store_u64(at + padded(payload.size()) - frame_alignment, 0);
    // An empty span may have a null pointer.
    if (!payload.empty())
        std::memcpy(at, payload.data(), payload.size());
}

inline void appender::zero_padding(std::uint64_t offset, std::size_t payload_bytes) noexcept {
    PAWL_ASSERT(padded(payload_bytes) <= limit_ + end_frame_bytes - frame_header_bytes - offset);
    std::byte* end = base_ + offset + frame_header_bytes + payload_bytes;
    for (std::size_t left = padded(payload_bytes) - payload_bytes; left != 0; --left)
        *end++ = std::byte{0};
}

// Field by field, from registers: copying a struct would read it back in wider pieces than it was
// just stored in, which makes the processor wait until all earlier stores have reached the cache.
inline void appender::store_place(std::uint64_t offset, sequence_number sequence, stream_id stream,
                                  const stream_slot& slot, std::uint64_t witness) noexcept {
    PAWL_ASSERT(witness <= most_behind && witness <= sequence);
    PAWL_ASSERT(stream != no_stream_id || (slot.version == 0 && slot.back == 0));
    std::byte* frame = base_ + offset;
    store_u64(frame + frame_offset::link, std::uint64_t{slot.back} | witness << 32);
    store_u64(frame + frame_offset::sequence, sequence);
    store_u64(frame + frame_offset::stream, stream);
    store_u64(frame + frame_offset::version, slot.version);
}

inline void appender::store_time(std::uint64_t offset, std::uint64_t from_caller) noexcept {
    store_u64(base_ + offset + frame_offset::timestamp, timestamp(from_caller));
}

template <bool WithMore>
inline void appender::store_body(const event_header& header, std::span<const std::byte> payload,
                                 const event_extras& extras) noexcept {
    // Read the clock first: its latency is on the hash's critical path.
    store_time(position_, header.timestamp_ns);
    store_payload(position_ + extras.bytes, payload);
    if constexpr (WithMore)
        store_metadata(base_ + position_ + frame_header_bytes, header.metadata, header.tags.span());
}

// A reader that reaches `next` must find no frame there yet.
inline void appender::clear_word(std::uint64_t next) noexcept {
    PAWL_ASSERT(next % frame_alignment == 0 && next <= limit_);
    if (next < scribbled_) [[unlikely]]
        store_u64(base_ + next, 0);
}

// The last two stores that make a frame: its hash and, with release, its commit word. The word
// after the frame has been cleared by then, so a reader that gets past this frame finds none. If
// the process dies before the commit word is stored, the word is zero and there is no frame. A
// power cut may keep any subset of the frame's pages: the hash covers the commit word and every
// byte after it, so a frame with a missing part is not a frame either.
inline void appender::finish_frame(std::uint64_t offset, commit_word word) noexcept {
    const std::size_t bytes = padded(word.frame_bytes());
    std::byte* frame = base_ + offset;
    PAWL_ASSERT(offset % frame_alignment == 0 && offset >= first_frame_offset);
    PAWL_ASSERT(bytes >= frame_header_bytes && bytes <= limit_ + end_frame_bytes - offset);
    store_u64(frame + frame_offset::hash, frame_hash(frame, bytes, epoch_, offset, word.value()));
    store_commit(frame, word.value());
}

inline void appender::publish(std::uint64_t next) noexcept {
    PAWL_ASSERT(next % frame_alignment == 0 && next >= position_ && next <= limit_);
    PAWL_ASSERT(sequence_ >= progress_.sequence.load(std::memory_order_relaxed));
    position_ = next;
    progress_.position.store(begin_ + next, std::memory_order_release);
    progress_.sequence.store(sequence_, std::memory_order_release);
}

inline void appender::move_stream(const stream_slot& slot, std::uint64_t offset) noexcept {
    if (slot.head == nullptr)
        return;
    PAWL_ASSERT(slot.version == slot.head->version + 1);
    slot.head->version = slot.version;
    slot.head->last = pack_position(ordinal_, offset);
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

// Stores the event within the room reserved when the batch began. The future commit word waits in
// the place of the hash, which no reader looks at before the batch's first commit word is stored.
inline receipt appender::stage_event(commit_word word, stream_id stream,
                                     const stream_slot& slot) noexcept {
    const std::uint64_t offset = position_;
    store_u64(base_ + offset + frame_offset::hash, word.value());
    PAWL_ASSERT(batch_.open && batch_.events < batch_.most_events);
    PAWL_ASSERT(padded(word.frame_bytes()) <= batch_.limit - offset);
    PAWL_ASSERT(slot.head == nullptr || undo_.size() < undo_.capacity());
    if (slot.head != nullptr)
        undo_.push_back({stream, slot.head->version, slot.head->last});
    move_stream(slot, offset);
    batch_.last = {sequence_ + batch_.events, slot.version, {ordinal_, offset}};
    ++batch_.events;
    position_ = offset + padded(word.frame_bytes());
    return batch_.last;
}

}  // namespace pawl::detail
