#include "append/schema_source.hpp"
#include "commands/commands.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <pawl/codec/catalog.hpp>
#include <pawl/codec/json.hpp>
#include <pawl/codec/schema_changes.hpp>
#include <pawl/sqlite/event_scan.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pawl::cli {

namespace {

using nlohmann::ordered_json;

// What became of one event type at one version.
struct type_check {
    const described_event* held;
    std::string table{};  // in the new schema; empty if it has none
    std::optional<schema> now{};
    std::vector<schema_change> changes{};
    std::string refusal{};  // beyond the changes
    std::uint64_t events = 0;
    std::optional<error> failure{};  // of the first event that the new schema cannot read

    [[nodiscard]] bool compatible() const {
        return refusal.empty() && !failure && worst_of(changes) < change_verdict::needs_upcast;
    }
};

result<type_check> compare(const described_event& held, const event_catalog& types,
                           const schema_source& file) {
    type_check made{.held = &held};
    // By the full name first: the file may use the same name in several namespaces.
    auto found = file.find(types.newest(held.type)->shape.table());
    if (!found)
        found = file.find(types.name_of(held.type));
    if (!found) {
        made.refusal = "the new schema has no such table, and the journal holds its events";
        return made;
    }
    const auto shape =
        std::ranges::find(found->shapes, held.schema_version, &type_shapes::shape::schema_version);
    if (shape == found->shapes.end()) {
        made.refusal = fmt::format("the new schema knows it up to version {} only",
                                   found->shapes.back().schema_version);
        return made;
    }
    made.table = shape->table;
    auto now = schema::load(shape->bfbs, shape->table);
    if (!now)
        return std::unexpected(std::move(now.error()));
    auto changes = compare_schemas(held.shape, *now);
    if (!changes)
        return std::unexpected(std::move(changes.error()));
    made.changes = std::move(*changes);
    made.now.emplace(std::move(*now));
    return made;
}

// Reads each event of the types that changed with the new schema, in one pass.
result<void> read_events(const check_schema_options& options, std::vector<type_check>& checks) {
    if (std::ranges::all_of(checks, [](const type_check& one) { return one.changes.empty(); }))
        return {};
    auto scan = event_scan::open(options.directory,
                                 {.allow_network_file_system = options.allow_network_file_system});
    if (!scan)
        return std::unexpected(std::move(scan.error()));
    std::string text;
    while (const event* e = scan->next()) {
        const auto at = std::ranges::find_if(checks, [&](const type_check& one) {
            return one.held->type == e->type() && one.held->schema_version == e->schema_version();
        });
        if (at == checks.end() || at->changes.empty() || !at->now)
            continue;
        ++at->events;
        text.clear();
        auto read = json_printer{*at->now}.print(e->payload(), text);
        if (!read && !at->failure) {
            read.error().sequence = e->sequence();
            at->failure = std::move(read.error());
        }
    }
    if (auto end = scan->finish(); !end)
        return std::unexpected(std::move(end.error()));
    return {};
}

result<std::vector<type_check>> check(const check_schema_options& options,
                                      const event_catalog& types) {
    const auto file = schema_source::open(options.schema);
    if (!file)
        return std::unexpected(file.error());
    std::vector<type_check> checks;
    for (const described_event& held : types.events()) {
        auto one = compare(held, types, *file);
        if (!one)
            return std::unexpected(std::move(one.error()));
        checks.push_back(std::move(*one));
    }
    if (auto read = read_events(options, checks); !read)
        return std::unexpected(std::move(read.error()));
    return checks;
}

void put_text(const std::vector<type_check>& checks) {
    for (const type_check& one : checks) {
        put(fmt::format("{} (type {}, schema version {}): {}\n", one.held->shape.table(),
                        one.held->type, one.held->schema_version,
                        one.compatible() ? "compatible" : "NOT COMPATIBLE"));
        if (!one.refusal.empty())
            put(fmt::format("  {}\n", one.refusal));
        for (const schema_change& change : one.changes)
            put(fmt::format("  {}\n", change.message()));
        if (one.failure)
            put(fmt::format("  {}\n", one.failure->message()));
        else if (one.events != 0)
            put(fmt::format("  all {} events can be read\n", one.events));
    }
}

ordered_json to_json(const type_check& one) {
    ordered_json changes = ordered_json::array();
    for (const schema_change& change : one.changes)
        changes.push_back({{"rule", to_string(change.rule)},
                           {"verdict", to_string(change.verdict())},
                           {"where", change.where},
                           {"what", change.what}});
    ordered_json json{
        {"type", one.held->type},           {"schema_version", one.held->schema_version},
        {"table", one.held->shape.table()}, {"new_table", one.table},
        {"compatible", one.compatible()},   {"changes", changes},
        {"events_read", one.events}};
    if (!one.refusal.empty())
        json["refusal"] = one.refusal;
    if (one.failure)
        json["failure"] = error_json(*one.failure);
    return json;
}

}  // namespace

exit_code check_schema(const check_schema_options& options) {
    const auto types = event_catalog::load(options.directory);
    if (!types)
        return complain(types.error());
    for (const error& why : types->rejected())
        complain(fmt::format("notice: {}", why.message()));
    const auto checks = check(options, *types);
    if (!checks)
        return complain(checks.error());
    const bool compatible = std::ranges::all_of(*checks, &type_check::compatible);
    if (options.json) {
        ordered_json list = ordered_json::array();
        for (const type_check& one : *checks)
            list.push_back(to_json(one));
        put_json({{"compatible", compatible}, {"types", list}});
    } else {
        put_text(*checks);
    }
    if (!compatible)
        complain(
            "the journal holds events that the new schema would not read as they were "
            "written; codec/EVOLUTION.md says what each rule asks for");
    return finish_output(compatible ? success : failure);
}

}  // namespace pawl::cli
