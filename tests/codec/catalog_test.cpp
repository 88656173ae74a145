#include "schema_text.hpp"

#include <catch2/catch.hpp>

#include <pawl/codec/catalog.hpp>
#include <pawl/codec/field_reader.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace {

pawl::recorded_description description(std::uint16_t type, std::uint16_t version,
                                       const std::string& text, std::string_view table) {
    const pawl::schema made = schema_of(text, table);
    return {.type = type,
            .schema_version = version,
            .name = std::string{table},
            .bytes = {made.bytes().begin(), made.bytes().end()}};
}

pawl::event_catalog catalog(const std::vector<pawl::recorded_description>& held) {
    auto made = pawl::event_catalog::from(held);
    REQUIRE(made);
    return std::move(*made);
}

}  // namespace

TEST_CASE("a catalog finds types by number and version, and by name", "[codec]") {
    const auto types = catalog({
        description(2, 1, "namespace shop.v1; table paid { id: ulong; }", "shop.v1.paid"),
        description(1, 1, "namespace shop; table placed { id: ulong; }", "shop.placed"),
        description(2, 2, "namespace shop; table payed { id: uint; }", "shop.payed"),
    });
    REQUIRE(types.events().size() == 3);
    CHECK(types.find(2, 1)->shape.table() == "shop.v1.paid");
    CHECK(types.find(2, 2)->shape.table() == "shop.payed");
    CHECK(types.find(2, 3) == nullptr);
    CHECK(types.find(3, 1) == nullptr);
    CHECK(types.newest(2)->schema_version == 2);
    CHECK(types.newest(3) == nullptr);
    CHECK(types.name_of(1) == "placed");
    CHECK(types.name_of(2) == "payed");
    CHECK(types.name_of(3).empty());
    CHECK(types.type_named("placed") == 1);
    CHECK(types.type_named("shop.payed") == 2);
    CHECK(types.type_named("paid") == 2);
    CHECK_FALSE(types.type_named("order"));
}

TEST_CASE("two types with one table name keep their namespaces", "[codec]") {
    const auto types = catalog({
        description(1, 1, "namespace shop; table paid { id: ulong; }", "shop.paid"),
        description(2, 1, "namespace bank; table paid { id: ulong; }", "bank.paid"),
    });
    CHECK(types.name_of(1) == "shop.paid");
    CHECK(types.name_of(2) == "bank.paid");
    CHECK(types.type_named("bank.paid") == 2);
}

TEST_CASE("a newest name wins over an earlier name of another type", "[codec]") {
    const auto types = catalog({
        description(1, 1, "namespace v1; table filled { id: ulong; }", "v1.filled"),
        description(1, 2, "table traded { id: ulong; }", "traded"),
        description(2, 1, "table filled { id: ulong; }", "filled"),
    });
    CHECK(types.type_named("filled") == 2);
    CHECK(types.type_named("traded") == 1);
    CHECK(types.type_named("v1.filled") == 1);
}

TEST_CASE("the last description of a type and version counts", "[codec]") {
    const auto types = catalog({
        description(1, 1, "table placed { id: ulong; }", "placed"),
        description(1, 1, "table placed { id: ulong; note: string; }", "placed"),
    });
    REQUIRE(types.events().size() == 1);
    pawl::json_parser parse{types.events()[0].shape};
    const auto payload = parse(R"({"note":"x"})");
    REQUIRE(payload);
    CHECK(print(types.events()[0].shape, *payload) == R"({"note":"x"})");
}

TEST_CASE("a description that is no schema is left out with a reason", "[codec]") {
    auto held = std::vector{description(1, 1, "table placed { id: ulong; }", "placed")};
    held.push_back({.type = 9, .schema_version = 4, .name = "other", .bytes = {std::byte{1}}});
    const auto types = catalog(held);
    CHECK(types.events().size() == 1);
    REQUIRE(types.rejected().size() == 1);
    CHECK(types.rejected()[0].detail.starts_with("the description of type 9, schema version 4: "));
}

