#include "shop_events.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/codec/decode.hpp>
#include <pawl/codec/encoder.hpp>
#include <pawl/codec/in_place.hpp>
#include <pawl/journal/cursor.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace {

pawl::writer open_writer(const pawl::test::temporary_directory& directory) {
    auto log = pawl::writer::open(directory.path(),
                                  {.segment_bytes = 64 << 10, .sync = pawl::sync_policy::manual()});
    REQUIRE(log);
    return std::move(*log);
}

auto cancelled(std::uint64_t order, std::size_t reason_bytes) {
    return [=](flatbuffers::FlatBufferBuilder& b) {
        return shop::Createorder_cancelled(b, order,
                                           b.CreateString(std::string(reason_bytes, 'r')));
    };
}

}  // namespace

TEST_CASE("an event built in place is the one that is appended", "[codec]") {
    pawl::test::temporary_directory directory;
    auto log = open_writer(directory);
    pawl::encoder encode;
    // Ample space, space for the payload but not for the builder's bookkeeping, and exactly the
    // payload's length.
    constexpr std::uint64_t events = 600;
    for (std::uint64_t i = 0; i < events; i += 2) {
        REQUIRE(encode.append(log, {.stream = 1}, cancelled(i / 2 + 1, i)));
        const auto exact = encode.encode(cancelled(i / 2 + 1, i))->bytes.size();
        const auto placed =
            pawl::append_in_place(log, {.stream = 1}, exact + i % 100, cancelled(i / 2 + 1, i));
        REQUIRE(placed);
        CHECK(placed->version == i + 2);
    }
    CHECK(log.statistics().rollovers > 1);

    auto read = pawl::cursor::open(directory.path(), {});
    REQUIRE(read);
    std::uint64_t count = 0;
    REQUIRE(read->for_each([&](const pawl::event& e) -> pawl::result<void> {
        const auto decoded = pawl::decode<shop::order_cancelled>(e);
        if (!decoded)
            return std::unexpected(decoded.error());
        CHECK((*decoded)->order() == count / 2 + 1);
        CHECK((*decoded)->reason()->size() == count / 2 * 2);
        ++count;
        return {};
    }));
    CHECK(count == events);
}

TEST_CASE("an event too long for its reservation is not appended, and the next one is", "[codec]") {
    pawl::test::temporary_directory directory;
    auto log = open_writer(directory);
    const auto refused = pawl::append_in_place(log, {}, 64, cancelled(1, 200));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == pawl::errc::too_large);
    CHECK(log.next_sequence() == 0);
    for (const std::size_t room : {0, 1, 7})
        CHECK_FALSE(pawl::append_in_place(log, {}, room, cancelled(1, 1)));
    REQUIRE(pawl::append_in_place(log, {}, 64, cancelled(1, 1)));
    CHECK(log.next_sequence() == 1);
}

TEST_CASE("events are built in place within a batch", "[codec]") {
    pawl::test::temporary_directory directory;
    auto log = open_writer(directory);
    auto batch = log.begin_batch(3, 3 * 128);
    REQUIRE(batch);
    for (std::uint64_t i = 1; i <= 3; ++i)
        REQUIRE(pawl::append_in_place(*batch, {.stream = 9}, 128, cancelled(i, 20)));
    REQUIRE(batch->commit());

    auto read = pawl::cursor::open(directory.path(), {});
    REQUIRE(read);
    std::uint64_t count = 0;
    while (const pawl::event* e = read->next()) {
        REQUIRE(pawl::decode<shop::order_cancelled>(*e));
        CHECK(pawl::view<shop::order_cancelled>(*e).order() == ++count);
    }
    CHECK(count == 3);
}

TEST_CASE("the error for an event of another type names its place", "[codec]") {
    pawl::test::temporary_directory directory;
    auto log = open_writer(directory);
    pawl::encoder encode;
    REQUIRE(encode.append(log, {}, cancelled(1, 20)));
    const auto second = encode.append(log, {}, cancelled(2, 20));
    REQUIRE(second);
    auto read = pawl::cursor::open(directory.path(), {.from = pawl::from_sequence{1}});
    REQUIRE(read);
    const pawl::event* e = read->next();
    REQUIRE(e != nullptr);
    const auto wrong = pawl::decode<shop::order_paid>(*e);
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code == pawl::errc::unknown_event);
    CHECK(wrong.error().sequence == 1);
    CHECK(wrong.error().offset == second->position.offset);
    CHECK(wrong.error().file == "0000000000.seg");
}
