#include "commands/commands.hpp"
#include "terminal/event_line.hpp"
#include "terminal/interrupt.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>

#include <pawl/journal/cursor.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

namespace pawl::cli {

namespace {

// Opens a cursor just before the last events.
result<cursor> open_cursor(const tail_options& options) {
    cursor_options how{.from = from_end{},
                       .show = options.durable ? visibility::durable : visibility::published,
                       .follow = options.follow,
                       .allow_network_file_system = options.allow_network_file_system};
    auto end = cursor::open(options.directory, how);
    if (!end || options.lines == 0)
        return end;
    const sequence_number next = end->next_sequence();
    how.from = from_sequence{next - std::min(next, options.lines)};
    auto events = cursor::open(options.directory, how);
    const bool fewer_are_left =
        !events && (events.error().code == errc::not_found || events.error().code == errc::pruned);
    if (fewer_are_left) {
        how.from = from_first{};
        return cursor::open(options.directory, how);
    }
    return events;
}

// Opens it as soon as there is a journal; nothing if that was interrupted first.
result<std::optional<cursor>> wait_for_journal(const tail_options& options) {
    using namespace std::chrono_literals;
    catch_interrupts();
    for (bool said = false; !interrupted();) {
        auto events = open_cursor(options);
        if (events)
            return std::optional{std::move(*events)};
        if (events.error().code != errc::not_a_journal)
            return std::unexpected(std::move(events.error()));
        if (!std::exchange(said, true))
            complain(fmt::format("waiting for a journal in {}", options.directory.string()));
        std::this_thread::sleep_for(100ms);
    }
    return std::nullopt;
}

void write_events(cursor& events, bool json) {
    fmt::memory_buffer line;
    while (const event* e = events.next()) {
        line.clear();
        if (json)
            append_json_line(line, *e);
        else
            append_text_line(line, *e);
        if (!put({line.data(), line.size()}) || interrupted())
            return;
    }
}

exit_code follow(cursor& events, bool json) {
    using namespace std::chrono_literals;
    catch_interrupts();
    while (!interrupted()) {
        write_events(events, json);
        // Flush, so that the reader of a pipe sees each event when it comes.
        if (finish_output(success) != success)
            return failure;
        if (const auto more = events.wait(200ms); !more)
            return complain(more.error());
    }
    return success;
}

exit_code show(cursor& events, const tail_options& options) {
    if (options.follow)
        return follow(events, options.json);
    write_events(events, options.json);
    if (const auto end = events.finish(); !end)
        return complain(end.error());
    return success;
}

}  // namespace

exit_code tail(const tail_options& options) {
    if (options.wait) {
        auto events = wait_for_journal(options);
        if (!events)
            return complain(events.error());
        return *events ? show(**events, options) : success;
    }
    auto events = open_cursor(options);
    if (!events)
        return complain(events.error());
    return show(*events, options);
}

}  // namespace pawl::cli
