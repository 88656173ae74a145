#include "relay/replica.hpp"

#include "relay/took_over.hpp"

#include <fmt/format.h>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>

#include <utility>

namespace pawl::relay {

namespace {

[[nodiscard]] std::unexpected<error> not_next(const stored_event& e, std::string what) {
    return std::unexpected(
        error{.code = errc::damaged, .sequence = e.sequence(), .detail = std::move(what)});
}

// The header of a copy, whose metadata refers to `entries`.
[[nodiscard]] event_header header_of(const event& e, std::vector<metadata_entry>& entries) {
    entries.clear();
    e.metadata().for_each([&](const metadata_entry& entry) { entries.push_back(entry); });
    return {.type = e.type(),
            .schema_version = e.schema_version(),
            .stream = e.stream(),
            .timestamp_ns = e.timestamp_ns(),
            .metadata = entries};
}

}  // namespace

result<replica> replica::open(const std::filesystem::path& directory,
                              const replica_options& options) {
    const auto there = inspect(directory, {.pass_over_faults = true});
    if (there && there->id == options.origin)
        return fail(errc::invalid_argument,
                    directory.string() + " is the original journal, not a copy of it");
    auto log =
        writer::open(directory, {.segment_bytes = options.segment_bytes,
                                 .origin = options.origin,
                                 .clock = clock_source::caller,
                                 .command_window = 0,
                                 .scrub_bytes_per_second = 0,
                                 .allow_network_file_system = options.allow_network_file_system});
    if (!log)
        return std::unexpected(std::move(log.error()));
    replica made{std::move(*log)};
    if (made.next() != 0) {
        auto last = cursor::open(directory,
                                 {.from = from_sequence{made.next() - 1},
                                  .allow_network_file_system = options.allow_network_file_system});
        if (!last)
            return std::unexpected(std::move(last.error()));
        const event* e = last->next();
        if (e == nullptr)
            return std::unexpected(error{.code = errc::damaged, .sequence = made.next() - 1});
        made.last_ = e->content_hash();
    }
    return made;
}

// Names and descriptions that an interrupted attempt has recorded already are there.
result<void> replica::record_before(const stored_event& e) {
    for (const recorded_name& each : e.names()) {
        const auto given = log_.stream(each.name, each.timestamp_ns);
        if (!given)
            return std::unexpected(given.error());
        if (*given != each.stream)
            return std::unexpected(
                error{.code = errc::diverged,
                      .sequence = e.sequence(),
                      .stream = each.stream,
                      .detail = fmt::format("the name {} has number {} here", each.name, *given)});
    }
    for (const recorded_description& each : e.descriptions()) {
        const auto described = log_.describe(
            {each.type, each.schema_version, each.name, each.bytes}, each.timestamp_ns);
        if (!described)
            return std::unexpected(described.error());
    }
    return {};
}

// All that the content hash covers was handed over but these two, which the writer counts.
result<void> replica::compare(const stored_event& e, const receipt& placed) {
    last_ = e.content_hash();
    if (placed.sequence == e.sequence() && placed.version == e.view().version())
        return {};
    return std::unexpected(
        error{.code = errc::diverged,
              .sequence = e.sequence(),
              .stream = e.view().stream(),
              .detail = fmt::format("the copy of this event has version {} in its stream, not {}: "
                                    "events before it differ",
                                    placed.version, e.view().version())});
}

result<void> replica::append_pending() {
    const std::vector<stored_event> whole = std::exchange(pending_, {});
    std::vector<metadata_entry> entries;
    if (whole.size() == 1) {
        const event e = whole.front().view();
        const auto placed = log_.append(header_of(e, entries), e.payload());
        return placed ? compare(whole.front(), *placed) : std::unexpected(placed.error());
    }
    const bool is_abandoned = takeover_in(whole.back().view()).has_value();
    std::size_t bytes = 0;
    for (const stored_event& each : whole)
        bytes += each.view().payload().size() + each.view().metadata().bytes().size();
    auto open = log_.begin_batch(static_cast<std::uint32_t>(whole.size()), bytes);
    if (!open)
        return std::unexpected(std::move(open.error()));
    std::vector<receipt> placed;
    for (const stored_event& each : whole) {
        const event e = each.view();
        const bool is_lost = is_abandoned && &each != &whole.back();
        const auto done =
            is_lost ? open->append({.type = lost_type, .timestamp_ns = e.timestamp_ns()}, {})
                    : open->append(header_of(e, entries), e.payload());
        if (!done)
            return std::unexpected(done.error());
        placed.push_back(*done);
    }
    if (auto done = open->commit(); !done)
        return std::unexpected(std::move(done.error()));
    for (std::size_t i = is_abandoned ? whole.size() - 1 : 0; i < whole.size(); ++i)
        if (auto same = compare(whole[i], placed[i]); !same)
            return same;
    return {};
}

result<void> replica::take(stored_event e) {
    if (e.sequence() != next())
        return not_next(e, fmt::format("event {} was expected", next()));
    if (e.place() != place_of(!pending_.empty(), e.more_in_batch()))
        return not_next(e, "the events around it are not of its batch");
    // Neither stands inside a batch, so none comes with its later events.
    if (pending_.empty())
        if (auto recorded = record_before(e); !recorded)
            return recorded;
    const bool is_whole = !e.more_in_batch();
    pending_.push_back(std::move(e));
    return is_whole ? append_pending() : result<void>{};
}

}  // namespace pawl::relay
