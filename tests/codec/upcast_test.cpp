#include "ledger_bfbs.hpp"
#include "ledger_events.hpp"
#include "recording_sink.hpp"
#include "shop_events.hpp"

#include <catch2/catch.hpp>

#include <pawl/codec/decoder.hpp>
#include <pawl/codec/encoder.hpp>
#include <pawl/codec/upcast_scenario.hpp>

#include <string>
#include <vector>

namespace {

// What a visitor was shown, in words.
struct listing {
    std::vector<std::string> seen;
    std::string stop_at{};

    pawl::result<void> add(std::string what, pawl::event_part part) {
        what += " #" + std::to_string(part.index);
        if (what == stop_at)
            return pawl::fail(pawl::errc::conflict, "stopped");
        seen.push_back(std::move(what));
        return {};
    }
    auto operator()(const ledger::account_opened& e, const pawl::typed_payload&,
                    pawl::event_part part) {
        return add("opened " + std::to_string(e.account()) + " in " + e.currency()->str(), part);
    }
    auto operator()(const ledger::booked& e, const pawl::typed_payload& from,
                    pawl::event_part part) {
        return add("booked " + std::to_string(e.cents()) + " on " + std::to_string(e.account()) +
                       " from version " + std::to_string(from.schema_version),
                   part);
    }
    auto operator()(const ledger::fee& e, const pawl::typed_payload&, pawl::event_part part) {
        return add("fee " + std::to_string(e.cents()), part);
    }
    void operator()(const ledger::audited& e) { seen.push_back("audited by " + e.by()->str()); }
};

template <class Build>
recording_sink recorded(Build&& build) {
    pawl::encoder encode;
    recording_sink sink;
    REQUIRE(encode.append(sink, {}, build));
    return sink;
}
recording_sink moved(int euros) {
    return recorded([&](auto& b) { return ledger::v1::Createmoved(b, 1, 2, euros); });
}

}  // namespace

TEST_CASE("an old event goes through every step to its newest shapes, numbered", "[codec]") {
    listing visitor;
    auto old = moved(3);
    REQUIRE(pawl::dispatch<ledger::events>(old.last(), visitor));
    CHECK(visitor.seen == std::vector<std::string>{"booked -300 on 1 from version 1 #0",
                                                   "fee 25 #1",
                                                   "booked 300 on 2 from version 1 #2"});
    // The same again: its numbers are stable.
    REQUIRE(pawl::dispatch<ledger::events>(old.last(), visitor));
    CHECK(visitor.seen.back() == "booked 300 on 2 from version 1 #2");
    CHECK(visitor.seen.size() == 6);
}

TEST_CASE("an event that starts later goes through the later steps", "[codec]") {
    listing visitor;
    auto second = recorded([](auto& b) { return ledger::v2::Createbooked(b, 4, 50, 1); });
    auto newest = recorded([](auto& b) { return ledger::Createbooked(b, 5, 60); });
    REQUIRE(pawl::dispatch<ledger::events>(second.last(), visitor));
    REQUIRE(pawl::dispatch<ledger::events>(newest.last(), visitor));
    CHECK(visitor.seen == std::vector<std::string>{"booked 50 on 4 from version 2 #0", "fee 1 #1",
                                                   "booked 60 on 5 from version 3 #0"});
}

TEST_CASE("an event in its newest shape is shown in place", "[codec]") {
    auto newest = recorded([](auto& b) { return ledger::Createbooked(b, 5, 60); });
    const std::byte* first = newest.payload().data();
    const std::byte* last = first + newest.bytes;
    struct in_place {
        const std::byte* first;
        const std::byte* last;
        int seen = 0;
        void operator()(const ledger::booked& e) {
            const auto* at = reinterpret_cast<const std::byte*>(&e);
            seen += at >= first && at < last ? 1 : 0;
        }
        void operator()(const ledger::account_opened&) {}
        void operator()(const ledger::fee&) {}
        void operator()(const ledger::audited&) {}
    } visitor{first, last};
    REQUIRE(pawl::dispatch<ledger::events>(newest.last(), visitor));
    CHECK(visitor.seen == 1);
}

TEST_CASE("events are renamed, dropped and retired", "[codec]") {
    pawl::upcast_scenario<ledger::events> old{ledger_bfbs()};
    auto holds = [](const pawl::verdict& verdict) {
        INFO(verdict.why);
        CHECK(verdict.holds);
    };
    holds(old.given([](auto& b) { return ledger::v1::Createopened(b, 7, b.CreateString("Ada")); })
              .then([](auto& b) {
                  const auto currency = b.CreateString("EUR");
                  return ledger::Createaccount_opened(b, 7, b.CreateString("Ada"), currency);
              }));
    holds(old.given([](auto& b) { return ledger::v1::Createaudited(b, b.CreateString("Bob")); })
              .then_dropped());
    holds(old.given([](auto& b) { return ledger::v1::Createnoise(b, 3); }).then_dropped());
    holds(old.given([](auto& b) { return ledger::v1::Createclosed(b, 9); }).then([](auto& b) {
        return ledger::Createbooked(b, 9, 0);
    }));
    holds(old.given(moved(1).last())
              .then([](auto& b) { return ledger::Createbooked(b, 1, -100); },
                    [](auto& b) { return ledger::Createfee(b, 1, 25); },
                    [](auto& b) { return ledger::Createbooked(b, 2, 100); }));
}

