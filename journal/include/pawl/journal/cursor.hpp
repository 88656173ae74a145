// Reading a journal: a cursor yields whole, checked events in order and never writes.
//
//     auto events = pawl::cursor::open("orders");
//     while (const pawl::event* e = events->next()) use(*e);
//     if (auto end = events->finish(); !end) return end.error();
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/journal/types.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>
#include <variant>

namespace pawl {

namespace detail {
class cursor_state;
}

// Where a cursor begins.
struct from_first {};  // the first event that is kept
struct from_end {};    // what is published after opening
struct from_sequence {
    sequence_number sequence = 0;
};  // not_found where pruned or beyond the end
struct from_point {
    log_point point{};
};  // behind that event; diverged where it is not in this journal
using start = std::variant<from_first, from_end, from_sequence, from_point>;

// What a cursor may show.
enum class visibility : std::uint8_t {
    published,  // everything committed; the last of it can be lost with the power
    durable,    // only what is on stable storage
};

// How a cursor waits for more.
enum class wait_strategy : std::uint8_t {
    spin,   // lowest latency, burns a core
    yield,  // gives the core away between looks
    block,  // sleeps; woken by the writer's background within about a millisecond
};

struct cursor_options {
    start from = from_first{};
    visibility show = visibility::published;
    // True: at the end, next() only says that there is nothing yet, and wait() waits for more.
    // False: it also makes sure once that the end is the end and not damage.
    bool follow = false;
    wait_strategy wait = wait_strategy::block;
    // Only the events of this stream, found through the frames' links and the indexes.
    stream_id stream = no_stream_id;
    // False: frames are not hashed. For a second pass over what was verified just before.
    bool verify = true;
    // False: what has to come from the disk for this cursor is not left in the page cache, where it
    // would push out what others need: for one pass over much, as a backup or an audit makes. Only
    // for sealed segments, and where the kernel and the file system can (Linux 6.14; ext4, XFS,
    // btrfs); elsewhere it makes no difference.
    bool keep_cached = true;
};

// What lies at the end of a journal.
enum class end_of_journal : std::uint8_t {
    open,    // a writer is at work, or may come
    closed,  // ended cleanly
    torn,    // a torn tail: the next open for writing will cut here
};

// Used by one thread at a time. An event stays valid until the next call of next(), wait() or
// finish().
class cursor {
  public:
    [[nodiscard]] static result<cursor> open(const std::filesystem::path& directory,
                                             cursor_options options = {});
    cursor(cursor&&) noexcept;
    cursor& operator=(cursor&&) noexcept;
    ~cursor();

    // The next event, or null where there is none now or reading failed; finish() tells which.
    // After a failure it stays null.
    [[nodiscard]] const event* next() noexcept;

    // Waits until next() would give an event; false after `timeout`. Fails with damaged, rewound,
    // io.
    [[nodiscard]] result<bool> wait(std::chrono::nanoseconds timeout);

    // Says what lies where the cursor stands, looking at files for it: the end of the journal and
    // its kind, or why reading stopped (damaged, missing_segment, rewound, malformed, io).
    [[nodiscard]] result<end_of_journal> finish();

    // Calls visit(const event&) for every event up to the end. `visit` may return void, or
    // result<void> whose error stops the reading and is returned. Returns the number of events.
    template <class Visitor>
    [[nodiscard]] result<std::uint64_t> for_each(Visitor&& visit);

    // The first sequence not yielded yet, and the checkable place to resume from.
    [[nodiscard]] sequence_number next_sequence() const noexcept;
    [[nodiscard]] log_point point() const noexcept;
    [[nodiscard]] const journal_id& id() const noexcept;

  private:
    explicit cursor(std::unique_ptr<detail::cursor_state> state) noexcept;
    std::unique_ptr<detail::cursor_state> state_;
};

template <class Visitor>
result<std::uint64_t> cursor::for_each(Visitor&& visit) {
    std::uint64_t count = 0;
    while (const event* e = next()) {
        if constexpr (std::is_void_v<std::invoke_result_t<Visitor&, const event&>>) {
            visit(*e);
        } else if (auto visited = visit(*e); !visited) {
            return std::unexpected(std::move(visited.error()));
        }
        ++count;
    }
    if (auto end = finish(); !end)
        return std::unexpected(std::move(end.error()));
    return count;
}

}  // namespace pawl
