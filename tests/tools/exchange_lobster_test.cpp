#include "lobster.hpp"

#include <catch2/catch.hpp>

using namespace exchange;

namespace {

csv_error message_error(std::string_view text) {
    const auto read = parse_message(text, 17);
    REQUIRE_FALSE(read);
    CHECK(read.error().line == 17);
    return read.error();
}

csv_error row_error(std::string_view text) {
    const auto read = parse_row(text, 5);
    REQUIRE_FALSE(read);
    CHECK(read.error().line == 5);
    return read.error();
}

}  // namespace

TEST_CASE("a message line becomes a message, its time exact to the nanosecond") {
    const auto m = parse_message("34200.00426064,3,16113584,18,5853200,-1\r", 1);
    REQUIRE(m);
    CHECK(m->time_ns == 34'200'004'260'640);
    CHECK(m->kind == lobster_kind::deletion);
    CHECK(m->order == 16'113'584);
    CHECK(m->size == 18);
    CHECK(m->price == 5'853'200);
    CHECK(m->side == side::sell);
    CHECK(parse_message("0,1,1,1,1,1", 1)->time_ns == 0);
    CHECK(parse_message("86399.999999999,1,1,1,1,1", 1)->time_ns == 86'399'999'999'999);
}

TEST_CASE("a halt has a price of -1, 0 or 1 and no size") {
    const auto m = parse_message("36000.5,7,0,0,-1,-1", 1);
    REQUIRE(m);
    CHECK(m->kind == lobster_kind::halt);
    CHECK(m->price == -1);
}

TEST_CASE("a bad message is refused with its line and field") {
    CHECK(message_error("").field.empty());
    CHECK(message_error("34200.1,1,1,1,1").field.empty());
    CHECK(message_error("34200.1,1,1,1,1,1,1").field.empty());
    CHECK(message_error("x,1,1,1,1,1").field == "time");
    CHECK(message_error("34200.,1,1,1,1,1").field == "time");
    CHECK(message_error("34200.1234567890,1,1,1,1,1").field == "time");
    CHECK(message_error("34200.-1,1,1,1,1,1").field == "time");
    CHECK(message_error("86400,1,1,1,1,1").field == "time");
    CHECK(message_error("-1,1,1,1,1,1").field == "time");
    CHECK(message_error("1,0,1,1,1,1").field == "type");
    CHECK(message_error("1,8,1,1,1,1").field == "type");
    CHECK(message_error("1,1,-4,1,1,1").field == "order");
    CHECK(message_error("1,1,1,1x,1,1").field == "size");
    CHECK(message_error("1,1,1,0,1,1").field == "size");
    CHECK(message_error("1,1,1,4294967296,1,1").field == "size");
    CHECK(message_error("1,1,1,1,,1").field == "price");
    CHECK(message_error("1,1,1,1,-5,1").field == "price");
    CHECK(message_error("1,1,1,1,1,0").field == "direction");
    CHECK(message_error("1,1,1,1,58x,1").message() == "line 17, price: '58x' is not a price");
}

TEST_CASE("a row becomes levels, and places that hold none are left out") {
    const auto row = parse_row("105,10,100,5,106,20,99,7,9999999999,0,-9999999999,0", 1);
    REQUIRE(row);
    CHECK(row->columns == 12);
    REQUIRE(row->asks.size() == 2);
    REQUIRE(row->bids.size() == 2);
    CHECK(row->asks[1].price == 106);
    CHECK(row->asks[1].size == 20);
    CHECK(row->bids[1].price == 99);
}

TEST_CASE("a bad row is refused with its line and field") {
    CHECK(row_error("").field.empty());
    CHECK(row_error("105,10,100").field.empty());
    CHECK(row_error("105,10,100,5,106,20").field.empty());
    CHECK(row_error("a,10,100,5").field == "ask price 1");
    CHECK(row_error("105,-1,100,5").field == "ask size 1");
    CHECK(row_error("105,0,100,5").field == "ask size 1");
    CHECK(row_error("105,10,100,5,105,20,99,7").field == "ask price 2");
    CHECK(row_error("105,10,100,5,106,20,100,7").field == "bid price 2");
    CHECK(row_error("105,10,100,5,106,20,99,?").field == "bid size 2");
    CHECK(row_error("105,10,-9999999999,5").field == "bid price 1");
}