TEST_CASE("a catalog knows what renamed types and fields were called", "[codec]") {
    const auto types = catalog({
        description(1, 1, "namespace shop; table placed { id: ulong; sum: int; }", "shop.placed"),
        description(1, 1, "namespace shop; table ordered { id: ulong; cents: int; sold: bool; }",
                    "shop.ordered"),
        description(1, 1, "namespace shop; table bought { id: ulong; total: int; sum: bool; }",
                    "shop.bought"),
    });
    CHECK(types.name_of(1) == "bought");
    CHECK(types.type_named("placed") == 1);
    CHECK(types.type_named("shop.ordered") == 1);
    const pawl::schema& shape = types.newest(1)->shape;
    const pawl::field_reader fields{shape};
    CHECK(fields.find("total") == 1);
    CHECK(fields.find("cents") == 1);
    CHECK(fields.find("sold") == 2);
    CHECK(fields.find("sum") == 2);  // a name of today is no alias
    CHECK(std::ranges::equal(fields.aliases(), std::vector<std::string_view>{"cents", "sold"}, {},
                             &pawl::field_reader::alias::first));
    CHECK(through(shape, R"({"cents":7,"sold":true})") == R"({"total":7,"sum":true})");
    CHECK(through(shape, R"({"cents":7,"total":8})").starts_with("failed: "));
}

TEST_CASE("earlier names are known inside the table too", "[codec]") {
    // Everything that a table can reach is renamed: `old` first, `new` now.
    const auto text = [](const std::string& age) {
        return "namespace shop; enum " + age + "_side : ubyte { " + age + "_buy, " + age +
               "_sell } enum " + age + "_flags : ubyte (bit_flags) { " + age + "_fast, " + age +
               "_safe } struct " + age + "_place { " + age + "_x: int; y: int; } table " + age +
               "_line { " + age + "_price: long; at: " + age + "_place; inner: [" + age +
               "_line]; } table " + age + "_card { " + age + "_number: long; } union " + age +
               "_means { " + age + "_card, cash: " + age + "_line } table placed { line: " + age +
               "_line; side: " + age + "_side; flags: " + age + "_flags; means: " + age +
               "_means; bytes: [ubyte] (nested_flatbuffer: \"" + age + "_card\"); }";
    };
    const auto types = catalog({
        description(1, 1, text("old"), "shop.placed"),
        description(1, 1, text("mid"), "shop.placed"),
        description(1, 1, text("new"), "shop.placed"),
    });
    const pawl::schema& shape = types.newest(1)->shape;
    const auto event = [](const std::string& age) {
        return R"({"line":{")" + age + R"(_price":7,"at":{")" + age +
               R"(_x":1,"y":2},"inner":[{")" + age + R"(_price":8}]},"side":")" + age +
               R"(_sell","flags":")" + age + "_fast " + age + R"(_safe","means_type":")" + age +
               R"(_card","means":{")" + age + R"(_number":9},"bytes":{")" + age + R"(_number":5}})";
    };
    CHECK(through(shape, event("new")) == event("new"));
    CHECK(through(shape, event("mid")) == event("new"));
    CHECK(through(shape, event("old")) == event("new"));
    CHECK(through(shape, R"({"line":{"other_price":7}})").starts_with("failed: "));
    CHECK(through(shape, R"({"line":{"old_price":7,"mid_price":7}})").starts_with("failed: "));
}

TEST_CASE("a name that is used inside now is no alias there", "[codec]") {
    const auto types = catalog({
        description(1, 1,
                    "enum side : ubyte { buy, sell } table line { a: long; b: long; } "
                    "table placed { row: line; taken: side; }",
                    "placed"),
        description(1, 1,
                    "enum side : ubyte { ask, buy } table line { b: long; c: long; } "
                    "table placed { row: line; taken: side; }",
                    "placed"),
    });
    const pawl::schema& shape = types.newest(1)->shape;
    CHECK(through(shape, R"({"row":{"a":1,"c":2}})") == R"({"row":{"b":1,"c":2}})");
    CHECK(through(shape, R"({"row":{"b":1}})") == R"({"row":{"b":1}})");
    CHECK(through(shape, R"({"taken":"buy"})") == R"({"taken":"buy"})");
    CHECK(through(shape, R"({"taken":"sell"})") == R"({"taken":"buy"})");
}
