// A decision that depends on what several things have in common: a course and a student, an account
// and its group. What it has read is its boundary, and it takes effect only if nothing inside has
// changed since.
//
//     pawl::boundary seen{log};
//     auto course = seen.load<capacity>({course_id});
//     auto student = seen.load<schedule>({student_id});
//     if (!course) return course.error();
//     if (!student) return student.error();
//     if (course->is_full() || student->is_busy(slot)) return refusal::no_room;
//     auto placed = encode.append(log,
//                                 {.stream = course_id,
//                                  .tags = pawl::tag_set{course_id, student_id},
//                                  .unless = &seen},
//                                 build_enrolled);
//
// The append fails with conflict if another event was appended meanwhile that a load would have
// read; then decide again, with a new boundary. Whatever lies outside does not matter, so two
// enrolments in different courses by different students do not disturb each other.
//
// An entity (entities.hpp) is simpler and faster where a rule concerns one stream.
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/tags.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/replay/decider.hpp>
#include <pawl/replay/fold.hpp>

#include <cstdint>
#include <deque>
#include <span>
#include <utility>
#include <vector>

namespace pawl {

// A state to start from in place of a fold's initial one, such as one from a snapshot. It holds all
// events below this sequence that name the tags.
template <class State>
struct boundary_start {
    State state;
    sequence_number next = 0;
};

// Remembers the end of a log and what was loaded up to there. It is a condition itself: give its
// address to event_header::unless. The writer must outlive it. One thread at a time uses a
// boundary; making it calls the writer, but loading reads files only, so that other threads may
// append then.
class boundary : public unless_condition {
  public:
    // Nothing that is appended from now on is read. Cost: none that depends on the log.
    explicit boundary(writer& log) : log_{&log}, end_{log.next_sequence()} { after = log.point(); }
    boundary(const boundary&) = delete;
    boundary& operator=(const boundary&) = delete;

    // The sequence of the first event that is not read.
    [[nodiscard]] sequence_number end() const noexcept { return end_; }

    // Folds the events that name all of these tags, and that are of the fold's types. Fails with
    // invalid_argument if there are no tags or too many, like cursor::open, with what `evolve`
    // returned, with pruned if the log no longer has its first events, and with out_of_memory.
    // Cost: that of a cursor by tag, the first of these.
    template <folds_events Fold>
    [[nodiscard]] result<typename Fold::state> load(const tag_set& tags, const Fold& by = {}) {
        return load<Fold>(tags, {.state = by.initial()}, by);
    }
    // The same, on top of an earlier state; `pruned` if the log begins after that.
    template <folds_events Fold>
    [[nodiscard]] result<typename Fold::state> load(const tag_set& tags,
                                                    boundary_start<typename Fold::state> from,
                                                    const Fold& by = {}) {
        return detail::guarded([&]() -> result<typename Fold::state> {
            const item* const read = note(tags, Fold::events::types);
            if (read == nullptr)
                return fail(errc::invalid_argument,
                            "boundary::load needs 1 to 16 tags, none of them 0");
            auto events = open(*read, from.next);
            if (!events)
                return std::unexpected(std::move(events.error()));
            fold_progress progress{};
            if (auto done = fold_until(*events, by, from.state, progress, end_); !done)
                return std::unexpected(std::move(done.error()));
            return std::move(from.state);
        });
    }

  private:
    struct item {
        tag_set tags;
        std::vector<std::uint16_t> types;
    };

    // Makes it part of the condition. Null if the tags are not valid.
    const item* note(const tag_set& tags, std::span<const std::uint16_t> types);
    [[nodiscard]] result<cursor> open(const item& read, sequence_number from) const;

    writer* log_;
    sequence_number end_;
    std::deque<item> read_;  // what the queries refer to stays where it is
    std::vector<tag_query> queries_;
};

}  // namespace pawl
