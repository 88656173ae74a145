// How a cursor finds the place where it begins.
#include "format/segment_walk.hpp"
#include "os/assertion.hpp"
#include "read/cursor_state.hpp"
#include "store/directory.hpp"
#include "store/index_file.hpp"

#include <algorithm>
#include <utility>

namespace pawl::detail {

result<void> cursor_state::seek() {
    durable_.refresh();
    if (auto there = stand_at_beginning(); !there)
        return there;
    struct seeker {
        cursor_state& state;
        result<void> operator()(from_first) const {
            state.next_version_ = state.begin_.is_pruned() ? 0 : 1;
            return state.seek_first();
        }
        result<void> operator()(from_end) const { return state.seek_end(); }
        result<void> operator()(from_sequence from) const {
            return state.seek_sequence(from.sequence);
        }
        result<void> operator()(from_point from) const { return state.seek_point(from); }
        result<void> operator()(const from_position& from) const {
            return state.seek_position(from);
        }
        result<void> operator()(from_version from) const {
            return state.seek_version(from.version);
        }
        result<void> operator()(from_time from) const { return state.seek_time(from.ns); }
    };
    if (auto found = std::visit(seeker{*this}, options_.from); !found)
        return found;
    placed_ = true;
    if (reads_part() && segment_ && !left_) {
        if (auto followed = follow_part(); !followed)
            return followed;
    }
    // Where the event before was not read, the point names none, so that it is not taken for that
    // of another place.
    if (point_.next != sequence_)
        point_ = {.next = sequence_};
    return {};
}

result<void> cursor_state::stand_at_beginning() {
    auto begin = read_log_begin(directory_, id_);
    if (!begin)
        return std::unexpected(std::move(begin.error()));
    begin_ = *begin;
    sequence_ = begin_.sequence();
    point_ = begin_.point;
    records_.set_digest(begin_.names_digest);
    return {};
}

bool cursor_state::beginning_moved() const {
    const auto begin = read_log_begin(directory_, id_);
    return begin && begin->ordinal != begin_.ordinal;
}

result<void> cursor_state::refuse_pruned(std::uint64_t ordinal) const {
    const auto begin = read_log_begin(directory_, id_);
    if (!begin)
        return std::unexpected(begin.error());
    if (ordinal >= begin->ordinal)
        return {};
    return std::unexpected(before_the_beginning(*begin, directory_, sequence_));
}

result<void> cursor_state::seek_first() {
    auto entered = enter_successor();
    if (!entered)
        return std::unexpected(std::move(entered.error()));
    if (*entered)
        return {};
    // A segment that the listing lacks may exist: a listing is not a snapshot of one moment.
    auto ordinals = list_segments(directory_);
    if (!ordinals)
        return std::unexpected(std::move(ordinals.error()));
    entered = enter_successor();
    if (!entered)
        return std::unexpected(std::move(entered.error()));
    if (!*entered && !ordinals->empty() && ordinals->front() != begin_.ordinal) {
        return std::unexpected(error{.code = errc::missing_segment,
                                     .sequence = begin_.sequence(),
                                     .file = segment_path(directory_, begin_.ordinal).string(),
                                     .detail = "the first segment does not exist"});
    }
    return {};
}

// From the last segment backwards, since most callers ask for a recent sequence.
result<void> cursor_state::enter_holding(sequence_number sequence) {
    auto ordinals = list_log(directory_, begin_);
    if (!ordinals)
        return std::unexpected(std::move(ordinals.error()));
    for (auto ordinal = ordinals->rbegin(); ordinal != ordinals->rend(); ++ordinal) {
        const auto index = read_index_header(directory_, id_, *ordinal);
        if (index && index->first_sequence > sequence)
            continue;
        auto opened = open_segment(directory_, id_, *ordinal);
        // Listed, but gone since: it was only prepared, and a close or a recovery removed it. If
        // another segment is missing, the walk forward finds that.
        if (!opened && opened.error().code == errc::missing_segment)
            continue;
        if (!opened)
            return std::unexpected(std::move(opened.error()));
        const frame_space space = opened->space();
        const commit_word word{load_commit(space.base + first_frame_offset)};
        const frame_fault fault = check_frame(space, first_frame_offset, word);
        if (auto whole = opened->bytes.whole(); !whole)
            return whole;
        if (fault != frame_fault::none) {
            // Nothing here yet, or a hole, which the cursor finds when it reads up to it.
            if (*ordinal != begin_.ordinal)
                continue;
            return seek_first();
        }
        const sequence_number first =
            load_u64(space.base + first_frame_offset + frame_offset::sequence);
        if (first > sequence)
            continue;
        const bool sealed = index && is_of_segment(*index, *opened);
        adopt(std::move(*opened), sealed ? kind::sealed : kind::growing);
        sequence_ = first;
        if (*ordinal != begin_.ordinal)
            records_.set_digest(0);
        if (!sealed)
            return {};
        durable_.note(index->end_sequence);
        if (sequence == first)
            return {};
        return start_at_mark(sequence);
    }
    return seek_first();
}

// Without a mark, reading starts at the segment's first frame: a bad index block only costs time.
result<void> cursor_state::start_at_mark(sequence_number sequence) {
    PAWL_ASSERT(segment_ && segment_->header.ordinal == ordinal_);
    auto index = index_file::open(directory_, id_, ordinal_);
    if (!index) {
        return index.error().code == errc::newer_format ? std::unexpected(std::move(index.error()))
                                                        : result<void>{};
    }
    const auto mark = index->mark_before(sequence);
    if (mark && *mark && can_begin_at(**mark)) {
        PAWL_ASSERT((*mark)->sequence <= sequence);
        offset_ = (*mark)->offset;
        sequence_ = (*mark)->sequence;
        records_.set_digest(0);
    }
    return {};
}

// Whether the frame at a mark is valid and has its sequence, and is not in the middle of a batch.
bool cursor_state::can_begin_at(const index_mark& mark) const noexcept {
    PAWL_ASSERT(segment_.has_value());
    const frame_space space = segment_->space();
    if (mark.offset < first_frame_offset ||
        check_in_order(space, mark.offset, mark.sequence) != frame_fault::none)
        return false;
    const commit_word word{load_u64(space.base + mark.offset)};
    return (word.flags() & (flag::batch_middle | flag::batch_last)) == 0;
}

result<void> cursor_state::walk_to(sequence_number sequence) {
    while (sequence_ < sequence) {
        const step done = advance();
        if (failure_)
            return std::unexpected(*std::exchange(failure_, std::nullopt));
        if (done != step::nothing)
            continue;
        return std::unexpected(
            error{.code = errc::not_found,
                  .sequence = sequence,
                  .file = directory_.string(),
                  .detail = "the journal ends at sequence " + std::to_string(sequence_)});
    }
    return {};
}

result<void> cursor_state::seek_sequence(sequence_number sequence) {
    if (sequence < begin_.sequence())
        return std::unexpected(before_the_beginning(begin_, directory_, sequence));
    const auto seek_from = [&](sequence_number before) -> result<void> {
        // An earlier attempt may have noted names that are not before this place.
        records_.drop_records();
        records_.set_digest(begin_.names_digest);
        if (auto entered = enter_holding(before); !entered)
            return entered;
        return walk_to(sequence);
    };
    // Over the event before it, whose hashes are in the cursor's point. That event need not be
    // readable.
    if (sequence > begin_.sequence() && seek_from(sequence - 1))
        return {};
    return seek_from(sequence);
}

// Whether an index is of the segment that has its ordinal.
bool cursor_state::is_index_of_log(const index_header& index) const {
    const auto segment = open_segment(directory_, id_, index.ordinal);
    return segment && is_of_segment(index, *segment);
}

// Where to begin to read for events of that time or later: none lies before.
result<sequence_number> cursor_state::begin_of_time(std::uint64_t since_ns) const {
    auto ordinals = list_log(directory_, begin_);
    if (!ordinals)
        return std::unexpected(std::move(ordinals.error()));
    sequence_number begin = begin_.sequence();
    std::uint64_t led_to = 0;  // epoch of the next segment, if the last one names it
    for (const std::uint64_t ordinal : *ordinals) {
        auto header = read_index_header(directory_, id_, ordinal);
        if (!header && header.error().code == errc::newer_format)
            return std::unexpected(std::move(header.error()));
        // Without an index that continues the one before, the segment is read.
        if (!header || header->first_sequence != begin)
            return begin;
        // The segment need not be opened if the one before leads to this index.
        const bool passes = header->max_timestamp_ns < since_ns;
        const bool led = led_to != 0 && header->epoch == led_to;
        if (!(passes && led) && !is_index_of_log(*header))
            return begin;
        if (passes) {
            begin = header->end_sequence;
            led_to = header->successor_epoch;
            continue;
        }
        auto index = index_file::open(directory_, id_, ordinal);
        if (!index || index->header().end_hash != header->end_hash)
            return begin;
        const auto mark = index->mark_before_time(since_ns);
        return mark && *mark ? std::max(begin, (*mark)->sequence) : begin;
    }
    return begin;
}

result<void> cursor_state::seek_time(std::uint64_t since_ns) {
    auto begin = begin_of_time(since_ns);
    if (!begin)
        return std::unexpected(std::move(begin.error()));
    // Another cursor looks for the event, because this one must not pass it.
    cursor_options looking = options_;
    looking.from = from_sequence{*begin};
    looking.stream = no_stream_id;
    looking.tag = 0;
    looking.filter.reset();
    looking.show = visibility::published;
    looking.follow = true;
    cursor_state probe{directory_, identity_, looking};
    probe.looks_for_place_ = true;
    if (auto found = probe.seek(); !found)
        return found;
    sequence_number sequence = probe.next_sequence();
    for (const event* e = probe.next(); e != nullptr && e->timestamp_ns() < since_ns;
         e = probe.next())
        sequence = e->sequence() + 1;
    if (probe.failure_)
        return std::unexpected(*std::exchange(probe.failure_, std::nullopt));
    return seek_sequence(sequence);
}

result<void> cursor_state::seek_end() {
    if (auto entered = enter_holding(~sequence_number{0}); !entered)
        return entered;
    for (;;) {
        const step done = advance();
        if (failure_)
            return std::unexpected(*std::exchange(failure_, std::nullopt));
        if (done == step::nothing)
            break;
    }
    // The last segment may hold no event yet.
    return point_.next == sequence_ ? result<void>{} : seek_sequence(sequence_);
}

result<void> cursor_state::seek_point(const from_point& from) {
    const log_point& point = from.point;
    if (point.next < begin_.sequence())
        return std::unexpected(before_the_beginning(begin_, directory_, point.next));
    if (point.next == 0)
        return seek_first();
    const auto diverged = [&](std::string detail) {
        return std::unexpected(error{.code = errc::diverged,
                                     .sequence = point.next - 1,
                                     .file = directory_.string(),
                                     .detail = std::move(detail)});
    };
    if (point.next == begin_.sequence()) {
        if (!stands_behind(from))
            return diverged("another event was pruned there");
        return seek_first();
    }
    auto found = seek_sequence(point.next - 1);
    if (!found && found.error().code != errc::not_found)
        return found;
    while (found && sequence_ < point.next) {
        const step done = advance();
        if (failure_)
            return std::unexpected(*std::exchange(failure_, std::nullopt));
        if (done == step::nothing)
            break;
    }
    if (sequence_ < point.next) {
        return diverged("the journal ends before it, at sequence " + std::to_string(sequence_));
    }
    if (!stands_behind(from))
        return diverged("there is another event at that place");
    return {};
}

// The content hash alone would also accept an event that a power cut took and that was appended
// again unchanged, but after other events. In a copy, the frame lies elsewhere, so only the content
// hash can be compared.
bool cursor_state::stands_behind(const from_point& from) const noexcept {
    const bool is_copy = identity_.id != identity_.origin;
    const bool taken_here = from.taken_in == journal_id{} ? !is_copy : from.taken_in == id_;
    return point_.content_hash == from.point.content_hash &&
           (!taken_here || point_.frame_hash == from.point.frame_hash);
}

result<void> cursor_state::seek_position(const from_position& from) {
    if (auto there = refuse_pruned(from.position.ordinal); !there)
        return there;
    auto opened = open_segment(directory_, id_, from.position.ordinal);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    const auto index = read_index_header(directory_, id_, from.position.ordinal);
    if (!index && index.error().code == errc::newer_format)
        return std::unexpected(index.error());
    const frame_space space = opened->space();
    const bool sealed = index && is_of_segment(*index, *opened);
    const std::uint64_t offset = from.position.offset;
    const auto nothing = [&](std::string detail) {
        return std::unexpected(error{.code = errc::not_found,
                                     .offset = offset,
                                     .file = opened->bytes.path().string(),
                                     .detail = std::move(detail)});
    };
    // Frames may lie after the end of a segment that was cut; they are no longer part of the
    // journal.
    const std::uint64_t end = sealed ? index->end_offset : space.bytes;
    if (offset < first_frame_offset || offset % frame_alignment != 0 || offset >= end ||
        !has_room_for_header(space, offset))
        return nothing("no event begins there");
    const commit_word word{load_commit(space.base + offset)};
    const frame_fault fault = check_frame(space, offset, word);
    if (auto whole = opened->bytes.whole(); !whole)
        return whole;
    if (fault != frame_fault::none || word.is_system())
        return nothing(fault == frame_fault::none ? "there is a system frame at that place"
                                                  : std::string{to_string(fault)});
    const sequence_number sequence = load_u64(space.base + offset + frame_offset::sequence);
    const std::uint64_t hash = load_u64(space.base + offset + frame_offset::hash);
    if (from.point.next != 0 &&
        (from.point.next != sequence + 1 || from.point.frame_hash != hash)) {
        return std::unexpected(error{.code = errc::diverged,
                                     .offset = offset,
                                     .sequence = sequence,
                                     .file = opened->bytes.path().string(),
                                     .detail = "there is another event at that place"});
    }
    adopt(std::move(*opened), sealed ? kind::sealed : kind::growing);
    const bool inside_batch = (word.flags() & (flag::batch_middle | flag::batch_last)) != 0;
    if (!inside_batch && (sealed || is_durable(sequence))) {
        offset_ = offset;
        sequence_ = sequence;
        return {};
    }
    return walk_to_position(sequence, from.position);
}

// A whole frame may lie after a hole, and one inside a batch may belong to a batch that was never
// committed: only reading up to it proves that it is in the journal.
result<void> cursor_state::walk_to_position(sequence_number sequence, log_position position) {
    PAWL_ASSERT(segment_ && segment_->header.ordinal == position.ordinal);
    sequence_ = load_u64(segment_->bytes.data() + first_frame_offset + frame_offset::sequence);
    if (auto started = start_at_mark(sequence); !started)
        return started;
    if (auto walked = walk_to(sequence); !walked)
        return walked;
    // A name may stand before the event.
    while (!left_ && offset_ < position.offset && advance() == step::again) {
    }
    if (failure_)
        return std::unexpected(*std::exchange(failure_, std::nullopt));
    if (!left_ && log_position{ordinal_, offset_} == position)
        return {};
    return std::unexpected(here(errc::not_found, "no event of the journal begins at offset " +
                                                     std::to_string(position.offset)));
}

}  // namespace pawl::detail
