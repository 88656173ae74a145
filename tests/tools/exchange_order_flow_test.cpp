#include "exchange_support.hpp"
#include "order_flow.hpp"
#include "state_bytes.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

using namespace exchange;
using namespace exchange::test;

TEST_CASE("the same seed gives the same books and another seed gives others") {
    exchange_state first = engine::initial();
    exchange_state second = engine::initial();
    exchange_state other = engine::initial();
    play(first, 1, 5'000);
    play(second, 1, 5'000);
    play(other, 2, 5'000);
    CHECK(fingerprint(first) == fingerprint(second));
    CHECK(fingerprint(first) != fingerprint(other));
}

TEST_CASE("the flow is frozen: seed 7 gives these books after 20,000 commands") {
    exchange_state s = engine::initial();
    play(s, 7, 20'000);
    CHECK(fingerprint(s) == 0x12c08e7f6a52327f);
}

TEST_CASE("the books do not depend on how sessions take turns") {
    constexpr session_id sessions = 3;
    constexpr std::uint64_t commands = 2'000;
    const order_flow flow{5, sessions};
    exchange_state in_turns = engine::initial();
    for (std::uint64_t number = 1; number <= commands; ++number)
        for (session_id each = 0; each < sessions; ++each)
            (void)send(in_turns, flow.at(each, number));
    exchange_state one_by_one = engine::initial();
    for (session_id each = sessions; each-- > 0;)
        for (std::uint64_t number = 1; number <= commands; ++number)
            (void)send(one_by_one, flow.at(each, number));
    CHECK(to_bytes(in_turns) == to_bytes(one_by_one));
    CHECK(in_turns.fills > 1'000);
}

TEST_CASE("with any number of sessions, each instrument and each account has one session") {
    for (session_id sessions = 1; sessions <= engine::sessions; ++sessions) {
        const order_flow flow{1, sessions};
        std::map<std::uint16_t, std::set<session_id>> instruments;
        std::map<account_id, std::set<session_id>> accounts;
        for (session_id each = 0; each < sessions; ++each)
            for (std::uint64_t number = 1; number <= 500; ++number) {
                const command c = flow.at(each, number);
                CHECK(c.id == command_id(each, number));
                if (c.instrument < engine::instruments)
                    instruments[c.instrument].insert(each);
                if (c.asks == command::action::limit && c.account < engine::accounts)
                    accounts[c.account].insert(each);
            }
        CHECK(instruments.size() == engine::instruments);
        CHECK(accounts.size() == std::size_t{sessions} * order_flow::accounts_per_session);
        const auto has_one = [](const auto& entry) { return entry.second.size() == 1; };
        CHECK(std::ranges::all_of(instruments, has_one));
        CHECK(std::ranges::all_of(accounts, has_one));
    }
}

TEST_CASE("the flow sends every kind of command and mistake, and keeps the books bounded") {
    exchange_state s = engine::initial();
    const order_flow flow{3};
    std::set<command::action> actions;
    std::set<reason> reasons;
    std::size_t most = 0;
    for (std::uint64_t number = 1; number <= 100'000; ++number) {
        const command c = flow.at(0, number);
        actions.insert(c.asks);
        if (const auto refused = send(s, c).refused)
            reasons.insert(*refused);
        for (const book& b : s.books)
            most = std::max({most, b.orders(side::buy), b.orders(side::sell)});
    }
    CHECK(actions.size() == 5);
    const std::set expected{reason::unknown_instrument, reason::unknown_order,
                            reason::bad_price,          reason::bad_quantity,
                            reason::unknown_account,    reason::over_credit,
                            reason::unknown_trade};
    CHECK(reasons == expected);
    CHECK(most <= 512);
    CHECK(s.fills > 10'000);
    CHECK(s.busts > 100);
}

TEST_CASE("no book of the flow is ever crossed, and no order takes an account over its credit") {
    exchange_state s = engine::initial();
    const order_flow flow{11};
    for (std::uint64_t number = 1; number <= 20'000; ++number) {
        const command c = flow.at(0, number);
        const bool enters = c.asks == command::action::limit || c.asks == command::action::market;
        const bool accepted = !send(s, c).refused;
        for (const book& b : s.books)
            if (b.best(side::buy) && b.best(side::sell))
                REQUIRE(b.best(side::buy)->price < b.best(side::sell)->price);
        if (enters && accepted)
            REQUIRE(s.accounts[c.account].exposure(c.side) <= engine::credit);
    }
}

TEST_CASE("what accounts have in open orders is what the books hold, and money is only moved") {
    exchange_state s = engine::initial();
    play(s, 13, 20'000);
    std::vector<account> counted(engine::accounts);
    for (const book& b : s.books)
        for (const side each : {side::buy, side::sell})
            for (const order* o = b.best(each); o; o = b.next(*o))
                counted[o->account].open[static_cast<std::size_t>(each)] += o->price * o->quantity;
    std::int64_t all = 0;
    for (std::size_t n = 0; n < counted.size(); ++n) {
        CHECK(s.accounts[n].open == counted[n].open);
        all += s.accounts[n].balance;
    }
    CHECK(all == 0);
}
