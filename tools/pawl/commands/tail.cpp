#include "terminal/event_line.hpp"
#include "terminal/interrupt.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>

#include <pawl/journal/cursor.hpp>

#include <algorithm>

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

}  // namespace

exit_code tail(const tail_options& options) {
    auto events = open_cursor(options);
    if (!events)
        return complain(events.error());
    if (options.follow)
        return follow(*events, options.json);
    write_events(*events, options.json);
    if (const auto end = events->finish(); !end)
        return complain(end.error());
    return success;
}

}  // namespace pawl::cli
