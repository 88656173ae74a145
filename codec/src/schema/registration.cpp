#include <pawl/codec/registration.hpp>
#include <pawl/codec/schema.hpp>
#include <pawl/codec/schema_changes.hpp>
#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/journal.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace pawl::detail {

namespace {

// What to do with one shape: all are judged before any is recorded.
enum class judgement : std::uint8_t { record, known, outgrown };

using held_descriptions = std::vector<recorded_description>;

bool is_of(const recorded_description& held, const event_shape& shape) {
    return held.type == shape.type && held.schema_version == shape.schema_version;
}

std::string type_text(const recorded_description& held) {
    return "type " + std::to_string(held.type) + ", schema version " +
           std::to_string(held.schema_version) + " (" + held.name + ")";
}

std::unexpected<error> refuse(const writer& log, errc code, std::string why) {
    return std::unexpected(
        error{.code = code, .file = log.directory().string(), .detail = std::move(why)});
}

bool equal(const recorded_description& held, const schema& ours) {
    return std::ranges::equal(held.bytes, ours.bytes());
}

// Returns the worst change that a schema version must not hide, if there is one.
const schema_change* hidden_change(const std::vector<schema_change>& changes) {
    const auto worst = std::ranges::max_element(
        changes, {}, [](const schema_change& change) { return change.verdict(); });
    return worst == changes.end() || worst->verdict() < change_verdict::needs_upcast ? nullptr
                                                                                     : &*worst;
}

result<judgement> judge(const writer& log, const held_descriptions& held, const event_shape& shape,
                        const schema& ours) {
    const auto newest = std::find_if(held.rbegin(), held.rend(), [&](const auto& description) {
        return is_of(description, shape);
    });
    if (newest == held.rend())
        return judgement::record;
    if (equal(*newest, ours))
        return judgement::known;
    const auto earlier = std::any_of(newest, held.rend(), [&](const auto& description) {
        return is_of(description, shape) && equal(description, ours);
    });
    if (earlier)
        return judgement::outgrown;
    const auto theirs = schema::load(newest->bytes);
    if (!theirs && theirs.error().code == errc::out_of_memory)
        return std::unexpected(theirs.error());
    if (!theirs)
        return refuse(log, errc::malformed,
                      "the description of " + type_text(*newest) +
                          " is no schema: " + theirs.error().message());
    const auto changes = compare_schemas(*theirs, ours);
    if (!changes)
        return std::unexpected(changes.error());
    if (const schema_change* worst = hidden_change(*changes))
        return refuse(log, errc::invalid_argument,
                      worst->message() + ", but the journal describes events of " +
                          type_text(*newest) +
                          " as they were: raise the schema version and add a step to the history, "
                          "or undo the change");
    return judgement::record;
}

// Every version of a listed type that the journal holds must be one of the list's shapes.
result<void> check_versions(const writer& log, const held_descriptions& held,
                            std::span<const event_shape> shapes) {
    for (const recorded_description& each : held) {
        std::uint16_t newest = 0;
        bool converted = false;
        for (const event_shape& shape : shapes) {
            if (shape.type != each.type)
                continue;
            newest = std::max(newest, shape.schema_version);
            converted = converted || shape.schema_version == each.schema_version;
        }
        if (newest == 0 || converted)
            continue;
        if (each.schema_version > newest)
            return refuse(log, errc::unknown_event,
                          "a newer program wrote the journal: it describes events of " +
                              type_text(each) + ", and this program knows them up to version " +
                              std::to_string(newest));
        return refuse(log, errc::invalid_argument,
                      "the journal describes events of " + type_text(each) +
                          ", and no history converts them to version " + std::to_string(newest));
    }
    return {};
}

// A table keeps its number for ever: the tools look events up by name.
result<void> check_numbers(const writer& log, const held_descriptions& held,
                           std::span<const event_shape> shapes) {
    const auto listed = [&](std::uint16_t type) {
        return std::ranges::find(shapes, type, &event_shape::type) != shapes.end();
    };
    for (const recorded_description& each : held)
        for (const event_shape& shape : shapes)
            if (each.name == shape.table && each.type != shape.type && !listed(each.type))
                return refuse(log, errc::invalid_argument,
                              std::string{shape.table} + " has type number " +
                                  std::to_string(shape.type) +
                                  ", and the journal describes it as " + type_text(each));
    return {};
}

result<std::vector<schema>> load_all(std::span<const std::byte> bfbs,
                                     std::span<const event_shape> shapes) {
    std::vector<schema> loaded;
    loaded.reserve(shapes.size());
    for (const event_shape& shape : shapes) {
        auto one = schema::load(shape.bfbs.empty() ? bfbs : shape.bfbs, shape.table);
        if (!one)
            return std::unexpected(std::move(one.error()));
        loaded.push_back(std::move(*one));
    }
    return loaded;
}

result<std::vector<judgement>> judge_all(const writer& log, std::span<const event_shape> shapes,
                                         const std::vector<schema>& schemas) {
    const auto held = descriptions(log.directory());
    if (!held)
        return std::unexpected(held.error());
    if (auto versions = check_versions(log, *held, shapes); !versions)
        return std::unexpected(std::move(versions.error()));
    if (auto numbers = check_numbers(log, *held, shapes); !numbers)
        return std::unexpected(std::move(numbers.error()));
    std::vector<judgement> judged;
    for (std::size_t i = 0; i < shapes.size(); ++i) {
        auto one = judge(log, *held, shapes[i], schemas[i]);
        if (!one)
            return std::unexpected(std::move(one.error()));
        judged.push_back(*one);
    }
    return judged;
}

}  // namespace

result<registration> register_shapes(writer& log, std::span<const std::byte> bfbs,
                                     std::span<const event_shape> shapes,
                                     std::uint64_t timestamp_ns) {
    return guarded([&]() -> result<registration> {
        auto schemas = load_all(bfbs, shapes);
        if (!schemas)
            return std::unexpected(std::move(schemas.error()));
        const auto judged = judge_all(log, shapes, *schemas);
        if (!judged)
            return std::unexpected(judged.error());
        registration done;
        for (std::size_t i = 0; i < shapes.size(); ++i) {
            if ((*judged)[i] != judgement::record) {
                ++((*judged)[i] == judgement::known ? done.known : done.outgrown);
                continue;
            }
            const auto described = log.describe({.type = shapes[i].type,
                                                 .schema_version = shapes[i].schema_version,
                                                 .name = shapes[i].table,
                                                 .bytes = (*schemas)[i].bytes()},
                                                timestamp_ns);
            if (!described)
                return std::unexpected(described.error());
            ++done.recorded;
        }
        return done;
    });
}

}  // namespace pawl::detail
