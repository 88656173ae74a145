#include "appender.hpp"

#include "frame_check.hpp"

#include <cstring>
#include <limits>
#include <new>

namespace pawl::detail {

namespace {

constexpr std::uint64_t most_behind = std::numeric_limits<std::uint32_t>::max();

inline void pause() noexcept {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

[[nodiscard]] error too_far_behind() noexcept {
    // Four thousand million events without a sync: the frame cannot say how far back it was.
    return error{.code = errc::back_pressure};
}

}  // namespace

appender::appender(const appender_setup& setup, head_slots heads)
    : gate_word_{setup.gate_word},
      durable_{setup.durable},
      tsc_{setup.clock == clock_source::tsc ? tsc_clock::instance() : nullptr},
      clock_{setup.clock == clock_source::tsc && tsc_ == nullptr ? clock_source::system
                                                                 : setup.clock},
      full_{setup.full},
      sequence_{setup.sequence},
      table_{std::move(heads)},
      supply_{setup.supply},
      named_streams_{setup.named_streams} {
    constexpr std::size_t usual_batch = 4096;
    undo_.reserve(usual_batch);
    progress_.sequence.store(sequence_, std::memory_order_relaxed);
    enter(setup.first);
}

void appender::enter(live_segment* segment) noexcept {
    segment_ = segment;
    base_ = segment->bytes.data();
    limit_ = segment->header.segment_bytes - end_frame_bytes;
    epoch_ = segment->header.epoch;
    ordinal_ = segment->header.ordinal;
    position_ = first_frame_offset;
    scribbled_ = 0;
    segment_first_sequence_ = sequence_;
    progress_.position.store(position_, std::memory_order_release);
}

std::unexpected<error> appender::refused() const noexcept {
    switch (static_cast<gate>(gate_word_->load(std::memory_order_acquire))) {
        case gate::forked:
            return std::unexpected(error{.code = errc::forked});
        case gate::poisoned:
            return std::unexpected(error{.code = errc::poisoned});
        case gate::closed:
            return std::unexpected(error{.code = errc::closed});
        case gate::open:
            break;
    }
    return std::unexpected(error{.code = errc::busy});
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
        return error{.code = errc::too_large};
    if (bytes <= limit_ - position_)
        return std::nullopt;
    return roll();
}

live_segment* appender::wait_for_segment() noexcept {
    if (live_segment* ready = supply_->take())
        return ready;
    progress_.back_pressure.fetch_add(1, std::memory_order_relaxed);
    while (full_ == when_full::spin && may_append() && !supply_->disk_full()) {
        if (live_segment* ready = supply_->take())
            return ready;
        pause();
    }
    return nullptr;
}

std::optional<error> appender::roll() noexcept {
    const std::uint64_t behind = behind_durable();
    if (behind > most_behind)
        return too_far_behind();
    live_segment* next = wait_for_segment();
    if (next == nullptr) {
        if (!may_append())
            return refused().error();
        return error{.code = supply_->disk_full() ? errc::disk_full : errc::back_pressure};
    }
    zero_scribbles();
    append_end(system_type::rolled, next->header.epoch, static_cast<std::uint32_t>(behind));
    progress_.bytes.fetch_add(position_ - first_frame_offset, std::memory_order_relaxed);
    progress_.rollovers.fetch_add(1, std::memory_order_relaxed);
    segment_->end.store(position_, std::memory_order_relaxed);
    segment_->next.store(next, std::memory_order_release);
    enter(next);
    return std::nullopt;
}

void appender::zero_scribbles() noexcept {
    // The word at hand is zero already, and readers are looking at it.
    const std::uint64_t from = position_ + frame_alignment;
    const std::uint64_t end = std::min<std::uint64_t>(scribbled_, segment_->header.segment_bytes);
    if (end > from && !planted(bug::no_scribble_zeroing))
        std::memset(base_ + from, 0, static_cast<std::size_t>(end - from));
    scribbled_ = 0;
}

void appender::append_end(system_type type, std::uint64_t successor_epoch,
                          std::uint32_t witness) noexcept {
    const end_payload payload{.successor_epoch = successor_epoch,
                              .first_sequence = segment_first_sequence_,
                              .events = sequence_ - segment_first_sequence_,
                              .lost_about = 0,
                              .torn_bytes = 0};
    const std::uint64_t offset = position_;
    store_frame(offset,
                {.commit = 0,
                 .hash = 0,
                 .sequence = sequence_,
                 .timestamp_ns = timestamp(0),
                 .stream = 0,
                 .version = 0,
                 .back = 0,
                 .witness = witness},
                reinterpret_cast<const std::byte*>(&payload), sizeof payload);
    finish_frame(offset,
                 commit_word{end_frame_bytes, flag::system, static_cast<std::uint16_t>(type), 0});
    position_ += end_frame_bytes;
}

void appender::append_closed() noexcept {
    append_end(system_type::closed, 0, 0);
    progress_.position.store(position_, std::memory_order_release);
}

std::optional<error> appender::place(const event_header& header, std::uint64_t offset,
                                     stream_slot& slot) noexcept {
    if (header.stream == no_stream_id) {
        if (header.expected.asks_nothing())
            return std::nullopt;
        return error{.code = errc::invalid_argument};
    }
    if (header.stream >= first_named_stream &&
        header.stream - first_named_stream >= named_streams_) {
        return error{.code = errc::invalid_argument};
    }
    slot.head = table_.find_or_insert(header.stream);
    if (slot.head == nullptr)
        return error{.code = errc::back_pressure};
    if (!header.expected.admits(slot.head->version)) {
        return error{.code = errc::conflict, .actual_version = slot.head->version};
    }
    slot.version = slot.head->version + 1;
    const bool here = slot.head->version != 0 && slot.head->last >> 32 == ordinal_;
    slot.back = here ? static_cast<std::uint32_t>(offset / frame_alignment - slot.head->last) : 0;
    return std::nullopt;
}

// Everything of a frame but hash and commit word. A null payload is already where it belongs.
inline void appender::store_frame(std::uint64_t offset, const frame_header& header,
                                  const std::byte* payload, std::size_t payload_bytes) noexcept {
    std::byte* frame = base_ + offset;
    const std::size_t bytes = frame_header_bytes + payload_bytes;
    if (payload != nullptr) {
        // One whole word, of which the payload then overwrites what is not padding.
        store_u64(frame + padded(bytes) - frame_alignment, 0);
        std::memcpy(frame + frame_header_bytes, payload, payload_bytes);
    } else {
        std::memset(frame + bytes, 0, padded(bytes) - bytes);
    }
    // Field by field, out of registers: copying the struct would read it back in wider pieces than
    // it was just stored in, which makes the processor wait until every store before has reached
    // the cache.
    store_u64(frame + frame_offset::sequence, header.sequence);
    store_u64(frame + frame_offset::timestamp, header.timestamp_ns);
    store_u64(frame + frame_offset::stream, header.stream);
    store_u64(frame + frame_offset::version, header.version);
    store_u64(frame + frame_offset::back,
              std::uint64_t{header.back} | std::uint64_t{header.witness} << 32);
}

// A reader that comes to `next` must find nothing there yet.
inline void appender::clear_word(std::uint64_t next) noexcept {
    if (!planted(bug::no_clear_word) && next < scribbled_) [[unlikely]]
        store_u64(base_ + next, 0);
}

// The last two stores that make a frame: its hash and, with release, its commit word. The word
// behind the frame has been cleared by then.
inline void appender::finish_frame(std::uint64_t offset, commit_word word) noexcept {
    const std::size_t bytes = padded(word.frame_bytes());
    std::byte* frame = base_ + offset;
    store_u64(frame + frame_offset::hash, frame_hash(frame, bytes, epoch_, offset, word.value()));
    store_commit(frame, word.value());
}

inline void appender::publish(std::uint64_t next) noexcept {
    position_ = next;
    progress_.position.store(next, std::memory_order_release);
    progress_.sequence.store(sequence_, std::memory_order_release);
}

// One event at the current position. A null payload is already where it belongs.
inline result<receipt> appender::append_in_place(const event_header& header,
                                                 std::size_t payload_bytes,
                                                 const std::byte* payload) noexcept {
    const std::size_t bytes = frame_header_bytes + payload_bytes;
    const std::uint64_t offset = position_;
    const std::uint64_t behind = behind_durable();
    if (behind > most_behind) [[unlikely]]
        return std::unexpected(too_far_behind());
    stream_slot slot;
    if (header.stream != no_stream_id || !header.expected.asks_nothing()) {
        if (auto wrong = place(header, offset, slot))
            return std::unexpected(std::move(*wrong));
    }
    store_frame(offset,
                {.commit = 0,
                 .hash = 0,
                 .sequence = sequence_,
                 .timestamp_ns = timestamp(header.timestamp_ns),
                 .stream = header.stream,
                 .version = slot.version,
                 .back = slot.back,
                 .witness = static_cast<std::uint32_t>(behind)},
                payload, payload_bytes);
    const std::uint64_t next = offset + padded(bytes);
    clear_word(next);
    finish_frame(offset, commit_word{bytes, 0, header.type, header.schema_version});
    if (slot.head != nullptr && !planted(bug::stale_version)) {
        slot.head->version = slot.version;
        slot.head->last = pack_position(ordinal_, offset);
    }
    const receipt given{sequence_, slot.version, {ordinal_, offset}};
    ++sequence_;
    publish(next);
    return given;
}

result<receipt> appender::append(const event_header& header,
                                 std::span<const std::byte> payload) noexcept {
    if (!may_append() || busy_) [[unlikely]]
        return refused();
    if (payload.size() > max_frame_bytes - frame_header_bytes) [[unlikely]] {
        return std::unexpected(error{.code = errc::too_large});
    }
    const std::size_t needed = padded(frame_header_bytes + payload.size());
    if (needed > limit_ - position_) [[unlikely]] {
        if (auto wrong = make_room(needed))
            return std::unexpected(std::move(*wrong));
    }
    // An empty span may have a null pointer, which would mean «in place».
    return append_in_place(header, payload.size(), payload.data());
}

result<std::span<std::byte>> appender::reserve(const event_header& header,
                                               std::size_t max_bytes) noexcept {
    if (!may_append() || reservation_.open || (busy_ && !batch_.open))
        return refused();
    if (max_bytes > max_frame_bytes - frame_header_bytes) {
        return std::unexpected(error{.code = errc::too_large});
    }
    const std::size_t needed = padded(frame_header_bytes + max_bytes);
    if (batch_.open) {
        if (batch_.events == batch_.most_events || needed > batch_.limit - position_) {
            return std::unexpected(error{.code = errc::too_large});
        }
    } else if (auto wrong = make_room(needed)) {
        return std::unexpected(std::move(*wrong));
    }
    stream_slot slot;
    if (auto wrong = place(header, position_, slot))
        return std::unexpected(std::move(*wrong));
    reservation_ = {.open = true, .header = header, .max_bytes = max_bytes};
    busy_ = true;
    return std::span{base_ + position_ + frame_header_bytes, max_bytes};
}

void appender::abandon_reservation() noexcept {
    if (!reservation_.open)
        return;
    note_scribbles(position_ + padded(frame_header_bytes + reservation_.max_bytes));
    reservation_.open = false;
    busy_ = batch_.open;
}

result<receipt> appender::commit_reservation(std::size_t bytes) noexcept {
    if (!may_append() || bytes > reservation_.max_bytes) {
        abandon_reservation();
        if (!may_append())
            return refused();
        return std::unexpected(error{.code = errc::too_large});
    }
    abandon_reservation();
    return batch_.open ? stage(reservation_.header, bytes, nullptr)
                       : append_in_place(reservation_.header, bytes, nullptr);
}

result<void> appender::begin_batch(std::uint32_t events, std::size_t payload_bytes) noexcept {
    if (!may_append() || busy_)
        return refused();
    if (events == 0)
        return std::unexpected(error{.code = errc::invalid_argument});
    const std::size_t overhead = frame_header_bytes + frame_alignment - 1;
    if (payload_bytes > max_segment_bytes)
        return std::unexpected(error{.code = errc::too_large});
    const std::size_t needed = padded(payload_bytes + events * overhead);
    if (auto wrong = make_room(needed))
        return std::unexpected(std::move(*wrong));
    const std::uint64_t behind = behind_durable();
    if (behind > most_behind - events)
        return std::unexpected(too_far_behind());
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
    if (!may_append() || !batch_.open || reservation_.open)
        return refused();
    if (payload.size() > max_frame_bytes - frame_header_bytes ||
        batch_.events == batch_.most_events ||
        padded(frame_header_bytes + payload.size()) > batch_.limit - position_) {
        return std::unexpected(error{.code = errc::too_large});
    }
    return stage(header, payload.size(), payload.data());
}

// An event of a batch: all but its hash and commit word. What the commit word will be waits in the
// hash's place, which no reader looks at before the batch's first commit word is there.
result<receipt> appender::stage(const event_header& header, std::size_t payload_bytes,
                                const std::byte* payload) noexcept {
    const std::size_t bytes = frame_header_bytes + payload_bytes;
    const std::uint64_t offset = position_;
    stream_slot slot;
    if (auto wrong = place(header, offset, slot))
        return std::unexpected(std::move(*wrong));
    const sequence_number sequence = sequence_ + batch_.events;
    store_frame(offset,
                {.commit = 0,
                 .hash = 0,
                 .sequence = sequence,
                 .timestamp_ns = timestamp(header.timestamp_ns),
                 .stream = header.stream,
                 .version = slot.version,
                 .back = slot.back,
                 .witness = batch_.witness + batch_.events},
                payload, payload_bytes);
    const commit_word word{bytes, 0, header.type, header.schema_version};
    store_u64(base_ + offset + frame_offset::hash, word.value());
    if (slot.head != nullptr) {
        // Within the room reserved for it when the batch began.
        undo_.push_back({header.stream, slot.head->version, slot.head->last});
        slot.head->version = slot.version;
        slot.head->last = pack_position(ordinal_, offset);
    }
    ++batch_.events;
    batch_.last = {sequence, slot.version, {ordinal_, offset}};
    position_ = offset + padded(bytes);
    return batch_.last;
}

result<receipt> appender::commit_batch() noexcept {
    if (!may_append() || !batch_.open || reservation_.open || batch_.events == 0) {
        const bool empty = may_append() && batch_.open && !reservation_.open;
        abandon_batch();
        if (empty)
            return std::unexpected(error{.code = errc::invalid_argument});
        return refused();
    }
    const auto planned = [&](std::uint64_t offset, std::uint8_t part) {
        const commit_word word{load_u64(base_ + offset + frame_offset::hash)};
        return commit_word{word.frame_bytes(), part, word.type(), word.schema_version()};
    };
    const auto first = planned(batch_.begin, batch_.events == 1 ? 0 : flag::batch_first);
    clear_word(position_);
    std::uint64_t offset = batch_.begin + padded(first.frame_bytes());
    while (offset != position_) {
        const auto middle = planned(offset, flag::batch_middle);
        const std::uint64_t next = offset + padded(middle.frame_bytes());
        finish_frame(offset, next == position_ ? planned(offset, flag::batch_last) : middle);
        offset = next;
    }
    finish_frame(batch_.begin, first);
    sequence_ += batch_.events;
    batch_.open = false;
    busy_ = false;
    publish(position_);
    return batch_.last;
}

void appender::abandon_batch() noexcept {
    abandon_reservation();
    if (!batch_.open)
        return;
    for (auto entry = undo_.rbegin(); entry != undo_.rend(); ++entry) {
        stream_head* head = table_.find_or_insert(entry->stream);
        if (head == nullptr)
            continue;  // cannot be: the batch itself found or made it
        head->version = entry->version;
        head->last = entry->last;
    }
    note_scribbles(position_);
    position_ = batch_.begin;
    batch_.open = false;
    busy_ = false;
}

result<stream_id> appender::append_name(std::string_view name) noexcept {
    if (!may_append() || busy_)
        return refused();
    const std::size_t bytes = frame_header_bytes + name.size();
    if (auto wrong = make_room(padded(bytes)))
        return std::unexpected(std::move(*wrong));
    const std::uint64_t behind = behind_durable();
    if (behind > most_behind)
        return std::unexpected(too_far_behind());
    const stream_id stream = first_named_stream + named_streams_;
    const std::uint64_t offset = position_;
    store_frame(offset,
                {.commit = 0,
                 .hash = 0,
                 .sequence = sequence_,
                 .timestamp_ns = timestamp(0),
                 .stream = stream,
                 .version = 0,
                 .back = 0,
                 .witness = static_cast<std::uint32_t>(behind)},
                reinterpret_cast<const std::byte*>(name.data()), name.size());
    const std::uint64_t next = offset + padded(bytes);
    clear_word(next);
    finish_frame(offset, commit_word{bytes, flag::system,
                                     static_cast<std::uint16_t>(system_type::stream_name), 0});
    ++named_streams_;
    publish(next);
    return stream;
}

}  // namespace pawl::detail
