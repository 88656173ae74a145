// A binary schema, and a payload that is printed with it. The first two bytes are the schema's
// length.
#include "targets.hpp"

#include <pawl/codec/json.hpp>
#include <pawl/codec/schema.hpp>

#include <algorithm>
#include <string>

namespace pawl::test {

void fuzz_schema(fuzz_input input) {
    if (input.size() < 2)
        return;
    const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(input[i]); };
    const std::size_t length = std::min(byte(0) | byte(1) << 8, input.size() - 2);
    const exact_copy description{input.subspan(2, length)};
    const exact_copy payload{input.subspan(2 + length)};
    const auto loaded = schema::load(description.bytes());
    if (!loaded)
        return;
    const auto again = schema::load(loaded->bytes());
    demand(again.has_value() && std::ranges::equal(again->bytes(), loaded->bytes()));
    prints_and_reads_back(*loaded, payload.bytes());
    json_parser parse{*loaded};
    (void)parse("{}");
}

}  // namespace pawl::test
