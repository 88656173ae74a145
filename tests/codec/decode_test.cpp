#include "recording_sink.hpp"
#include "shop_events.hpp"

#include <catch2/catch.hpp>

#include <pawl/codec/decode.hpp>
#include <pawl/codec/encoder.hpp>

#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace {

recording_sink placed_order() {
    pawl::encoder encode;
    recording_sink sink;
    REQUIRE(encode.append(sink, {}, [](flatbuffers::FlatBufferBuilder& b) {
        const auto note = b.CreateString("a note");
        const shop::money price{12, 978};
        std::vector<flatbuffers::Offset<shop::line>> lines;
        for (std::uint64_t i = 1; i < 4; ++i)
            lines.push_back(shop::Createline(b, i, &price, b.CreateString("a line's note")));
        const auto all = b.CreateVector(lines);
        const auto tags = b.CreateVectorOfStrings({"red", "green", "blue"});
        return shop::Createorder_placed(b, 1, 2, 3, 4, 5, 6, 7, note, all, tags);
    }));
    return sink;
}

// Reads every field, so that a sanitizer checks each address.
std::uint64_t read_all(const shop::order_placed& order) {
    std::uint64_t sum = order.order() + order.customer() + order.quantity() + order.flags();
    const auto add = [&](const flatbuffers::String* text) {
        if (text != nullptr)
            for (const char c : *text)
                sum += static_cast<unsigned char>(c);
    };
    add(order.note());
    if (order.lines() != nullptr)
        for (const shop::line* line : *order.lines()) {
            sum += line->item();
            if (line->price() != nullptr)
                sum += line->price()->currency();
            add(line->note());
        }
    if (order.tags() != nullptr)
        for (const flatbuffers::String* tag : *order.tags())
            add(tag);
    return sum;
}

recording_sink chain_of(int tables) {
    flatbuffers::FlatBufferBuilder b;
    flatbuffers::Offset<shop::chain> next;
    for (int i = 0; i < tables; ++i)
        next = shop::Createchain(b, i + 1, next);
    b.Finish(next);
    recording_sink sink;
    static_cast<void>(sink.append(pawl::header_of<shop::chain>({}),
                                  std::as_bytes(std::span{b.GetBufferPointer(), b.GetSize()})));
    return sink;
}

}  // namespace

TEST_CASE("an event of another type or schema version is unknown, not malformed", "[codec]") {
    recording_sink sink = placed_order();
    auto payload = sink.last();
    CHECK(pawl::is<shop::order_placed>(payload));
    CHECK_FALSE(pawl::is<shop::order_paid>(payload));

    auto other = pawl::decode<shop::order_paid>(payload);
    REQUIRE_FALSE(other);
    CHECK(other.error().code == pawl::errc::unknown_event);

    payload.schema_version = 2;
    auto newer = pawl::decode<shop::order_placed>(payload);
    REQUIRE_FALSE(newer);
    CHECK(newer.error().code == pawl::errc::unknown_event);
    CHECK(newer.error().detail.find("schema version 2") != std::string::npos);
}

TEST_CASE("a payload that is cut short anywhere is malformed", "[codec]") {
    recording_sink sink = placed_order();
    auto payload = sink.last();
    const auto whole = payload.bytes;
    std::size_t accepted = 0;
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
        payload.bytes = whole.first(bytes);
        const auto decoded = pawl::decode<shop::order_placed>(payload);
        accepted += decoded || decoded.error().code != pawl::errc::malformed ? 1 : 0;
    }
    // FlatBuffers ends in the padding and the terminating zero of its last string.
    CHECK(accepted <= 8);
    payload.bytes = whole.first(whole.size() / 2);
    CHECK_FALSE(pawl::decode<shop::order_placed>(payload));
}

TEST_CASE("a payload with wrong bytes is refused or safe to read", "[codec]") {
    recording_sink sink = placed_order();
    std::mt19937_64 random{4};
    std::size_t refused = 0;
    std::uint64_t sum = 0;
    constexpr int trials = 200'000;
    for (int i = 0; i < trials; ++i) {
        recording_sink bad = sink;
        const auto bytes = bad.payload();
        for (std::uint64_t n = random() % 4 + 1; n > 0; --n)
            bytes[random() % bytes.size()] =
                static_cast<std::byte>(random() % 8 == 0 ? 0xff : random());
        if (const auto decoded = pawl::decode<shop::order_placed>(bad.last()))
            sum += read_all(**decoded);
        else
            ++refused;
    }
    CHECK(refused > trials / 4);
    CHECK(refused < trials);
    CHECK(sum != 0);
}

TEST_CASE("a payload that does not start at a multiple of 8 is refused", "[codec]") {
    recording_sink sink = placed_order();
    std::vector<std::uint64_t> words(sink.words.size() + 1);
    const auto moved = std::as_writable_bytes(std::span{words}).subspan(4, sink.bytes);
    std::memcpy(moved.data(), sink.words.data(), sink.bytes);
    CHECK_FALSE(pawl::verify_payload<shop::order_placed>(moved));
    CHECK(pawl::verify_payload<shop::order_placed>(sink.payload()));
}

TEST_CASE("tables nest as deep and are as many as the limits allow", "[codec]") {
    CHECK(pawl::decode<shop::chain>(chain_of(8).last()));
    auto deep = pawl::decode<shop::chain>(chain_of(9).last());
    REQUIRE_FALSE(deep);
    CHECK(deep.error().code == pawl::errc::malformed);
}

TEST_CASE("a payload longer than its table allows is refused before it is verified", "[codec]") {
    std::vector<std::uint64_t> words(4096 / 8 + 1);
    const auto bytes = std::as_bytes(std::span{words});
    CHECK_FALSE(pawl::verify_payload<shop::chain>(bytes));
}

TEST_CASE("tables that are shared do not multiply the work", "[codec]") {
    // 256 references to one line: fewer tables than there are bytes for, visited more often.
    flatbuffers::FlatBufferBuilder b;
    const auto line = shop::Createline(b, 1);
    const std::vector<flatbuffers::Offset<shop::line>> lines(256, line);
    b.Finish(shop::Createorder_placed(b, 1, 2, 3, 4, 5, 6, 7, 0, b.CreateVector(lines)));
    recording_sink sink;
    REQUIRE(sink.append(pawl::header_of<shop::order_placed>({}),
                        std::as_bytes(std::span{b.GetBufferPointer(), b.GetSize()})));
    CHECK_FALSE(pawl::decode<shop::order_placed>(sink.last()));
}
