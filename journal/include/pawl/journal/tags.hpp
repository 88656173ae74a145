// Tags: numbers besides its stream that an event concerns, and conditions on the events that name
// them, for rules that span several streams.
//
//     // Course 7 and student 9 both matter to an enrolment, whichever stream holds it.
//     const pawl::writer_point seen = log.point();
//     // ... read what concerns either, decide ...
//     const std::array<pawl::tag_id, 1> course{7};
//     const std::array<pawl::tag_id, 1> student{9};
//     const std::array<pawl::tag_query, 2> concerned{{{.tags = course}, {.tags = student}}};
//     const pawl::unless_condition unless{.items = concerned, .after = seen};
//     auto placed = log.append(
//         {.type = 3, .stream = 42, .tags = pawl::tag_set{7, 9}, .unless = &unless}, bytes);
//
// If an event that names 7 or 9 was appended after `seen`, the append fails with conflict. With
// `after = {}`, the beginning of the log, it fails if there ever was one, also where it was pruned.
//
// Tags share the numbers and names of streams, but an event that names a tag is not an event of the
// stream with that number, and does not count in its versions.
#pragma once

#include <pawl/journal/types.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <variant>

namespace pawl {

namespace detail {
class appender;
}

// How many tags an event may name.
inline constexpr std::size_t max_tags = 16;

// The tags of an event, ascending, each once. Adding more than max_tags, or the tag 0, makes a set
// that every append refuses with invalid_argument; is_valid() tells before.
class tag_set {
  public:
    constexpr tag_set() noexcept = default;
    constexpr tag_set(std::initializer_list<tag_id> tags) noexcept {
        for (const tag_id tag : tags)
            add(tag);
    }

    constexpr void add(tag_id tag) noexcept {
        tag_id* const end = tags_.data() + size_;
        tag_id* const at = std::lower_bound(tags_.data(), end, tag);
        if ((at != end && *at == tag) || size_ == tags_.size())
            return;
        std::copy_backward(at, end, end + 1);
        *at = tag;
        ++size_;
    }

    [[nodiscard]] constexpr bool is_valid() const noexcept {
        return size_ <= max_tags && !contains(0);
    }
    [[nodiscard]] constexpr bool contains(tag_id tag) const noexcept {
        return std::binary_search(begin(), end(), tag);
    }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr const tag_id* data() const noexcept { return tags_.data(); }
    [[nodiscard]] constexpr const tag_id* begin() const noexcept { return tags_.data(); }
    [[nodiscard]] constexpr const tag_id* end() const noexcept { return tags_.data() + size_; }
    [[nodiscard]] constexpr std::span<const tag_id> span() const noexcept {
        return {data(), size_};
    }

  private:
    std::array<tag_id, max_tags + 1> tags_{};  // the last is there only in a set that is too large
    std::size_t size_ = 0;
};

constexpr bool tag_list::empty() const noexcept {
    return set_ == nullptr || set_->empty();
}
constexpr std::size_t tag_list::size() const noexcept {
    return set_ == nullptr ? 0 : set_->size();
}
constexpr std::span<const tag_id> tag_list::span() const noexcept {
    return set_ == nullptr ? std::span<const tag_id>{} : set_->span();
}

// The bytes that an event's tags take in its frame, as metadata_bytes() counts those of entries.
[[nodiscard]] constexpr std::size_t tag_bytes(std::size_t tags) noexcept {
    return tags == 0 ? 0 : detail::metadata_prefix_bytes + tags * sizeof(tag_id);
}

// The events of one of these types (none: of any) that name all of these tags.
struct tag_query {
    std::span<const std::uint16_t> types{};
    std::span<const tag_id> tags{};
};

// The end of a writer's log when writer::point() was called. Valid as long as the writer: it cannot
// be stored, and one of an earlier writer is diverged, because a power cut may have taken events
// before it.
class writer_point {
  public:
    writer_point() noexcept = default;  // of no writer

    // The sequence of the first event after it.
    [[nodiscard]] sequence_number next() const noexcept { return next_; }

  private:
    friend class detail::appender;
    sequence_number next_ = 0;
    log_position position_{};  // where that event lies, if not in a later segment
    std::uint64_t life_ = 0;   // of the writer
};

// The append fails with conflict if an event after the point matches an item.
//
// Cost: a probe for each tag, if one tag of each item was last named before the point, if an item
// of one tag and no types was named after it, or if nothing was appended since. Otherwise events
// are looked at, at most most_events_judged: those of the newest segment since the point, in place,
// and those of earlier segments that their indexes list under the item's rarest tag, for which each
// of these segments is opened. More of them, or events that were pruned, are a conflict, too, with
// a reason that says so and no sequence; the caller reads again. A log_point other than {} is
// looked up in the log first, with a cursor, unless it is the one that was looked up last: one that
// is not in the log is diverged.
struct unless_condition {
    std::span<const tag_query> items{};
    std::variant<log_point, writer_point> after{};
};

inline constexpr std::uint64_t most_events_judged = 4096;

}  // namespace pawl
