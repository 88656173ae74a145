// Reading a journal: a cursor yields whole, checked events in order and never writes.
//
//     auto events = pawl::cursor::open("orders");
//     if (!events) return events.error();
//     while (const pawl::event* e = events->next()) use(*e);
//     if (auto end = events->finish(); !end) return end.error();
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/journal/event_selection.hpp>
#include <pawl/journal/start.hpp>
#include <pawl/journal/types.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace pawl {

namespace detail {
class cursor_state;
}

// Which events a cursor returns.
enum class visibility : std::uint8_t {
    published,  // everything committed; a power cut can still take the newest events
    durable,    // only what is on stable storage
};

// How a cursor waits for more.
enum class wait_strategy : std::uint8_t {
    spin,   // lowest latency, burns a core
    yield,  // yields the core between checks
    block,  // sleeps; the writer's background wakes it within about a millisecond
};

struct cursor_options {
    start from = from_first{};
    visibility show = visibility::published;
    // True: at the end, next() returns null for now, and wait() waits for more.
    // False: at the end, next() also checks once that this is the end and not damage.
    bool follow = false;
    wait_strategy wait = wait_strategy::block;
    // Only the events of this stream, found through the frames' links and the indexes. Cost: the
    // segments that hold it, not the length of the journal.
    stream_id stream = no_stream_id;
    // Only the events that name this tag (tags.hpp), found through the indexes; 0: all. Not with
    // `stream`. Cost: a probe of each sealed segment's index, the segments that hold such events,
    // and the events that are not in a sealed segment.
    tag_id tag = 0;
    // Only events that it admits; together with `stream` or `tag` both must hold. A filter for
    // stream 0 is the way to read the firehose alone. Cost: that of reading all events, or the
    // stream.
    std::optional<event_selection> filter{};
    // False: do not hash frames. For a second pass over events that were just verified.
    bool verify = true;
    // True: names_before() and descriptions_before() return what the log records between events
    // and a copy of the journal needs. Not with `stream`.
    bool names = false;
    // False: do not leave what this cursor reads from disk in the page cache, where it would evict
    // what others need. For one pass over a lot of data, such as a backup or an audit. Applies to
    // sealed segments, if kernel and file system support it (Linux 6.14; ext4, XFS, btrfs).
    bool keep_cached = true;
    // True: also read a journal on NFS, FUSE or another file system whose locks and shared mappings
    // may not be dependable (README). There a cursor may miss what a writer on another machine
    // does, take a journal that is being written for one that is not, and wait forever. A journal
    // without a writer, and a local file system that is implemented with FUSE, are read like any
    // other.
    bool allow_network_file_system = false;
};

// One thread at a time uses a cursor. An event is valid until the next call of next(), wait() or
// finish().
class cursor {
  public:
    // Fails with not_a_journal, newer_format, network_file_system, damaged, missing_segment,
    // not_found or diverged (by `from`), invalid_argument, io or out_of_memory.
    [[nodiscard]] static result<cursor> open(const std::filesystem::path& directory,
                                             cursor_options options = {});
    cursor(cursor&&) noexcept;
    cursor& operator=(cursor&&) noexcept;
    ~cursor();

    // The next event, or null if there is none yet or reading failed; finish() distinguishes the
    // two. After a failure it stays null.
    [[nodiscard]] const event* next() noexcept;

    // Waits until next() would return an event; false after `timeout`, also while a filter passes
    // over events: the next call continues there. Fails with damaged, rewound, io.
    [[nodiscard]] result<bool> wait(std::chrono::nanoseconds timeout);

    // Returns what the cursor stands at, reading files to find out: the kind of end, or why reading
    // stopped (damaged, missing_segment, rewound, malformed, io).
    [[nodiscard]] result<end_of_journal> finish();

    // Calls visit(const event&) for every event up to the end. `visit` returns void, or a
    // result<void> whose error stops the reading and is returned. Returns the number of events.
    template <class Visitor>
    [[nodiscard]] result<std::uint64_t> for_each(Visitor&& visit);

    // The first sequence not returned yet, and the checkable point to resume from. Before the first
    // event of a cursor that begins at a position, or follows one stream, the point names no event
    // if the one before that place was not read: then resuming from it fails with diverged.
    [[nodiscard]] sequence_number next_sequence() const noexcept;
    [[nodiscard]] log_point point() const noexcept;
    [[nodiscard]] const journal_id& id() const noexcept;
    [[nodiscard]] const journal_identity& identity() const noexcept;

    // With cursor_options::names: the names recorded between the previous event and the one that
    // next() returned last; after next() has returned null, those after the last event. Valid until
    // the next call of next() or wait().
    [[nodiscard]] std::span<const recorded_name> names_before() const noexcept;
    // The same of descriptions of event types.
    [[nodiscard]] std::span<const recorded_description> descriptions_before() const noexcept;

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
