// Descriptions of one event type, of which the last counts, and a payload whose fields are read by
// them one by one. Two bytes each are the lengths of the first and the second description.
#include "targets.hpp"

#include <pawl/codec/catalog.hpp>
#include <pawl/codec/field_reader.hpp>
#include <pawl/journal/types.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace pawl::test {

namespace {

std::vector<std::byte> take(fuzz_input& from) {
    if (from.size() < 2)
        return {};
    const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(from[i]); };
    const std::size_t length = std::min(byte(0) | byte(1) << 8, from.size() - 2);
    const fuzz_input taken = from.subspan(2, length);
    from = from.subspan(2 + length);
    return {taken.begin(), taken.end()};
}

// A field that can be read prints as some text or number, and only in `text`.
void read_fields(const schema& of, std::span<const std::byte> payload) {
    const field_reader fields{of};
    std::string text;
    for (std::size_t i = 0; i < fields.count(); ++i) {
        demand(fields.find(fields.name(i)) == i);
        const auto value = fields.read(payload, i, text);
        if (!value)
            demand(value.error().code == errc::malformed || value.error().code == errc::too_large);
    }
    for (const auto& [alias, index] : fields.aliases())
        demand(fields.find(alias) == index);
}

}  // namespace

void fuzz_fields(fuzz_input input) {
    std::array held{
        recorded_description{.type = 1, .schema_version = 1, .name = {}, .bytes = take(input)},
        recorded_description{.type = 1, .schema_version = 1, .name = {}, .bytes = take(input)}};
    const auto types = event_catalog::from(held);
    if (!types)
        return;
    const exact_copy payload{input};
    for (const auto& [name, type] : types->names())
        demand(types->type_named(name) == type);
    for (const described_event& each : types->events()) {
        demand(types->find(each.type, each.schema_version) == &each);
        demand(types->type_named(each.shape.table()) == each.type);
        read_fields(each.shape, payload.bytes());
        prints_and_reads_back(each.shape, payload.bytes());
    }
}

}  // namespace pawl::test
