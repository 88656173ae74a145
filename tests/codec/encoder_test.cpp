#include "recording_sink.hpp"
#include "shop_events.hpp"

#include <catch2/catch.hpp>

#include <pawl/codec/encoder.hpp>

#include <string>
#include <vector>

namespace {

auto cancelled(std::uint64_t order, const std::string& reason) {
    return [=](flatbuffers::FlatBufferBuilder& b) {
        return shop::Createorder_cancelled(b, order, b.CreateString(reason));
    };
}

}  // namespace

TEST_CASE("an encoded event is decoded unchanged, with number and version of its table",
          "[codec]") {
    pawl::encoder encode;
    recording_sink sink;
    const auto placed = encode.append(sink, {.stream = 42}, [](flatbuffers::FlatBufferBuilder& b) {
        const auto note = b.CreateString("by hand");
        const shop::money price{12, 978};
        const auto line = shop::Createline(b, 5, &price);
        const auto lines = b.CreateVector(&line, 1);
        return shop::Createorder_placed(b, 1, 2, -3, 4, 5, 6, 7, note, lines);
    });
    REQUIRE(placed);
    CHECK(sink.header.type == 1);
    CHECK(sink.header.schema_version == 1);
    CHECK(sink.header.stream == 42);

    const auto order = pawl::decode<shop::order_placed>(sink.last());
    REQUIRE(order);
    CHECK((*order)->price() == -3);
    CHECK((*order)->note()->str() == "by hand");
    CHECK((*order)->tags() == nullptr);
    REQUIRE((*order)->lines()->size() == 1);
    CHECK((*order)->lines()->Get(0)->price()->units() == 12);
}

TEST_CASE("one encoder encodes many events of several types", "[codec]") {
    pawl::encoder encode{16};
    recording_sink sink;
    for (std::uint64_t i = 0; i < 100; ++i) {
        const std::string reason(i * 3, 'r');
        REQUIRE(encode.append(sink, {}, cancelled(i, reason)));
        const auto back = pawl::decode<shop::order_cancelled>(sink.last());
        REQUIRE(back);
        CHECK((*back)->order() == i);
        CHECK((*back)->reason()->str() == reason);
        REQUIRE(encode.append(sink, {}, [&](auto& b) { return shop::Createorder_paid(b, i); }));
        CHECK(pawl::view<shop::order_paid>(sink.last()).order() == i);
    }
}

TEST_CASE("a payload that decoding would refuse is not encoded", "[codec]") {
    pawl::encoder encode;
    recording_sink sink;

    SECTION("for its length") {
        const std::string reason(pawl::verify_limits{}.max_bytes, 'r');
        const auto refused = encode.append(sink, {}, cancelled(1, reason));
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == pawl::errc::too_large);
    }
    SECTION("for the number of its tables") {
        const auto with_lines = [](std::size_t count) {
            return [=](flatbuffers::FlatBufferBuilder& b) {
                std::vector<flatbuffers::Offset<shop::line>> lines;
                for (std::size_t i = 0; i < count; ++i)
                    lines.push_back(shop::Createline(b, i + 1));
                return shop::Createorder_placed(b, 1, 2, 3, 4, 5, 6, 7, 0, b.CreateVector(lines));
            };
        };
        REQUIRE(encode.append(sink, {}, with_lines(4095)));
        CHECK(pawl::decode<shop::order_placed>(sink.last()));
        const auto refused = encode.append(sink, {}, with_lines(4096));
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == pawl::errc::too_large);
    }
    SECTION("for its alignment, where no generated code tells of it") {
        const auto refused = encode.append(sink, {}, [](flatbuffers::FlatBufferBuilder& b) {
            b.ForceVectorAlignment(4, 1, 16);
            const auto reason = b.CreateString("four");
            return shop::Createorder_cancelled(b, 1, reason);
        });
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == pawl::errc::invalid_argument);
    }
    CHECK(sink.appended <= 1);
}
