#include "shop_events.hpp"

#include <catch2/catch.hpp>

static_assert(pawl::event_table<shop::order_placed>);
static_assert(!pawl::event_table<shop::line>, "a table without a number is no event");
static_assert(!pawl::event_table<int>);
static_assert(shop::events::contains<shop::order_paid>);
static_assert(!shop::events::contains<shop::chain>);
static_assert(pawl::some_event_list<shop::events>);
static_assert(!pawl::some_event_list<int>);

TEST_CASE("a table's alignment counts its structs and its vectors of structs", "[codec]") {
    CHECK(pawl::detail::table_alignment<shop::order_placed>() <= 8);
    CHECK(pawl::detail::table_alignment<shop::order_paid>() == 8);
    CHECK(pawl::detail::table_alignment<shop::holds_wide>() == 16);
    CHECK(pawl::detail::table_alignment<shop::holds_wides>() == 16);
}

TEST_CASE("a header takes number and version from the table and keeps the rest", "[codec]") {
    const auto header = pawl::header_of<shop::order_paid>(
        {.type = 9, .stream = 42, .expected = pawl::expect::exactly(3), .timestamp_ns = 7});
    CHECK(header.type == 2);
    CHECK(header.schema_version == 3);
    CHECK(header.stream == 42);
    CHECK(header.expected.admits(3));
    CHECK_FALSE(header.expected.admits(2));
    CHECK(header.timestamp_ns == 7);
}

TEST_CASE("limits are the table's own where it has some", "[codec]") {
    CHECK(pawl::limits_of<shop::chain>().max_depth == 8);
    CHECK(pawl::limits_of<shop::order_placed>().max_depth == pawl::verify_limits{}.max_depth);
}
