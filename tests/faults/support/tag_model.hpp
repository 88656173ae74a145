// What a journal must know of tags, and conditions on them that are drawn at random from it.
#pragma once

#include "support/generated_log.hpp"

#include <fmt/format.h>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/tags.hpp>
#include <pawl/journal/writer.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace pawl::test {

// How a condition must be answered.
enum class tag_verdict : std::uint8_t { holds, conflict, diverged };

class tag_model {
  public:
    static constexpr tag_id tags = 6;
    static constexpr std::uint16_t types = 3;

    // Up to three; also 0, so that many events name none. Two tags are rare, and may be named last
    // in what is pruned.
    [[nodiscard]] static tag_set drawn_tags(std::uint64_t drawn) {
        tag_set made;
        std::uint64_t left = drawn % 4;
        for (drawn /= 4; left != 0; --left, drawn /= 1024) {
            const std::uint64_t of = drawn % 1024;
            made.add(of < 2 ? tags : of < 40 ? tags - 1 : 1 + of % (tags - 2));
        }
        return made;
    }

    // The next event of the log.
    void append(std::uint16_t type, const tag_set& named) { events_.push_back({type, named}); }

    [[nodiscard]] std::optional<sequence_number> last_named(tag_id tag) const {
        for (std::size_t at = events_.size(); at-- != 0;) {
            if (events_[at].tags.contains(tag))
                return at;
        }
        return std::nullopt;
    }

    // The events before this one are gone from the log.
    void pruned(sequence_number begin) { begin_ = begin; }

    // The writer was opened: its earlier points are worth nothing now.
    void begin_life() { ++life_; }
    // Now and then keeps a point of the log, of either kind, for conditions to come.
    void remember_point(random_source& random, const writer& log) {
        if (!random.one_in(2))
            return;
        if (random.one_in(2)) {
            keep({log.point(), log.next_sequence(), life_});
        } else if (!events_.empty()) {
            const sequence_number last = random.below(events_.size());
            auto events = cursor::open(log.directory(), {.from = from_sequence{last}});
            if (const event* e = events ? events->next() : nullptr)
                keep({e->point(), last + 1, any_life});
        }
    }

    class condition {
      public:
        condition() = default;
        // Views its own items.
        condition(const condition&) = delete;
        condition& operator=(const condition&) = delete;

        [[nodiscard]] const unless_condition* get() const { return asks_ ? &unless_ : nullptr; }
        [[nodiscard]] tag_verdict verdict() const { return verdict_; }
        // Whether an event with this sequence can be what the conflict names.
        [[nodiscard]] bool names(sequence_number sequence) const {
            return std::ranges::find(matching_, sequence) != matching_.end() ||
                   (may_be_refused_ && sequence == no_value);
        }
        // Events that were pruned would have to be looked at, so that a conflict without a sequence
        // is a right answer, too.
        [[nodiscard]] bool may_be_refused() const { return may_be_refused_; }

        // For a failure's message.
        [[nodiscard]] std::string text() const {
            if (!asks_)
                return "no condition on tags";
            std::string made = fmt::format("none after {} with", next_);
            for (const item& each : items_)
                made += fmt::format(" [tags {} types {}]", fmt::join(each.tags, " "),
                                    fmt::join(each.types, " "));
            return made;
        }

      private:
        friend class tag_model;
        struct item {
            std::vector<tag_id> tags;
            std::vector<std::uint16_t> types;
        };
        bool asks_ = false;
        std::vector<item> items_;
        std::vector<tag_query> queries_;
        unless_condition unless_;
        sequence_number next_ = 0;
        tag_verdict verdict_ = tag_verdict::holds;
        bool may_be_refused_ = false;
        std::vector<sequence_number> matching_;
    };

    void draw_condition(random_source& random, const writer& log, condition& into) const {
        into.asks_ = true;
        for (std::uint64_t left = 1 + random.below(2); left != 0; --left)
            into.items_.push_back(drawn_item(random));
        for (const condition::item& item : into.items_)
            into.queries_.push_back({.types = item.types, .tags = item.tags});
        into.unless_.items = into.queries_;
        kept_point from{log_point{}, 0, any_life};
        if (random.one_in(4))
            from = {log.point(), log.next_sequence(), life_};
        else if (!points_.empty() && !random.one_in(8))
            // The newest shows whether the first event after a point counts.
            from = random.one_in(2) ? points_.back() : points_[random.below(points_.size())];
        into.unless_.after = from.point;
        into.next_ = from.next;
        judge(from, into);
    }

  private:
    struct named_event {
        std::uint16_t type = 0;
        tag_set tags;
    };
    struct kept_point {
        std::variant<log_point, writer_point> point;
        sequence_number next = 0;
        std::uint64_t life = 0;
    };
    static constexpr std::uint64_t any_life = ~std::uint64_t{0};

    void keep(const kept_point& point) {
        constexpr std::size_t most = 8;
        if (points_.size() == most)
            points_.pop_front();
        points_.push_back(point);
    }

    // One tag more than is ever named.
    [[nodiscard]] static condition::item drawn_item(random_source& random) {
        condition::item made;
        for (std::uint64_t left = random.one_in(12) ? 0 : 1 + random.below(2); left != 0; --left)
            made.tags.push_back(1 + random.below(tags + 1));
        if (made.tags.empty() || random.one_in(3))
            made.types.push_back(static_cast<std::uint16_t>(1 + random.below(types)));
        return made;
    }

    void judge(const kept_point& from, condition& into) const {
        if (from.life != any_life && from.life != life_) {
            into.verdict_ = tag_verdict::diverged;
            return;
        }
        into.may_be_refused_ = needs_pruned_events(from, into);
        for (sequence_number at = from.next; at < events_.size(); ++at) {
            const named_event& e = events_[at];
            if (std::ranges::any_of(into.items_, [&](const condition::item& item) {
                    return (item.types.empty() ||
                            std::ranges::find(item.types, e.type) != item.types.end()) &&
                           std::ranges::all_of(item.tags,
                                               [&](tag_id tag) { return e.tags.contains(tag); });
                }))
                into.matching_.push_back(at);
        }
        if (!into.matching_.empty())
            into.verdict_ = tag_verdict::conflict;
    }

    // A point of the log is looked up there. Otherwise the last event of each tag may tell.
    [[nodiscard]] bool needs_pruned_events(const kept_point& from, const condition& of) const {
        if (from.life == any_life && from.next != 0 && from.next <= begin_)
            return true;
        return from.next < begin_ && std::ranges::any_of(
                                         of.items_,
                                         [&](const condition::item& item) {
                                             return std::ranges::all_of(item.tags, [&](tag_id tag) {
                                                 const auto last = last_named(tag);
                                                 return last && *last >= from.next;
                                             });
                                         });
    }

    std::vector<named_event> events_;
    sequence_number begin_ = 0;
    std::deque<kept_point> points_;
    std::uint64_t life_ = 0;
};

}  // namespace pawl::test
