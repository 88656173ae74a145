// Limits at n - 1, n and n + 1: a payload can be encoded exactly if it can be decoded.
#include "recording_sink.hpp"
#include "shop_events.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/codec/decode.hpp>
#include <pawl/codec/encoder.hpp>
#include <pawl/codec/in_place.hpp>
#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>

#include <initializer_list>
#include <string>
#include <vector>

namespace {

auto cancelled(std::uint64_t order, std::size_t reason_bytes) {
    return [=](flatbuffers::FlatBufferBuilder& b) {
        return shop::Createorder_cancelled(b, order,
                                           b.CreateString(std::string(reason_bytes, 'r')));
    };
}

// Of a payload whose string is so long that it has exactly so many bytes, if one has.
[[nodiscard]] std::size_t reason_for(std::size_t payload_bytes) {
    pawl::encoder encode;
    const std::size_t empty = encode.encode(cancelled(1, 0))->bytes.size();
    std::size_t reason = payload_bytes - empty;
    while (encode.encode(cancelled(1, reason)) &&
           encode.encode(cancelled(1, reason))->bytes.size() < payload_bytes)
        ++reason;
    return reason;
}

}  // namespace

TEST_CASE("a payload of exactly the most bytes is encoded, appended and decoded", "[codec]") {
    constexpr std::size_t most = pawl::verify_limits{}.max_bytes;
    pawl::test::temporary_directory directory;
    auto log = pawl::writer::open(directory.path(),
                                  {.segment_bytes = 4 << 20, .sync = pawl::sync_policy::manual()});
    REQUIRE(log);
    pawl::encoder encode;
    const std::size_t reason = reason_for(most);
    // A FlatBuffer's size moves in steps of its alignment; the last step that fits ends at `most`.
    CHECK(encode.encode(cancelled(1, reason))->bytes.size() == most);
    CHECK(encode.append(*log, {}, cancelled(1, reason)));
    CHECK(pawl::append_in_place(*log, {}, most, cancelled(2, reason)));
    std::size_t longer = reason + 1;
    auto refused = encode.append(*log, {}, cancelled(3, longer));
    while (refused && ++longer < reason + 9)
        refused = encode.append(*log, {}, cancelled(3, longer));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == pawl::errc::too_large);
    CHECK_FALSE(pawl::append_in_place(*log, {}, most + 8, cancelled(3, longer)));
    const auto events = log->next_sequence();
    REQUIRE(log->close());

    auto read = pawl::cursor::open(directory.path(), {});
    REQUIRE(read);
    std::uint64_t decoded = 0;
    while (const pawl::event* e = read->next())
        decoded += pawl::decode<shop::order_cancelled>(*e) ? 1 : 0;
    CHECK(decoded == events);
}

TEST_CASE("an event of an older schema version is not read as the table's own", "[codec]") {
    pawl::encoder encode;
    recording_sink sink;
    REQUIRE(encode.append(sink, {}, [](auto& b) { return shop::Createorder_paid(b, 7); }));
    auto payload = sink.last();
    const auto own = payload.schema_version;
    REQUIRE(own == 3);
    for (const std::uint16_t version : std::initializer_list<std::uint16_t>{0, 1, 2, 4, 65535}) {
        INFO("version " << version);
        payload.schema_version = version;
        CHECK_FALSE(pawl::is<shop::order_paid>(payload));
        const auto decoded = pawl::decode<shop::order_paid>(payload);
        REQUIRE_FALSE(decoded);
        CHECK(decoded.error().code == pawl::errc::unknown_event);
    }
    payload.schema_version = own;
    CHECK(pawl::decode<shop::order_paid>(payload));
    for (const std::uint16_t type : std::initializer_list<std::uint16_t>{0, 1, 3, 65535}) {
        payload.type = type;
        CHECK_FALSE(pawl::is<shop::order_paid>(payload));
    }
}

// A payload larger than its reservation must not be moved into it: the space of the end frame, the
// next frame or the end of the mapping follows.
TEST_CASE("a payload longer than its reservation does not change the bytes after it", "[codec]") {
    pawl::test::temporary_directory directory;
    constexpr std::size_t segment_bytes = 64 << 10;
    auto log = pawl::writer::open(directory.path(), {.segment_bytes = segment_bytes,
                                                     .sync = pawl::sync_policy::manual(),
                                                     .clock_report_interval_s = 0});
    REQUIRE(log);
    pawl::encoder encode;
    const std::size_t small = encode.encode(cancelled(1, 40))->bytes.size();
    constexpr std::size_t header = 56;
    constexpr std::size_t end_frame = 96;
    // The reservation ends where the space for the end frame begins.
    const std::size_t used = segment_bytes - 8192 - end_frame - header - small;
    REQUIRE(log->append({.type = 9}, std::vector<std::byte>(used - header)));
    for (const std::size_t reason : {48, 49, 200, 5000, 60'000}) {
        INFO(reason << " bytes");
        const auto refused = pawl::append_in_place(*log, {}, small, cancelled(1, reason));
        REQUIRE(encode.encode(cancelled(1, reason))->bytes.size() > small);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code == pawl::errc::too_large);
    }
    CHECK(log->next_sequence() == 1);
    const auto placed = pawl::append_in_place(*log, {}, small, cancelled(1, 40));
    REQUIRE(placed);
    CHECK(placed->position.offset + header + small == segment_bytes - end_frame);
    REQUIRE(log->append({.type = 9}, {}));
    CHECK(log->statistics().rollovers == 1);
    REQUIRE(log->close());
    const auto report = pawl::verify(directory.path());
    REQUIRE(report);
    CHECK(report->findings.empty());
    CHECK(report->events == 3);
}
