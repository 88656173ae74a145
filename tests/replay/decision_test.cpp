#include "bank.hpp"

#include <catch2/catch.hpp>

#include <pawl/codec/decode.hpp>
#include <pawl/replay/decision.hpp>

namespace {

auto deposited(std::int64_t amount) {
    return [=](auto& b) { return bank::Createdeposited(b, 7, amount); };
}

}  // namespace

TEST_CASE("a decision keeps its events with type, version and stream", "[replay]") {
    pawl::decision events;
    CHECK(events.empty());
    events.append({.stream = 7}, deposited(10));
    events.append({.stream = 8, .expected = pawl::expect::exactly(2)}, [](auto& b) {
        return bank::Createrenamed(b, 7, b.CreateString("a name that takes some bytes"));
    });
    CHECK_FALSE(events.failure());
    REQUIRE(events.size() == 2);
    CHECK(events.header(0).type == 1);
    CHECK(events.header(0).stream == 7);
    CHECK(events.header(1).type == 3);
    CHECK(events.header(1).expected.admits(2));
    CHECK_FALSE(events.header(1).expected.admits(1));

    const auto first = pawl::decode<bank::deposited>(events.payload(0));
    REQUIRE(first);
    CHECK((*first)->amount() == 10);
    const auto second = pawl::decode<bank::renamed>(events.payload(1));
    REQUIRE(second);
    CHECK((*second)->name()->str() == "a name that takes some bytes");

    events.clear();
    CHECK(events.empty());
}

TEST_CASE("a decision has as many events and bytes as its limits say", "[replay]") {
    pawl::decision two{{.events = 2}};
    two.append({}, deposited(1));
    two.append({}, deposited(2));
    CHECK_FALSE(two.failure());
    two.append({}, deposited(3));
    REQUIRE(two.failure());
    CHECK(two.failure()->code == pawl::errc::too_large);
    CHECK(two.size() == 2);

    pawl::decision tiny{{.bytes = 40}};
    tiny.append({}, deposited(1));
    CHECK_FALSE(tiny.failure());
    tiny.append({}, deposited(2));
    REQUIRE(tiny.failure());
    CHECK(tiny.failure()->code == pawl::errc::too_large);
    CHECK(tiny.size() == 1);

    tiny.clear();
    CHECK_FALSE(tiny.failure());
}

TEST_CASE("a decision that failed keeps its first error and takes no more events", "[replay]") {
    pawl::decision tiny{{.events = 1}};
    tiny.append({}, deposited(1));
    tiny.append({}, deposited(2));
    REQUIRE(tiny.failure());
    const std::string first = tiny.failure()->message();
    CHECK(first.starts_with("too_large: size 2, limit 1: "));
    tiny.append({}, [](auto& b) { return bank::Createclosed(b, 7); });
    CHECK(tiny.size() == 1);
    CHECK(tiny.failure()->message() == first);
}
