#include "terminal/event_line.hpp"
#include "terminal/interrupt.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>

#include <charconv>

namespace pawl::cli {

namespace {

// Resolves the user's argument to a stream: digits are its number, anything else its name.
result<stream_id> resolve_stream(const dump_options& options) {
    const std::string& text = options.stream;
    stream_id number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem == std::errc{} && end == text.data() + text.size())
        return number;
    auto found = find_stream(options.directory, text);
    if (!found)
        return std::unexpected(std::move(found.error()));
    if (!*found)
        return fail(errc::not_found, fmt::format("no stream has the name '{}'", text));
    return **found;
}

result<cursor> open_cursor(const dump_options& options) {
    cursor_options how{.allow_network_file_system = options.allow_network_file_system};
    if (options.from_given)
        how.from = from_sequence{options.from};
    if (options.durable)
        how.show = visibility::durable;
    if (!options.stream.empty()) {
        auto stream = resolve_stream(options);
        if (!stream)
            return std::unexpected(std::move(stream.error()));
        how.stream = *stream;
    }
    return cursor::open(options.directory, how);
}

// Returns true if every requested event was written.
bool write_events(cursor& events, std::uint64_t limit) {
    fmt::memory_buffer line;
    for (std::uint64_t count = 0; count < limit; ++count) {
        const event* e = events.next();
        if (e == nullptr)
            return false;
        line.clear();
        append_json_line(line, *e);
        if (!put({line.data(), line.size()}) || interrupted())
            return true;
    }
    return true;
}

}  // namespace

exit_code dump(const dump_options& options) {
    auto events = open_cursor(options);
    if (!events)
        return complain(events.error());
    catch_interrupts();
    if (!write_events(*events, options.limit)) {
        const auto end = events->finish();
        if (!end)
            return complain(end.error());
        if (*end == end_of_journal::torn)
            complain(fmt::format(
                "notice: the journal ends in a torn tail at sequence {}, as a crash leaves it; "
                "what is shown is what recovery keeps",
                events->next_sequence()));
    }
    const exit_code code = finish_output(success);
    die_of_interrupt();
    return code;
}

}  // namespace pawl::cli
