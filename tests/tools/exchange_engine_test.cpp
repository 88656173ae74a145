#include "engine.hpp"
#include "exchange_support.hpp"

#include <catch2/catch.hpp>

using namespace exchange;
using namespace exchange::test;
using orders = std::vector<std::pair<order_id, std::uint32_t>>;

namespace {

reason why(const std::vector<any_event>& events) {
    REQUIRE(events.size() == 1);
    return std::get<rejected_data>(events.front()).why;
}

// Orders 1 and 2 sell 10 each at 101, order 3 sells 10 at 102.
exchange_state three_offers() {
    exchange_state s = engine::initial();
    (void)take(s, limit(side::sell, 101, 10));
    (void)take(s, limit(side::sell, 101, 10));
    (void)take(s, limit(side::sell, 102, 10));
    return s;
}

}  // namespace

TEST_CASE("an order that meets no other rests under the number of its command") {
    exchange_state s = engine::initial();
    const auto events = take(s, limit(side::buy, 100, 7));
    REQUIRE(events.size() == 1);
    CHECK(std::get<accepted_data>(events[0]).command == 1);
    CHECK(s.commands == 1);
    CHECK(queue(s.books[0], side::buy) == orders{{1, 7}});
}

TEST_CASE("a crossing order trades at the resting prices, best first and oldest first") {
    exchange_state s = three_offers();
    const auto events = take(s, limit(side::buy, 102, 25));
    REQUIRE(events.size() == 4);
    const std::vector<std::pair<order_id, std::int64_t>> expected{{1, 101}, {2, 101}, {3, 102}};
    for (std::size_t n = 0; n < expected.size(); ++n) {
        const auto& fill = std::get<filled_data>(events[n + 1]);
        CHECK(fill.maker == expected[n].first);
        CHECK(fill.price == expected[n].second);
        CHECK(fill.taker == 4);
        CHECK(fill.command == 4);
        CHECK(fill.quantity == (n < 2 ? 10u : 5u));
    }
    CHECK(queue(s.books[0], side::sell) == orders{{3, 5}});
    CHECK(queue(s.books[0], side::buy).empty());
    CHECK(s.fills == 3);
    CHECK(s.filled_quantity == 25);
}

TEST_CASE("the rest of a limit order that cannot trade within its limit rests in the book") {
    exchange_state s = three_offers();
    (void)take(s, limit(side::buy, 101, 30));
    CHECK(queue(s.books[0], side::buy) == orders{{4, 10}});
    CHECK(queue(s.books[0], side::sell) == orders{{3, 10}});
}

TEST_CASE("a selling order trades down to its limit and no further") {
    exchange_state s = engine::initial();
    (void)take(s, limit(side::buy, 100, 5));
    (void)take(s, limit(side::buy, 99, 5));
    (void)take(s, limit(side::buy, 98, 5));
    (void)take(s, limit(side::sell, 99, 20));
    CHECK(queue(s.books[0], side::buy) == orders{{3, 5}});
    CHECK(queue(s.books[0], side::sell) == orders{{4, 10}});
}

TEST_CASE("a market order never rests: its unfilled quantity is cancelled") {
    exchange_state s = three_offers();
    const auto events = take(s, market(side::buy, 50));
    REQUIRE(events.size() == 5);
    CHECK(std::get<cancelled_data>(events.back()).quantity == 20);
    CHECK(queue(s.books[0], side::buy).empty());
    CHECK(queue(s.books[0], side::sell).empty());

    const auto alone = take(s, market(side::sell, 3));
    REQUIRE(alone.size() == 2);
    CHECK(std::get<cancelled_data>(alone.back()).quantity == 3);
}

TEST_CASE("a cancelled order leaves the book") {
    exchange_state s = three_offers();
    const auto events = take(s, cancel(1));
    REQUIRE(events.size() == 1);
    CHECK(std::get<cancelled_data>(events[0]).quantity == 10);
    CHECK(queue(s.books[0], side::sell) == orders{{2, 10}, {3, 10}});
    CHECK(why(take(s, cancel(1))) == reason::unknown_order);
}

TEST_CASE("less quantity at the same price keeps an order's place, anything else does not") {
    exchange_state s = three_offers();
    (void)take(s, replace(1, 101, 4));
    CHECK(queue(s.books[0], side::sell) == orders{{1, 4}, {2, 10}, {3, 10}});
    (void)take(s, replace(1, 101, 5));
    CHECK(queue(s.books[0], side::sell) == orders{{2, 10}, {1, 5}, {3, 10}});
    (void)take(s, replace(2, 102, 10));
    CHECK(queue(s.books[0], side::sell) == orders{{1, 5}, {3, 10}, {2, 10}});
}

