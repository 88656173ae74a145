// Where a command comes from: its id, and what else its events record of it.
//
//     account::state state;
//     pawl::decision events;
//     const withdraw command{.account = 7, .amount = 5};
//     const pawl::command_origin origin{.command = pawl::reference_to(id, bytes), .actor = "Ada"};
//     auto done = pawl::execute(account{}, command, state, log, events, origin);
//     if (done && done->repeated) return done->first;  // it took effect when it was first sent
#pragma once

#include <pawl/journal/metadata.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pawl {

// Every event that the command leads to carries these entries of standard metadata, unless `decide`
// gives it one of its own with the same tag.
struct command_origin {
    // Makes the command take effect once, as long as the writer remembers it
    // (writer_options::command_window).
    std::optional<command_reference> command{};
    std::optional<message_id> correlation{};
    std::optional<message_id> causation{};
    std::vector<std::byte> trace{};  // a W3C trace context, as metadata_tag::trace holds it
    std::string actor{};             // on whose behalf
    std::optional<std::uint64_t> source_time_ns{};
    // Also record a command that led to no event, with its refusal if there was one: sent again, it
    // gets the same answer. Needs a `command`, and a refusal of at most 63 bytes that is its own
    // representation, such as an enumeration.
    bool records_refusals = false;

    static constexpr std::size_t most_entries = 6;
    // The entries, in `room`; they refer to this object.
    [[nodiscard]] std::span<const metadata_entry> entries(
        std::array<metadata_entry, most_entries>& room) const noexcept {
        std::size_t used = 0;
        const auto add = [&](metadata_tag tag, std::span<const std::byte> value) {
            room[used++] = {.tag = tag, .value = value};
        };
        if (command)
            room[used++] = entry_of(*command);
        if (correlation)
            add(metadata_tag::correlation, *correlation);
        if (causation)
            add(metadata_tag::causation, *causation);
        if (!trace.empty())
            add(metadata_tag::trace, trace);
        if (!actor.empty())
            add(metadata_tag::actor, std::as_bytes(std::span{actor}));
        if (source_time_ns)
            add(metadata_tag::source_time, std::as_bytes(std::span{&*source_time_ns, 1}));
        return std::span{room}.first(used);
    }
};

}  // namespace pawl
