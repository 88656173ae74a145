// JSON text for one of several tables: accepted text can be printed, and the result parses to the
// same payload.
#include "kinds_bfbs.hpp"
#include "shop_bfbs.hpp"
#include "targets.hpp"

#include <pawl/codec/json.hpp>
#include <pawl/codec/schema.hpp>

#include <map>
#include <string>
#include <string_view>

namespace pawl::test {

namespace {

const schema& described(std::span<const std::byte> bfbs, std::string_view table) {
    static std::map<std::string_view, schema> known;
    auto at = known.find(table);
    if (at == known.end())
        at = known.emplace(table, std::move(*schema::load(bfbs, table))).first;
    return at->second;
}

}  // namespace

void prints_and_reads_back(const schema& of, std::span<const std::byte> payload) {
    const json_printer printer{of, {.max_text_bytes = 1 << 20}};
    std::string text;
    if (!printer.print(payload, text))
        return;
    json_parser parse{of};
    const auto again = parse(text);
    if (!again) {
        // A payload may refer to one table several times. Its text repeats the table, and may be
        // too large to parse.
        demand(again.error().code == errc::too_large);
        return;
    }
    std::string same;
    demand(printer.print(*again, same).has_value() && same == text);
}

void fuzz_json(fuzz_input input) {
    if (input.empty())
        return;
    const exact_copy copy{input.subspan(1)};
    const std::string_view text{reinterpret_cast<const char*>(copy.bytes().data()),
                                copy.bytes().size()};
    const schema& of = static_cast<unsigned char>(input[0]) % 2 == 0
                           ? described(kinds_bfbs(), "kinds.everything")
                           : described(shop_bfbs(), "shop.order_placed");
    json_parser parse{of};
    const auto payload = parse(text);
    if (!payload) {
        demand(payload.error().offset <= text.size());
        return;
    }
    std::string printed;
    demand(json_printer{of}.print(*payload, printed).has_value());
    prints_and_reads_back(of, *payload);
}

}  // namespace pawl::test
