#include "commands/commands.hpp"
#include "events/journal_words.hpp"
#include "events/scan.hpp"
#include "terminal/interrupt.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <pawl/codec/catalog.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace pawl::cli {

namespace {

struct tally {
    std::uint64_t events = 0;
    std::uint64_t payload_bytes = 0;
    sequence_number first_sequence = 0;
    sequence_number last_sequence = 0;
    std::uint64_t min_ns = 0;
    std::uint64_t max_ns = 0;

    void add(const event& e) {
        const std::uint64_t time = e.timestamp_ns();
        min_ns = events == 0 ? time : std::min(min_ns, time);
        max_ns = std::max(max_ns, time);
        first_sequence = events == 0 ? e.sequence() : first_sequence;
        last_sequence = e.sequence();
        payload_bytes += e.payload().size();
        ++events;
    }
};

struct type_key {
    std::uint16_t type = 0;
    std::uint16_t schema_version = 0;
    friend auto operator<=>(const type_key&, const type_key&) = default;
};
using tallies = std::map<type_key, tally>;

nlohmann::ordered_json to_json(const tallies& counted, const event_catalog& types,
                               const std::filesystem::path& directory) {
    nlohmann::ordered_json json{{"directory", directory.string()},
                                {"types", nlohmann::ordered_json::array()}};
    for (const auto& [key, count] : counted) {
        const std::string_view name = name_of_type(types, key.type);
        nlohmann::ordered_json one{
            {"type", name.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(name)},
            {"type_number", key.type},
            {"schema_version", key.schema_version},
            {"described", types.find(key.type, key.schema_version) != nullptr},
            {"events", count.events},
            {"payload_bytes", count.payload_bytes}};
        if (count.events != 0)
            one.update({{"first_sequence", count.first_sequence},
                        {"last_sequence", count.last_sequence},
                        {"min_timestamp_ns", count.min_ns},
                        {"max_timestamp_ns", count.max_ns}});
        json["types"].push_back(std::move(one));
    }
    return json;
}

bool put_table(const tallies& counted, const event_catalog& types) {
    row_writer rows{row_format::table,
                    {"type", "number", "version", "described", "events", "mean bytes", "last"}};
    for (const auto& [key, count] : counted) {
        const std::string last = count.events == 0 ? std::string{} : time_text(count.max_ns);
        const std::uint64_t mean = count.events == 0 ? 0 : count.payload_bytes / count.events;
        if (!rows.put({name_of_type(types, key.type), std::int64_t{key.type},
                       std::int64_t{key.schema_version},
                       std::string_view{types.find(key.type, key.schema_version) ? "yes" : "no"},
                       static_cast<std::int64_t>(count.events), static_cast<std::int64_t>(mean),
                       std::string_view{last}}))
            return false;
    }
    return rows.finish();
}

}  // namespace

exit_code types(const types_options& options) {
    tallies counted;
    const auto scanned =
        scan(options.directory, options.allow_network_file_system,
             [&](const event& e) { counted[{e.type(), e.schema_version()}].add(e); });
    // Without a first event the journal itself may be unreadable.
    if (!scanned && counted.empty())
        return complain(scanned.error());
    const auto described = event_catalog::load(options.directory);
    if (!described)
        return complain(described.error());
    for (const described_event& known : described->events())
        counted[{known.type, known.schema_version}];
    if (options.json)
        put_json(to_json(counted, *described, options.directory));
    else
        (void)put_table(counted, *described);
    const exit_code code = scanned ? finish_output(success) : complain(scanned.error());
    die_of_interrupt();
    return code;
}

}  // namespace pawl::cli
