// Reads several journals as one, in the order of time.
//
//     auto venues = pawl::merge_cursor::open({{.directory = "paris"}, {.directory = "london"}});
//     if (!venues) return venues.error();
//     while (const pawl::merged_event* next = venues->next()) use(next->journal, next->what);
//     if (auto end = venues->finish(); !end) return end.error();
//
// Events are ordered by (time, journal, sequence). The time of an event is the latest time stamp
// that its journal holds up to it, so that every journal keeps its own order even where its clock
// ran back; of two journals with events of one time, the one that was given first comes first. The
// order depends on nothing else: two readers of the same journals see the same.
//
// A live journal without a next event may still get one that belongs before those of the others. It
// holds them back for merge_options::patience, and no longer: what it then appends with an earlier
// time comes late, and is marked as late. Only then do two readers see different orders.
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/journal/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

namespace pawl {

struct merge_source {
    std::filesystem::path directory{};
    cursor_options options{};  // except `follow`, which merge_options has
};

struct merge_options {
    // True: at the end, next() returns null for now, and wait() waits for more.
    bool follow = false;
    // With `follow`: for how long a journal that is silent holds back the others, from when this
    // reader finds it silent. 0: never; nanoseconds::max(): until it gets an event.
    std::chrono::nanoseconds patience = std::chrono::seconds{1};
};

struct merged_event {
    std::size_t journal = 0;  // which of the sources, as they were given
    event what{};
    std::uint64_t time_ns = 0;  // by which it is ordered; never less than that of the one before
    bool late = false;          // its journal was silent for too long
};

namespace detail {
class merge_state;
}

// One thread at a time uses a merge cursor. An event is valid until the next call of next(), wait()
// or finish(). Cost: that of a cursor for each journal, and a comparison with each for every event.
class merge_cursor {
  public:
    // Fails like cursor::open, and with invalid_argument without a source.
    [[nodiscard]] static result<merge_cursor> open(std::vector<merge_source> sources,
                                                   merge_options options = {});
    merge_cursor(merge_cursor&&) noexcept;
    merge_cursor& operator=(merge_cursor&&) noexcept;
    ~merge_cursor();

    // The next event, or null if there is none yet or reading one of the journals failed; finish()
    // distinguishes the two. After a failure it stays null: what the others hold would come out of
    // order.
    [[nodiscard]] const merged_event* next();

    // Waits until next() would return an event; false after `timeout`. Notices an event within 20
    // milliseconds. Fails like cursor::wait.
    [[nodiscard]] result<bool> wait(std::chrono::nanoseconds timeout);

    // The end of each journal, or why reading stopped.
    [[nodiscard]] result<std::vector<end_of_journal>> finish();

    // Where a cursor on this journal goes on after what next() has returned.
    [[nodiscard]] log_point point(std::size_t journal) const;

  private:
    explicit merge_cursor(std::unique_ptr<detail::merge_state> state) noexcept;
    std::unique_ptr<detail::merge_state> state_;
};

}  // namespace pawl
