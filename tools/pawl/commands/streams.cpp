#include "commands/commands.hpp"
#include "events/journal_words.hpp"
#include "events/scan.hpp"
#include "terminal/interrupt.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>
#include <fnmatch.h>
#include <nlohmann/json.hpp>

#include <pawl/journal/journal.hpp>

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pawl::cli {

namespace {

struct listed_stream {
    stream_id stream = no_stream_id;
    std::string name{};
    std::uint64_t events = 0;  // in the journal; after a prune fewer than the version
    stream_version version = 0;
    std::uint64_t first_ns = 0;
    std::uint64_t last_ns = 0;

    void add(const event& e) {
        if (events++ == 0)
            first_ns = e.timestamp_ns();
        last_ns = e.timestamp_ns();
        version = e.version();
    }
};

using streams_by_number = std::unordered_map<stream_id, listed_stream>;

// Streams with a name come first, by name; then the others, by number.
bool by_name(const listed_stream& a, const listed_stream& b) {
    if (a.name.empty() != b.name.empty())
        return b.name.empty();
    return a.name.empty() ? a.stream < b.stream : a.name < b.name;
}

bool by_events(const listed_stream& a, const listed_stream& b) {
    return a.events != b.events ? a.events > b.events : by_name(a, b);
}

// What --name compares: numbers are matched as their digits.
bool matches(const listed_stream& stream, const std::string& glob) {
    const std::string text = stream.name.empty() ? std::to_string(stream.stream) : stream.name;
    return glob.empty() || ::fnmatch(glob.c_str(), text.c_str(), 0) == 0;
}

std::vector<listed_stream> choose(streams_by_number all, const streams_options& options) {
    std::vector<listed_stream> chosen;
    for (auto& [number, stream] : all)
        if (matches(stream, options.name))
            chosen.push_back(std::move(stream));
    if (options.top == 0) {
        std::ranges::sort(chosen, by_name);
        return chosen;
    }
    const std::size_t count = std::min<std::size_t>(options.top, chosen.size());
    std::ranges::partial_sort(chosen, chosen.begin() + static_cast<std::ptrdiff_t>(count),
                              by_events);
    chosen.resize(count);
    return chosen;
}

nlohmann::ordered_json to_json(const std::vector<listed_stream>& streams, std::uint64_t all,
                               const std::filesystem::path& directory) {
    nlohmann::ordered_json json{{"directory", directory.string()},
                                {"all_streams", all},
                                {"streams", nlohmann::ordered_json::array()}};
    for (const listed_stream& stream : streams)
        json["streams"].push_back(
            {{"stream", stream.stream},
             {"name", stream.name.empty() ? nlohmann::ordered_json(nullptr)
                                          : nlohmann::ordered_json(stream.name)},
             {"events", stream.events},
             {"version", stream.version},
             {"first_timestamp_ns", stream.first_ns},
             {"last_timestamp_ns", stream.last_ns}});
    return json;
}

bool put_table(const std::vector<listed_stream>& streams) {
    row_writer rows{row_format::table, {"stream", "events", "version", "last event"}};
    for (const listed_stream& stream : streams) {
        const std::string name = stream.name.empty() ? std::to_string(stream.stream) : stream.name;
        const std::string last = stream.events == 0 ? std::string{} : time_text(stream.last_ns);
        if (!rows.put({std::string_view{name}, static_cast<std::int64_t>(stream.events),
                       static_cast<std::int64_t>(stream.version), std::string_view{last}}))
            return false;
    }
    return rows.finish();
}

}  // namespace

exit_code streams(const streams_options& options) {
    streams_by_number counted;
    const auto scanned =
        scan(options.directory, options.allow_network_file_system, [&](const event& e) {
            if (e.stream() != no_stream_id)
                counted[e.stream()].add(e);
        });
    if (!scanned && counted.empty())
        return complain(scanned.error());
    for (auto& [number, stream] : counted)
        stream.stream = number;
    const auto names = stream_names(options.directory);
    if (!names)
        return complain(names.error());
    // A name may have no event yet, or none any more.
    for (const recorded_name& named : *names) {
        listed_stream& stream = counted[named.stream];
        stream.stream = named.stream;
        if (stream.name.empty())
            stream.name = named.name;
    }
    const std::uint64_t all = counted.size();
    const auto chosen = choose(std::move(counted), options);
    if (options.json)
        put_json(to_json(chosen, all, options.directory));
    else
        (void)put_table(chosen);
    const exit_code code = scanned ? finish_output(success) : complain(scanned.error());
    die_of_interrupt();
    return code;
}

}  // namespace pawl::cli
