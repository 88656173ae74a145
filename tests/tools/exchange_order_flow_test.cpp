#include "exchange_support.hpp"
#include "order_flow.hpp"
#include "state_bytes.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

using namespace exchange;
using namespace exchange::test;

namespace {

void run(exchange_state& s, std::uint64_t seed, std::uint64_t commands) {
    const order_flow flow{seed};
    while (s.commands < commands)
        (void)take(s, flow.next(s));
}

}  // namespace

TEST_CASE("the same seed gives the same books and another seed gives others") {
    exchange_state first = engine::initial();
    exchange_state second = engine::initial();
    exchange_state other = engine::initial();
    run(first, 1, 5'000);
    run(second, 1, 5'000);
    run(other, 2, 5'000);
    CHECK(fingerprint(first) == fingerprint(second));
    CHECK(fingerprint(first) != fingerprint(other));
}

TEST_CASE("a flow that continues from restored books sends what an uninterrupted one sends") {
    exchange_state uninterrupted = engine::initial();
    run(uninterrupted, 7, 20'000);
    for (const std::uint64_t stop : {1u, 777u, 12'345u}) {
        exchange_state before = engine::initial();
        run(before, 7, stop);
        auto after = from_bytes(to_bytes(before));
        REQUIRE(after);
        run(*after, 7, 20'000);
        CHECK(to_bytes(*after) == to_bytes(uninterrupted));
    }
}

TEST_CASE("the flow is frozen: seed 7 gives these books after 20,000 commands") {
    exchange_state s = engine::initial();
    run(s, 7, 20'000);
    CHECK(fingerprint(s) == 0xf07da78296022e2e);
}

TEST_CASE("the flow sends every kind of command and mistake, and keeps the books bounded") {
    exchange_state s = engine::initial();
    const order_flow flow{3};
    std::set<command::action> actions;
    std::set<reason> reasons;
    std::size_t most = 0;
    while (s.commands < 50'000) {
        const command c = flow.next(s);
        actions.insert(c.asks);
        for (const any_event& event : take(s, c))
            if (const auto* rejection = std::get_if<rejected_data>(&event))
                reasons.insert(rejection->why);
        for (const book& b : s.books)
            most = std::max({most, b.orders(side::buy), b.orders(side::sell)});
    }
    CHECK(actions.size() == 4);
    CHECK(reasons.size() == 4);
    CHECK(most <= order_flow::most_orders);
    CHECK(s.fills > 5'000);
}

TEST_CASE("no book is crossed after any command of the flow") {
    exchange_state s = engine::initial();
    const order_flow flow{11};
    while (s.commands < 20'000) {
        (void)take(s, flow.next(s));
        for (const book& b : s.books)
            if (b.best(side::buy) && b.best(side::sell))
                REQUIRE(b.best(side::buy)->price < b.best(side::sell)->price);
    }
}
