#include "bank.hpp"
#include "bank_bfbs.hpp"

#include <catch2/catch.hpp>

#include <pawl/replay/scenario.hpp>

namespace {

auto deposited(std::uint64_t account, std::int64_t amount) {
    return [=](auto& b) { return bank::Createdeposited(b, account, amount); };
}
auto withdrawn(std::uint64_t account, std::int64_t amount) {
    return [=](auto& b) { return bank::Createwithdrawn(b, account, amount); };
}

using bank_scenario = pawl::scenario<bank::ledger>;

void holds(const pawl::verdict& verdict) {
    INFO(verdict.why);
    CHECK(verdict.holds);
}

}  // namespace

TEST_CASE("a command that is decided gives exactly the events that are expected", "[replay]") {
    holds(bank_scenario{}
              .given(deposited(7, 10))
              .when(bank::withdraw{.account = 7, .amount = 4})
              .then(pawl::on(7, withdrawn(7, 4))));
}

TEST_CASE("all events of a command are compared, in order", "[replay]") {
    bank_scenario moved;
    moved.given(deposited(1, 10)).when(bank::transfer{.from = 1, .to = 2, .amount = 3});
    holds(moved.then(pawl::on(1, withdrawn(1, 3)), pawl::on(2, deposited(2, 3))));
    CHECK(moved.state().accounts.at(1).balance == 7);
    CHECK(moved.state().accounts.at(2).balance == 3);

    CHECK_FALSE(moved.then(deposited(2, 3), withdrawn(1, 3)).holds);
    CHECK_FALSE(moved.then(withdrawn(1, 3)).holds);
    CHECK_FALSE(moved.then(withdrawn(1, 3), deposited(2, 4)).holds);
    CHECK_FALSE(moved.then(withdrawn(1, 3), pawl::on(1, deposited(2, 3))).holds);
    CHECK_FALSE(moved.then_nothing().holds);
    CHECK_FALSE(moved.then_refused(bank::ledger::refusal::insufficient_funds).holds);
}

TEST_CASE("with a schema, a scenario that does not hold shows both sides as JSON", "[replay]") {
    bank_scenario moved{{}, bank_bfbs()};
    moved.given(deposited(1, 10)).when(bank::transfer{.from = 1, .to = 2, .amount = 3});
    holds(moved.then(pawl::on(1, withdrawn(1, 3)), pawl::on(2, deposited(2, 3))));
    CHECK(moved.then(pawl::on(1, withdrawn(1, 3)), deposited(2, 4)).why ==
          "event 2: fields differ from the expected ones\n"
          "the events are\n"
          "  stream 1, bank.withdrawn: {\"account\":1,\"amount\":3}\n"
          "  stream 2, bank.deposited: {\"account\":2,\"amount\":3}\n"
          "where they should be\n"
          "  stream 1, bank.withdrawn: {\"account\":1,\"amount\":3}\n"
          "  bank.deposited: {\"account\":2,\"amount\":4}");
    CHECK(moved.then_nothing().why ==
          "2 events, expected 0\n"
          "the events are\n"
          "  stream 1, bank.withdrawn: {\"account\":1,\"amount\":3}\n"
          "  stream 2, bank.deposited: {\"account\":2,\"amount\":3}\n"
          "where they should be\n"
          "  no event");
}

TEST_CASE("a refusal is distinguished from an empty decision and from another refusal",
          "[replay]") {
    bank_scenario refused;
    refused.when(bank::withdraw{.account = 7, .amount = 4});
    holds(refused.then_refused(bank::ledger::refusal::account_unknown));
    CHECK_FALSE(refused.then_refused(bank::ledger::refusal::insufficient_funds).holds);
    CHECK_FALSE(refused.then_nothing().holds);
    CHECK(refused.then_nothing().why == "the command was refused");

    holds(bank_scenario{}.when(bank::deposit{.account = 7, .amount = 0}).then_nothing());
}

TEST_CASE("a given event that the decider cannot take makes no scenario hold", "[replay]") {
    const auto closed = [](auto& b) { return bank::Createclosed(b, 7); };
    const auto verdict = bank_scenario{}
                             .given(closed)
                             .when(bank::deposit{.account = 7, .amount = 1})
                             .then(deposited(7, 1));
    CHECK_FALSE(verdict.holds);
    CHECK(verdict.why.find("unknown_event") != std::string::npos);
}
