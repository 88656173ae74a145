// Appends a number of events that belong together: one alone, several as a batch.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace pawl::cli {

// Appends one event; a dump also holds commands that were handled without events.
[[nodiscard]] inline result<receipt> append_alone(writer& log, const event_header& header,
                                                  std::span<const std::byte> payload) {
    if (header.type == static_cast<std::uint16_t>(reserved_type::handled))
        return log.append_handled(header.metadata, payload, header.timestamp_ns);
    return log.append(header, payload);
}

// `events`: each has a `header` that is complete, and a `payload`. Calls placed(event, receipt) for
// each in turn; those of a batch may still fail together.
template <class Events, class Placed>
[[nodiscard]] result<void> append_together(writer& log, const Events& events, Placed&& placed) {
    if (events.size() == 1) {
        auto done = append_alone(log, events[0].header, events[0].payload);
        if (!done)
            return std::unexpected(std::move(done.error()));
        placed(events[0], *done);
        return {};
    }
    std::size_t bytes = 0;
    for (const auto& each : events)
        bytes += each.payload.size() + metadata_bytes(each.header.metadata);
    auto open = log.begin_batch(static_cast<std::uint32_t>(events.size()), bytes);
    if (!open)
        return std::unexpected(std::move(open.error()));
    for (const auto& each : events) {
        auto done = open->append(each.header, each.payload);
        if (!done)
            return std::unexpected(std::move(done.error()));
        placed(each, *done);
    }
    if (auto done = open->commit(); !done)
        return std::unexpected(std::move(done.error()));
    return {};
}

}  // namespace pawl::cli
