#include "events/selection.hpp"

#include <fmt/format.h>

#include <pawl/codec/utc_time.hpp>
#include <pawl/journal/journal.hpp>

#include <algorithm>
#include <charconv>

namespace pawl::cli {

namespace {

// The number of a stream or tag, which share their names: digits are the number, anything else is a
// name.
result<stream_id> resolve_stream(const std::filesystem::path& directory, const std::string& text,
                                 std::string_view kind) {
    stream_id number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem == std::errc{} && end == text.data() + text.size())
        return number;
    auto found = find_stream(directory, text);
    if (!found)
        return std::unexpected(std::move(found.error()));
    if (!*found)
        return fail(errc::not_found, fmt::format("no {} has the name '{}'", kind, text));
    return **found;
}

}  // namespace

bool is_time(const std::string& text) {
    return parse_utc(text) || parse_time_of_day(text);
}

result<event_filter> filter_of(const std::filesystem::path& directory, const selection& asked,
                               const journal_words& words) {
    event_filter filter{.from = asked.from,
                        .show = asked.durable ? visibility::durable : visibility::published,
                        .allow_network_file_system = asked.allow_network_file_system};
    if (!asked.stream.empty()) {
        auto stream = resolve_stream(directory, asked.stream, "stream");
        if (!stream)
            return std::unexpected(std::move(stream.error()));
        filter.stream = *stream;
    }
    if (!asked.tag.empty()) {
        auto tag = resolve_stream(directory, asked.tag, "tag");
        if (!tag)
            return std::unexpected(std::move(tag.error()));
        if (*tag == 0)
            return fail(errc::invalid_argument, "--tag 0: no event names the tag 0");
        filter.tag = *tag;
    }
    if (!asked.type.empty()) {
        auto type = words.type_of(asked.type);
        if (!type)
            return std::unexpected(std::move(type.error()));
        filter.type = *type;
    }
    if (!asked.since.empty()) {
        auto since = find_time(directory, asked.since, asked.allow_network_file_system);
        if (!since)
            return std::unexpected(std::move(since.error()));
        filter.since_ns = *since;
    }
    if (!asked.until.empty()) {
        auto until = find_time(directory, asked.until, asked.allow_network_file_system);
        if (!until)
            return std::unexpected(std::move(until.error()));
        if (*until == 0)
            filter.before = 0;
        else
            filter.until_ns = *until - 1;
    }
    return filter;
}

result<where_filter> where_filter::open(const std::filesystem::path& directory,
                                        const selection& asked, const event_filter& within,
                                        const journal_words& words) {
    std::string table = "events";
    if (within.type) {
        table = words.types().name_of(*within.type);
        if (table.empty())
            return fail(errc::invalid_argument,
                        fmt::format("the journal does not describe type {}, so its events have no "
                                    "fields to compare",
                                    *within.type));
    }
    auto from =
        database::open(directory, {.allow_network_file_system = within.allow_network_file_system});
    if (!from)
        return std::unexpected(std::move(from.error()));
    // The limits of the scan hold here too; SQLite's integers end at 2^63-1.
    constexpr std::uint64_t greatest = std::numeric_limits<std::int64_t>::max();
    auto rows = from->prepare(fmt::format(
        "select sequence from \"{}\" where sequence >= {} and timestamp_ns >= {} and timestamp_ns "
        "<= {} and ({}\n)",
        table, std::min(within.from.value_or(0), greatest), std::min(within.since_ns, greatest),
        std::min(within.until_ns, greatest), asked.where));
    if (!rows) {
        error why = std::move(rows.error());
        if (!within.type)
            why.detail += "; --type names the type whose fields are compared";
        return std::unexpected(std::move(why));
    }
    return where_filter{std::move(*from), std::move(*rows)};
}

result<bool> where_filter::selects(sequence_number sequence) {
    while (next_ && (!started_ || *next_ < sequence)) {
        started_ = true;
        const auto more = rows_.next();
        if (!more)
            return std::unexpected(more.error());
        if (*more)
            next_ = static_cast<sequence_number>(sqlite3_column_int64(rows_.get(), 0));
        else
            next_.reset();
    }
    return next_ == sequence;
}

}  // namespace pawl::cli