TEST_CASE("an order replaced across the spread trades under its old number") {
    exchange_state s = three_offers();
    (void)take(s, limit(side::buy, 100, 5));
    const auto events = take(s, replace(4, 101, 15));
    REQUIRE(events.size() == 3);
    CHECK(std::get<filled_data>(events[1]).taker == 4);
    CHECK(std::get<filled_data>(events[1]).command == 5);
    CHECK(queue(s.books[0], side::sell) == orders{{2, 5}, {3, 10}});
    CHECK(queue(s.books[0], side::buy).empty());
}

TEST_CASE("every kind of rejection is an event with its reason, and changes no book") {
    exchange_state s = three_offers();
    const auto price = [&](std::int64_t p) { return why(take(s, limit(side::buy, p, 1))); };
    const auto quantity = [&](std::uint32_t q) { return why(take(s, limit(side::buy, 50, q))); };
    CHECK(price(0) == reason::bad_price);
    CHECK(price(-5) == reason::bad_price);
    CHECK(price(engine::highest_price + 1) == reason::bad_price);
    CHECK(quantity(0) == reason::bad_quantity);
    CHECK(quantity(engine::largest_quantity + 1) == reason::bad_quantity);
    CHECK(why(take(s, market(side::buy, 0))) == reason::bad_quantity);
    CHECK(why(take(s, replace(1, 0, 1))) == reason::bad_price);
    CHECK(why(take(s, replace(1, 50, 0))) == reason::bad_quantity);
    CHECK(why(take(s, replace(77, 50, 1))) == reason::unknown_order);
    command elsewhere = cancel(1);
    elsewhere.instrument = 1;
    CHECK(why(take(s, elsewhere)) == reason::unknown_order);
    elsewhere.instrument = engine::instruments;
    CHECK(why(take(s, elsewhere)) == reason::unknown_instrument);
    CHECK(s.rejections == 11);
    CHECK(s.commands == 14);
    CHECK(queue(s.books[0], side::sell) == orders{{1, 10}, {2, 10}, {3, 10}});
    CHECK(queue(s.books[0], side::buy).empty());
}

TEST_CASE("instruments do not meet") {
    exchange_state s = three_offers();
    command other = limit(side::buy, 102, 5);
    other.instrument = 1;
    CHECK(take(s, other).size() == 1);
    CHECK(queue(s.books[1], side::buy) == orders{{4, 5}});
    CHECK(queue(s.books[0], side::sell).size() == 3);
}

TEST_CASE("an event that does not fit the books is an error, never passed over") {
    const exchange_state sound = three_offers();
    const auto misfit = [&](const auto& event) {
        exchange_state s = sound;
        const auto done = evolve_encoded(s, event);
        return !done && done.error().code == pawl::errc::malformed;
    };
    CHECK(misfit(accepted_data{.command = 4, .instrument = 99, .price = 5, .quantity = 1}));
    CHECK(misfit(accepted_data{.command = 3, .instrument = 0, .price = 5, .quantity = 1}));
    CHECK(misfit(accepted_data{.command = 4, .side = static_cast<side>(9), .quantity = 1}));
    CHECK(misfit(accepted_data{.command = 4, .price = 5, .quantity = 0}));
    CHECK(misfit(filled_data{.command = 4, .maker = 1, .taker = 50, .quantity = 1}));
    CHECK(misfit(filled_data{.command = 4, .maker = 1, .taker = 2, .quantity = 100}));
    CHECK(misfit(cancelled_data{.command = 4, .order = 50, .quantity = 1}));
    CHECK(misfit(replaced_data{.command = 4, .order = 50, .price = 1, .quantity = 1}));
    CHECK(
        misfit(cancelled_data{.command = 5, .order = 1, .quantity = 10}));  // a command is missing
    CHECK(misfit(rejected_data{.command = 2}));                             // one comes again

    exchange_state s = sound;
    CHECK(evolve_encoded(s, cancelled_data{.command = 4, .order = 1, .quantity = 10}));
}

TEST_CASE("each instrument has its stream, and rejections have none") {
    exchange_state s = three_offers();
    pawl::decision decided;
    command other = limit(side::buy, 102, 5);
    other.instrument = 3;
    engine::decide(other, s, decided);
    engine::decide(cancel(99), s, decided);
    REQUIRE_FALSE(decided.failure());
    REQUIRE(decided.size() == 2);
    CHECK(decided.header(0).stream == 4);
    CHECK(decided.header(1).stream == pawl::no_stream_id);
}
