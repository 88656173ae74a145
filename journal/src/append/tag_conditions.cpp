// Conditions on the events that name a tag. Like those on streams, they are judged against the log
// before the event or its batch: one thread appends, so what holds here still holds when the event
// is published.
//
// Most are judged by the last event of each tag. If that lies after the condition's point, the
// events since the point are looked at: those of the newest segment in place, and of earlier ones
// those that their indexes list. When that is too many, the answer is the safe one, a conflict.
#include "append/appender.hpp"
#include "append/appender_frames.hpp"
#include "format/metadata.hpp"
#include "os/assertion.hpp"
#include "store/log_begin.hpp"
#include "store/tag_index.hpp"

#include <pawl/journal/cursor.hpp>

#include <algorithm>
#include <new>
#include <utility>
#include <variant>

namespace pawl::detail {

namespace {

constexpr std::string_view matches_reason = "an event after unless_condition::after matches";
constexpr std::string_view pruned_reason =
    "events after unless_condition::after were pruned; read again";
constexpr std::string_view too_many_reason =
    "too many events lie after unless_condition::after to look at; read again";

[[nodiscard]] bool is_of_type(const tag_query& item, std::uint16_t type) noexcept {
    return item.types.empty() || std::ranges::find(item.types, type) != item.types.end();
}

// `frame` is an event's.
[[nodiscard]] bool matches(const tag_query& item, const std::byte* frame) noexcept {
    const commit_word word{load_u64(frame)};
    if (!is_of_type(item, word.type()))
        return false;
    if (item.tags.empty())
        return true;
    const number_list tags = tags_in(frame, word);
    return std::ranges::all_of(item.tags, [&](tag_id tag) { return tags.contains(tag); });
}

[[nodiscard]] error conflict(const tag_query& item, sequence_number sequence,
                             std::string_view reason) noexcept {
    return {.code = errc::conflict,
            .sequence = sequence,
            .stream = item.tags.empty() ? no_value : item.tags.front(),
            .reason = reason};
}

[[nodiscard]] error too_many(const tag_query& item) noexcept {
    error made = conflict(item, no_value, too_many_reason);
    made.limit = most_events_judged;
    return made;
}

// Why a cursor returned no event where one must be.
[[nodiscard]] error end_of(cursor& events) {
    auto finished = events.finish();
    return finished ? error{.code = errc::damaged,
                            .reason = "the log holds fewer events than were appended"}
                    : std::move(finished.error());
}

// What a reader says of events that a prune has removed is a conflict here.
[[nodiscard]] error unless_pruned(const tag_query& item, error why) {
    const bool gone = why.code == errc::pruned || why.code == errc::not_found ||
                      why.code == errc::missing_segment;
    return gone ? conflict(item, no_value, pruned_reason) : std::move(why);
}

}  // namespace

writer_point appender::point() const noexcept {
    writer_point made;
    made.next_ = sequence_;
    made.position_ = {ordinal_, end_of_log()};
    made.life_ = life_;
    return made;
}

std::optional<error> appender::judge(const unless_condition& unless) noexcept {
    try {
        auto unmet = judge_all(unless);
        if (unmet)
            unmet->batch_event = batch_.open ? batch_.events : no_value;
        return unmet;
    } catch (const std::bad_alloc&) {
        return error{.code = errc::out_of_memory};
    }
}

std::optional<error> appender::judge_all(const unless_condition& unless) {
    for (const tag_query& item : unless.items) {
        if (std::ranges::find(item.tags, tag_id{0}) != item.tags.end()) {
            return error{.code = errc::invalid_argument,
                         .reason = "event_header::unless asks for tag 0, which no event names"};
        }
    }
    auto since = find_point(unless.after);
    if (!since)
        return std::move(since.error());
    if (since->next_ == sequence_)
        return std::nullopt;
    std::uint64_t budget = most_events_judged;
    for (const tag_query& item : unless.items) {
        if (auto unmet = judge_item(item, *since, budget))
            return unmet;
    }
    return std::nullopt;
}

// A point is believed without a look at the log only if it was taken in this writer's life. Any
// other may name an event that a power cut took, whose sequence was given again.
result<writer_point> appender::find_point(const std::variant<log_point, writer_point>& after) {
    const auto diverged = [](std::string_view why) {
        return std::unexpected(error{.code = errc::diverged, .reason = why});
    };
    if (const auto* taken = std::get_if<writer_point>(&after)) {
        if (taken->life_ != life_)
            return diverged("unless_condition::after was not taken from this writer");
        PAWL_ASSERT(taken->next_ <= sequence_);
        return *taken;
    }
    const log_point& asked = *std::get_if<log_point>(&after);
    if (asked == log_point{})
        return writer_point{};
    if (asked == known_point_)
        return known_place_;
    if (asked.next == 0 || asked.next > sequence_)
        return diverged("unless_condition::after is not a point of this log");
    const cursor_options options{.from = from_point{.point = asked},
                                 .allow_network_file_system = true};
    auto events = cursor::open(directory_.path(), options);
    if (!events)
        return std::unexpected(unless_pruned({}, std::move(events.error())));
    writer_point found = point();
    if (asked.next != sequence_) {
        const event* first = events->next();
        if (first == nullptr)
            return std::unexpected(unless_pruned({}, end_of(*events)));
        found.next_ = asked.next;
        found.position_ = first->position();
    }
    known_point_ = asked;
    known_place_ = found;
    return found;
}

std::optional<error> appender::judge_item(const tag_query& item, const writer_point& since,
                                          std::uint64_t& budget) {
    // The tag that was named least recently: few of its events lie after the point.
    std::optional<stream_head> tip;
    for (const tag_id tag : item.tags) {
        stream_head known{};
        const head_lookup found = find_tag(tag, known);
        if (found == head_lookup::unreadable)
            return cannot_look_up(tag);
        if (found == head_lookup::absent || known.version <= since.next_)
            return std::nullopt;
        if (!tip || known.version < tip->version)
            tip = known;
    }
    if (!tip)
        return look_at_all(item, since, budget);
    const log_position last = unpack_position(tip->last);
    const bool is_recent = last.ordinal == ordinal_;
    if ((item.tags.size() == 1 && item.types.empty()) ||
        (is_recent && matches(item, base_ + last.offset)))
        return conflict(item, tip->version - 1, matches_reason);
    if (since.position_.ordinal != ordinal_) {
        const std::uint64_t end = is_recent ? ordinal_ : last.ordinal + 1;
        if (auto unmet = look_at_older(item, tip->stream, since, end, budget))
            return unmet;
    }
    // The last event does not match.
    return is_recent ? look_at_newest(item, since, last.offset, budget) : std::nullopt;
}

// Events of earlier segments that name the tag, as the indexes list them.
std::optional<error> appender::look_at_older(const tag_query& item, tag_id tag,
                                             const writer_point& since, std::uint64_t end_ordinal,
                                             std::uint64_t& budget) {
    const auto begin = read_log_begin(directory_, id_);
    if (!begin)
        return begin.error();
    if (since.next_ < begin->sequence())
        return conflict(item, no_value, pruned_reason);
    const std::uint64_t first = std::max(since.position_.ordinal, begin->ordinal);
    for (std::uint64_t ordinal = first; ordinal < end_ordinal; ++ordinal) {
        const auto segment = open_segment(directory_, id_, ordinal);
        // A prune may have begun after the look at the beginning.
        if (!segment)
            return unless_pruned(item, segment.error());
        const auto offsets = find_tagged(*segment, directory_, id_, tag);
        if (!offsets)
            return offsets.error();
        if (offsets->size() >= budget)
            return too_many(item);
        budget -= offsets->size() + 1;
        for (const std::uint64_t offset : *offsets) {
            const std::byte* frame = segment->bytes.data() + offset;
            const sequence_number sequence = load_u64(frame + frame_offset::sequence);
            if (sequence >= since.next_ && matches(item, frame))
                return conflict(item, sequence, matches_reason);
        }
        if (auto whole = segment->bytes.whole(); !whole)
            return std::move(whole.error());
    }
    return std::nullopt;
}

// Events of the newest segment that lie before `end`.
std::optional<error> appender::look_at_newest(const tag_query& item, const writer_point& since,
                                              std::uint64_t end, std::uint64_t& budget) const {
    std::uint64_t offset = first_frame_offset;
    if (since.position_.ordinal == ordinal_)
        offset = std::max(offset, since.position_.offset);
    while (offset < end) {
        if (budget == 0)
            return too_many(item);
        --budget;
        const std::byte* frame = base_ + offset;
        const commit_word word{load_u64(frame)};
        // A lost page reads as zeros.
        if (word.frame_bytes() < frame_header_bytes)
            return lost_page().error();
        const sequence_number sequence = load_u64(frame + frame_offset::sequence);
        if (!word.is_system() && sequence >= since.next_ && matches(item, frame))
            return conflict(item, sequence, matches_reason);
        offset += padded(word.frame_bytes());
    }
    return std::nullopt;
}

// For an item without tags, which no index lists.
std::optional<error> appender::look_at_all(const tag_query& item, const writer_point& since,
                                           std::uint64_t& budget) {
    if (sequence_ - since.next_ > budget)
        return too_many(item);
    const cursor_options options{.from = from_sequence{since.next_},
                                 .allow_network_file_system = true};
    if (since.next_ < segment_first_sequence_) {
        auto events = cursor::open(directory_.path(), options);
        if (!events)
            return unless_pruned(item, std::move(events.error()));
        for (auto left = segment_first_sequence_ - since.next_; left != 0; --left, --budget) {
            const event* each = events->next();
            if (each == nullptr)
                return unless_pruned(item, end_of(*events));
            if (is_of_type(item, each->type()))
                return conflict(item, each->sequence(), matches_reason);
        }
    }
    return look_at_newest(item, since, end_of_log(), budget);
}

}  // namespace pawl::detail
