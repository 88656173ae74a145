#include "engine.hpp"
#include "exchange_support.hpp"
#include "state_bytes.hpp"

#include <catch2/catch.hpp>
#include <events_bfbs.hpp>

#include <pawl/replay/scenario.hpp>

using namespace exchange;
using namespace exchange::test;
using orders = std::vector<std::pair<order_id, std::uint32_t>>;

namespace {

reason why(const taken& done) {
    REQUIRE(done.refused);
    REQUIRE(done.events.empty());
    return *done.refused;
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
    CHECK(s.sessions[0] == 1);
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
    CHECK(why(send(s, cancel(1))) == reason::unknown_order);
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

TEST_CASE("a refusal has its reason and changes nothing") {
    exchange_state s = three_offers();
    const auto before = to_bytes(s);
    const auto price = [&](std::int64_t p) { return why(send(s, limit(side::buy, p, 1))); };
    const auto quantity = [&](std::uint32_t q) { return why(send(s, limit(side::buy, 50, q))); };
    CHECK(price(0) == reason::bad_price);
    CHECK(price(-5) == reason::bad_price);
    CHECK(price(engine::highest_price + 1) == reason::bad_price);
    CHECK(quantity(0) == reason::bad_quantity);
    CHECK(quantity(engine::largest_quantity + 1) == reason::bad_quantity);
    CHECK(why(send(s, market(side::buy, 0))) == reason::bad_quantity);
    CHECK(why(send(s, replace(1, 0, 1))) == reason::bad_price);
    CHECK(why(send(s, replace(1, 50, 0))) == reason::bad_quantity);
    CHECK(why(send(s, replace(77, 50, 1))) == reason::unknown_order);
    CHECK(why(send(s, bust(1))) == reason::unknown_trade);
    CHECK(why(send(s, by(engine::accounts, limit(side::buy, 50, 1)))) == reason::unknown_account);
    command elsewhere = cancel(1);
    elsewhere.instrument = 1;
    CHECK(why(send(s, elsewhere)) == reason::unknown_order);
    elsewhere.instrument = engine::instruments;
    CHECK(why(send(s, elsewhere)) == reason::unknown_instrument);
    command other = limit(side::buy, 50, 1);
    other.id = command_id(engine::sessions, 1);
    CHECK(why(send(s, other)) == reason::unknown_session);
    CHECK(to_bytes(s) == before);
}

TEST_CASE("each session numbers its commands upwards, and one that comes again is refused") {
    exchange_state s = engine::initial();
    const auto numbered = [&](session_id session, std::uint64_t number) {
        command c = limit(side::buy, 50, 1);
        c.id = command_id(session, number);
        return send(s, c);
    };
    CHECK_FALSE(numbered(3, 7).refused);
    CHECK(why(numbered(3, 7)) == reason::out_of_sequence);
    CHECK(why(numbered(3, 6)) == reason::out_of_sequence);
    CHECK_FALSE(numbered(2, 1).refused);
    CHECK_FALSE(numbered(3, 9).refused);  // what was number 8 was refused
    CHECK(s.sessions[3] == 9);
    CHECK(s.commands() == 10);
    CHECK(queue(s.books[0], side::buy).front().first == 3'000'000'000'007);
}

TEST_CASE("an account's credit spans the instruments") {
    exchange_state s = engine::initial();
    constexpr std::int64_t half = engine::credit / 2;
    const auto in = [](std::uint16_t instrument, command c) {
        c.instrument = instrument;
        return c;
    };
    CHECK_FALSE(send(s, in(0, limit(side::buy, half, 1))).refused);
    CHECK_FALSE(send(s, in(1, limit(side::buy, half, 1))).refused);
    CHECK(why(send(s, in(2, limit(side::buy, 1, 1)))) == reason::over_credit);
    CHECK_FALSE(send(s, in(2, by(1, limit(side::buy, 1, 1)))).refused);
    CHECK_FALSE(send(s, in(2, limit(side::sell, half, 2))).refused);
    CHECK(why(send(s, in(3, limit(side::sell, 1, 1)))) == reason::over_credit);
    // A cancelled order frees what it could have cost.
    CHECK_FALSE(send(s, cancel(1)).refused);
    CHECK_FALSE(send(s, in(3, limit(side::buy, half, 1))).refused);
    CHECK(why(send(s, in(3, limit(side::buy, 1, 1)))) == reason::over_credit);
}

TEST_CASE("what an order trades at once counts at the price that it trades at") {
    exchange_state s = engine::initial();
    constexpr std::int64_t half = engine::credit / 2;
    REQUIRE_FALSE(send(s, by(1, limit(side::sell, half, 1))).refused);
    REQUIRE_FALSE(send(s, by(1, limit(side::sell, half, 1))).refused);
    CHECK(why(send(s, by(2, limit(side::buy, half + 1, 3)))) == reason::over_credit);
    CHECK_FALSE(send(s, by(2, limit(side::buy, half + 1, 2))).refused);
    CHECK(s.accounts[2].balance == -engine::credit);
    CHECK(s.accounts[1].balance == engine::credit);
    CHECK(s.accounts[1].open[1] == 0);
    CHECK(why(send(s, by(2, limit(side::buy, 1, 1)))) == reason::over_credit);
    // A market order that finds nothing to trade costs nothing.
    CHECK_FALSE(send(s, by(2, market(side::buy, 5))).refused);
    CHECK_FALSE(send(s, by(2, limit(side::sell, 7, 1))).refused);
}

TEST_CASE("a replaced order may cost more only within the credit, and always less") {
    exchange_state s = engine::initial();
    constexpr std::int64_t half = engine::credit / 2;
    (void)take(s, limit(side::buy, half, 1));
    CHECK(why(send(s, replace(1, half, 3))) == reason::over_credit);
    CHECK_FALSE(send(s, replace(1, half, 2)).refused);
    CHECK(why(send(s, replace(1, half + 1, 2))) == reason::over_credit);
    CHECK_FALSE(send(s, replace(1, half - 1, 2)).refused);
    CHECK(s.accounts[0].open[0] == engine::credit - 2);
}

TEST_CASE("a busted trade leaves the accounts as if it had not been") {
    exchange_state s = engine::initial();
    (void)take(s, by(1, limit(side::sell, 101, 10)));
    (void)take(s, by(2, limit(side::buy, 105, 4)));
    (void)take(s, by(3, limit(side::buy, 101, 6)));
    CHECK(s.accounts[1].balance == 1010);
    CHECK(s.accounts[2].balance == -404);

    const auto events = take(s, bust(2));
    REQUIRE(events.size() == 1);
    const auto& undone = std::get<busted_data>(events[0]);
    CHECK(undone.trade == 1);
    CHECK(undone.quantity == 4);
    CHECK(s.accounts[1].balance == 606);
    CHECK(s.accounts[2].balance == 0);
    CHECK(s.accounts[3].balance == -606);
    CHECK(s.busts == 1);
    CHECK(s.filled_quantity == 6);
    // The orders stay filled, and a trade is busted once.
    CHECK(queue(s.books[0], side::sell).empty());
    CHECK(why(send(s, bust(2))) == reason::unknown_trade);
    // Of an order with several trades it is the newest that was not busted yet.
    CHECK_FALSE(send(s, bust(1)).refused);
    CHECK(s.accounts[1].balance == 0);
    CHECK(why(send(s, bust(1))) == reason::unknown_trade);
}

TEST_CASE("a trade can be busted while it is among the newest of its instrument") {
    exchange_state s = engine::initial();
    const auto trade_once = [&](std::uint16_t instrument) {
        command maker = by(1, limit(side::sell, 100, 1));
        command taker = by(2, limit(side::buy, 100, 1));
        maker.instrument = taker.instrument = instrument;
        (void)take(s, maker);
        const order_id id = s.sessions[0];
        (void)take(s, taker);
        return id;
    };
    const order_id oldest = trade_once(0);
    const order_id second = trade_once(0);
    for (std::size_t n = 2; n < tape::most_trades; ++n)
        (void)trade_once(0);
    (void)trade_once(1);
    exchange_state full = s;
    CHECK_FALSE(send(full, bust(oldest)).refused);
    (void)trade_once(0);
    CHECK(why(send(s, bust(oldest))) == reason::unknown_trade);
    CHECK_FALSE(send(s, bust(second)).refused);
}

TEST_CASE("scenario: a trade is busted by an event that undoes it") {
    const auto sold = [](auto& b) {
        return Createaccepted(b, 1, 0, side::sell, false, 101, 10, 4);
    };
    const auto bought = [](auto& b) {
        return Createaccepted(b, 2, 0, side::buy, false, 101, 3, 5);
    };
    const auto traded = [](auto& b) {
        return Createfilled(b, 2, 1, 2, 0, side::buy, 101, 3, 1, 4, 5);
    };
    pawl::scenario<engine> busts{{}, events_bfbs()};
    busts.given(pawl::on(1, sold), pawl::on(1, bought), pawl::on(1, traded));
    command asked = bust(2);
    asked.id = 3;
    const auto verdict = busts.when(asked).then(pawl::on(1, [](auto& b) {
        const busted_data undone{.command = 3,
                                 .trade = 1,
                                 .maker = 1,
                                 .taker = 2,
                                 .side = side::buy,
                                 .price = 101,
                                 .quantity = 3,
                                 .maker_account = 4,
                                 .taker_account = 5};
        return busted::Pack(b, &undone);
    }));
    INFO(verdict.why);
    CHECK(verdict.holds);
    CHECK(busts.state().accounts[4].balance == 0);
    CHECK(busts.state().accounts[5].balance == 0);
    asked.id = 4;
    CHECK(busts.when(asked).then_refused(reason::unknown_trade).holds);
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
    CHECK(misfit(accepted_data{.command = 4, .price = 0, .quantity = 1}));
    CHECK(misfit(accepted_data{.command = 4, .price = 5, .quantity = 1, .account = 32}));
    CHECK(misfit(accepted_data{.command = 8'000'000'000'001, .price = 5, .quantity = 1}));
    CHECK(misfit(accepted_data{.command = 4, .side = static_cast<side>(9), .quantity = 1}));
    CHECK(misfit(accepted_data{.command = 4, .price = 5, .quantity = 0}));
    CHECK(misfit(filled_data{.command = 4, .maker = 1, .taker = 50, .quantity = 1}));
    CHECK(misfit(filled_data{.command = 4, .maker = 1, .taker = 2, .quantity = 100}));
    CHECK(misfit(cancelled_data{.command = 4, .order = 50, .quantity = 1}));
    CHECK(misfit(replaced_data{.command = 4, .order = 50, .price = 1, .quantity = 1}));
    CHECK(misfit(cancelled_data{.command = 2, .order = 1, .quantity = 10}));  // out of sequence
    CHECK(misfit(rejected_data{.command = 2}));
    CHECK(misfit(busted_data{.command = 4, .trade = 1, .price = 101, .quantity = 1}));

    exchange_state s = sound;
    CHECK(evolve_encoded(s, cancelled_data{.command = 4, .order = 1, .quantity = 10}));
}

TEST_CASE("a trade with a number that is not the next, or for other accounts, does not fit") {
    exchange_state sound = three_offers();
    (void)take(sound, by(3, limit(side::buy, 100, 10)));
    const auto fits = [&](std::uint64_t trade, account_id maker, account_id taker) {
        exchange_state s = sound;
        return evolve_encoded(s, filled_data{.command = 4,
                                             .maker = 1,
                                             .taker = 4,
                                             .side = side::buy,
                                             .price = 101,
                                             .quantity = 1,
                                             .trade = trade,
                                             .maker_account = maker,
                                             .taker_account = taker})
            .has_value();
    };
    CHECK(fits(1, 0, 3));
    CHECK(fits(0, 0, 3));  // of a version that did not number them
    CHECK_FALSE(fits(2, 0, 3));
    CHECK_FALSE(fits(1, 1, 3));
    CHECK_FALSE(fits(1, 0, 0));
}

TEST_CASE("each instrument has its stream") {
    exchange_state s = three_offers();
    pawl::decision decided;
    command other = limit(side::buy, 102, 5);
    other.id = 4;
    other.instrument = 3;
    REQUIRE(engine::decide(other, s, decided));
    REQUIRE_FALSE(decided.failure());
    REQUIRE(decided.size() == 1);
    CHECK(decided.header(0).stream == 4);
}
