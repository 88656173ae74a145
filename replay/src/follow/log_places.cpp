#include "follow/log_places.hpp"

#include <pawl/journal/journal.hpp>

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

namespace pawl::detail {

namespace {

[[nodiscard]] result<cursor> open_at(const place_request& request, const start& from) {
    return cursor::open(
        request.directory,
        {.from = from, .allow_network_file_system = request.allow_network_file_system});
}

// The position after event `next` - 1, or before the batch if that event has a successor in it.
[[nodiscard]] result<consumer_position> position_before(const place_request& request,
                                                        sequence_number next) {
    // How far back to look: the next time further, as long as only events of the batch were seen.
    for (sequence_number back = 1; next != 0; back *= 2) {
        const sequence_number from = next - std::min(next, back);
        auto events = open_at(request, from_sequence{from});
        // What lies before the beginning ended with a whole batch.
        if (!events && events.error().code == errc::pruned)
            events = open_at(request, from_first{});
        if (!events)
            return std::unexpected(std::move(events.error()));
        const bool from_beginning = events->next_sequence() != from || from == 0;
        std::optional<consumer_position> found;
        if (from_beginning)
            found = consumer_position{.point = events->point()};
        while (events->next_sequence() < next) {
            const event* e = events->next();
            if (e == nullptr)
                break;
            if (!e->more_in_batch())
                found = consumer_position{e->point(), e->timestamp_ns()};
        }
        // Damage on the way there must not pass for an earlier place.
        if (events->next_sequence() < next) {
            if (auto end = events->finish(); !end)
                return std::unexpected(std::move(end.error()));
        }
        if (found)
            return *found;
    }
    return consumer_position{};
}

// What is certainly durable: by the writer's own report, and by the segments that are sealed.
[[nodiscard]] result<sequence_number> durable_end(const std::filesystem::path& directory) {
    auto info = inspect(directory);
    if (!info)
        return std::unexpected(std::move(info.error()));
    sequence_number end = std::max(info->durable, info->first_sequence);
    for (const segment_info& segment : info->segments)
        end = std::max(end, segment.end_sequence);
    return end;
}

}  // namespace

result<consumer_position> find_position(const place_request& request) {
    if (std::holds_alternative<from_version>(request.from))
        return std::unexpected(
            error{.code = errc::invalid_argument,
                  .reason = "a subscription begins at a place of the log, not of a stream"});
    auto events = open_at(request, request.from);
    if (!events)
        return std::unexpected(std::move(events.error()));
    sequence_number next = events->next_sequence();
    // A power cut may take what is not durable, and the position would then lie beyond the log.
    if (request.show == visibility::durable) {
        auto durable = durable_end(request.directory);
        if (!durable)
            return std::unexpected(std::move(durable.error()));
        next = std::min(next, *durable);
    }
    return position_before(request, next);
}

}  // namespace pawl::detail
