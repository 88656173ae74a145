// What a writer reads back of its own journal: what a conflict missed, and what a command led to.
#include "append/appender.hpp"
#include "os/assertion.hpp"
#include "writer/writer_state.hpp"

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/writer.hpp>

#include <utility>

namespace pawl {

namespace {

// Visits the next `count` events from there on, in segments that the writer has left.
[[nodiscard]] result<void> read_older(const std::filesystem::path& directory,
                                      cursor_options options, std::uint64_t count,
                                      const std::function<void(const event&)>& visit) {
    // The file system was accepted when the writer opened the journal.
    options.allow_network_file_system = true;
    auto events = cursor::open(directory, options);
    if (!events)
        return std::unexpected(std::move(events.error()));
    for (; count != 0; --count) {
        const event* e = events->next();
        if (e == nullptr) {
            if (auto finished = events->finish(); !finished)
                return std::unexpected(std::move(finished.error()));
            return fail(errc::damaged, "the segments hold fewer events than the writer appended");
        }
        visit(*e);
    }
    return {};
}

}  // namespace

result<std::uint64_t> writer::read_since(stream_id stream, stream_version after,
                                         const std::function<void(const event&)>& visit) const {
    return detail::guarded([&]() -> result<std::uint64_t> {
        const auto recent = appender_->recent_events(stream, after);
        if (!recent)
            return std::unexpected(recent.error());
        const stream_version last = version(stream);
        if (last == no_value)
            return fail(errc::damaged, "neither the stream heads nor the log can be read");
        PAWL_ASSERT(recent->size() <= last);
        const stream_version first_recent = last + 1 - recent->size();
        std::uint64_t visited = 0;
        if (after < last && first_recent > after + 1) {
            visited = first_recent - after - 1;
            const cursor_options older{.from = from_version{after + 1}, .stream = stream};
            if (auto read = read_older(directory(), older, visited, visit); !read)
                return std::unexpected(std::move(read.error()));
        }
        const std::uint64_t ordinal = appender_->newest().header.ordinal;
        for (auto offset = recent->rbegin(); offset != recent->rend(); ++offset)
            visit(appender_->written({ordinal, *offset}));
        // A lost page reads as zeros.
        if (auto whole = appender_->newest().bytes.whole(); !whole)
            return std::unexpected(std::move(whole.error()));
        return visited + recent->size();
    });
}

std::optional<recorded_command> writer::find_command(const message_id& id) const noexcept {
    const detail::remembered_command* known = appender_->commands().find(id);
    if (known == nullptr || appender_->commands().is_staged(*known))
        return std::nullopt;
    return recorded_command{.command = {.id = known->id, .hash = known->hash},
                            .first = known->first,
                            .events = known->events,
                            .position = detail::unpack_position(known->place)};
}

result<recorded_command> writer::read_command(
    const message_id& id, const std::function<void(const event&)>& visit) const {
    return detail::guarded([&]() -> result<recorded_command> {
        if (appender_->is_busy())
            return std::unexpected(
                error{.code = errc::busy, .reason = "a reservation or batch is still open"});
        const auto command = find_command(id);
        if (!command)
            return std::unexpected(
                error{.code = errc::not_found, .reason = "no command with this id is remembered"});
        const detail::live_segment& newest = appender_->newest();
        if (command->position.ordinal != newest.header.ordinal) {
            const cursor_options older{.from = from_position{command->position}};
            if (auto read = read_older(directory(), older, command->events, visit); !read)
                return std::unexpected(std::move(read.error()));
            return *command;
        }
        log_position position = command->position;
        for (std::uint32_t visited = 0; visited < command->events; ++visited) {
            const event e = appender_->written(position);
            visit(e);
            const std::byte* frame = newest.bytes.data() + position.offset;
            position.offset +=
                detail::padded(detail::commit_word{detail::load_u64(frame)}.frame_bytes());
        }
        // A lost page reads as zeros.
        if (auto whole = newest.bytes.whole(); !whole)
            return std::unexpected(std::move(whole.error()));
        return *command;
    });
}

result<receipt> writer::append_handled(std::span<const metadata_entry> metadata,
                                       std::span<const std::byte> outcome,
                                       std::uint64_t timestamp_ns) noexcept {
    return appender_->append_handled(metadata, outcome, timestamp_ns);
}

}  // namespace pawl
