#include "recording_sink.hpp"
#include "shop_events.hpp"

#include <catch2/catch.hpp>

#include <pawl/codec/prepared_event.hpp>

#include <string>
#include <utility>

namespace {

using prepared_order = pawl::prepared_event<shop::order_placed>;

prepared_order prepared() {
    auto made = prepared_order::make([](flatbuffers::FlatBufferBuilder& b) {
        return shop::Createorder_placed(b, 0, 0, 0, 0, 0, 0, 0, b.CreateString("fixed"));
    });
    REQUIRE(made);
    return std::move(*made);
}

}  // namespace

TEST_CASE("a prepared event takes new numbers and keeps the rest", "[codec]") {
    prepared_order order = prepared();
    recording_sink sink;
    for (std::uint64_t i = 0; i < 3; ++i) {
        CHECK(order.fields().mutate_order(i));
        CHECK(order.fields().mutate_price(-5));
        REQUIRE(order.append(sink, {.stream = i + 1}));
        CHECK(sink.header.type == 1);
        CHECK(sink.header.stream == i + 1);
        const auto back = pawl::decode<shop::order_placed>(sink.last());
        REQUIRE(back);
        CHECK((*back)->order() == i);
        CHECK((*back)->price() == -5);
        CHECK((*back)->note()->str() == "fixed");
    }
}

TEST_CASE("a prepared event can be moved", "[codec]") {
    prepared_order first = prepared();
    CHECK(first.fields().mutate_quantity(7));
    prepared_order second = std::move(first);
    CHECK(second.fields().quantity() == 7);
    CHECK(second.fields().mutate_quantity(8));
    recording_sink sink;
    REQUIRE(second.append(sink, {}));
    CHECK(pawl::view<shop::order_placed>(sink.last()).quantity() == 8);
}

TEST_CASE("a field that a prepared event was built without cannot be set", "[codec]") {
    auto bare = prepared_order::make([](flatbuffers::FlatBufferBuilder& b) {
        shop::order_placedBuilder builder{b};
        builder.add_order(0);
        return builder.Finish();
    });
    REQUIRE(bare);
    CHECK(bare->fields().mutate_order(3));
    CHECK_FALSE(bare->fields().mutate_price(3));
}