TEST_CASE("a scenario shows both sides as JSON where they differ", "[codec]") {
    pawl::upcast_scenario<ledger::events> old{ledger_bfbs()};
    const auto wrong =
        old.given([](auto& b) { return ledger::v2::Createbooked(b, 4, 50); }).then([](auto& b) {
            return ledger::Createbooked(b, 4, 51);
        });
    CHECK_FALSE(wrong.holds);
    CHECK(wrong.why ==
          "the old event became\n  ledger.booked: {\"account\":4,\"cents\":50}\n"
          "where it should become\n  ledger.booked: {\"account\":4,\"cents\":51}");
    CHECK_FALSE(old.given(moved(1).last()).then_dropped().holds);
    CHECK_FALSE(old.given(moved(-1).last()).then_dropped().holds);
}

TEST_CASE("dispatch returns the first failure of a step, and no event follows", "[codec]") {
    listing visitor{.seen = {}, .stop_at = "fee 25 #1"};
    const auto stopped = pawl::dispatch<ledger::events>(moved(3).last(), visitor);
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().detail == "stopped");
    CHECK(visitor.seen.size() == 1);

    const auto refused = pawl::dispatch<ledger::events>(moved(-3).last(), visitor);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().detail == "a negative sum was moved");
    CHECK(visitor.seen.size() == 1);

    auto damaged = moved(3);
    damaged.words[0] = ~std::uint64_t{0};
    const auto malformed = pawl::dispatch<ledger::events>(damaged.last(), visitor);
    REQUIRE_FALSE(malformed);
    CHECK(malformed.error().code == pawl::errc::malformed);

    auto unknown = moved(3);
    for (const int version : {0, 4}) {
        unknown.header.schema_version = static_cast<std::uint16_t>(version);
        const auto newer = pawl::dispatch<ledger::events>(unknown.last(), visitor);
        REQUIRE_FALSE(newer);
        CHECK(newer.error().code == pawl::errc::unknown_event);
    }
    CHECK(visitor.seen.size() == 1);
}

TEST_CASE("a decoder fails on what it does not know, or skips and counts it, as it was told",
          "[codec]") {
    listing visitor;
    pawl::decoder<ledger::events> strict{pawl::unknown_events::fail};
    pawl::decoder<ledger::events> lenient{pawl::unknown_events::skip};
    auto stranger = moved(3);
    stranger.header.type = 77;
    auto newer = moved(3);
    newer.header.schema_version = 4;
    for (recording_sink* one : {&stranger, &newer}) {
        CHECK_FALSE(strict(one->last(), visitor));
        CHECK(lenient(one->last(), visitor));
    }
    CHECK(strict.skipped() == 0);
    CHECK(lenient.skipped() == 2);
    CHECK(visitor.seen.empty());
    // What is known and broken is not skipped.
    auto damaged = moved(3);
    damaged.words[0] = ~std::uint64_t{0};
    CHECK_FALSE(lenient(damaged.last(), visitor));
    REQUIRE(lenient(moved(3).last(), visitor));
    CHECK(visitor.seen.size() == 3);
    CHECK(lenient.skipped() == 2);
}

// Histories that do not compile in a dispatch: one without a step, one with a gap.
template <>
struct pawl::history<shop::chain> {
    using versions = pawl::versions<ledger::v1::opened, ledger::account_opened>;
    static void step(const ledger::v1::opened&, upcast_to<ledger::account_opened>) {}
};

TEST_CASE("a history without a step from each version, or with a gap, is no history", "[codec]") {
    using complete = pawl::history<ledger::booked>::versions;
    STATIC_REQUIRE(pawl::detail::has_every_step<ledger::booked>(complete{}));
    STATIC_REQUIRE(pawl::detail::count_up_to<ledger::booked>(complete{}));
    using broken = pawl::history<shop::chain>::versions;
    STATIC_REQUIRE_FALSE(pawl::detail::has_every_step<shop::chain>(broken{}));
    STATIC_REQUIRE_FALSE(pawl::detail::count_up_to<shop::chain>(broken{}));
    STATIC_REQUIRE_FALSE(
        pawl::detail::count_up_to<ledger::booked>(pawl::versions<ledger::v2::booked>{}));
    STATIC_REQUIRE_FALSE(
        pawl::detail::count_up_to<ledger::booked>(pawl::versions<ledger::v1::moved>{}));
    // A type without a history has none of this.
    STATIC_REQUIRE_FALSE(pawl::detail::has_versions<ledger::fee>);
    STATIC_REQUIRE_FALSE(pawl::detail::is_retired<ledger::fee>);
    STATIC_REQUIRE(pawl::detail::is_retired<ledger::v1::noise>);
}
