#include "bank.hpp"

#include <catch2/catch.hpp>

#include <pawl/replay/fold.hpp>
#include <pawl/replay/scenario.hpp>

namespace {

// Has no evolve for renamed.
struct forgetful {
    using state = int;
    using events = pawl::event_list<bank::deposited, bank::renamed>;
    static int initial() { return 0; }
    static void evolve(int& s, const bank::deposited&) { ++s; }
};

// Its evolve asks for the event.
struct timekeeper {
    using state = std::uint64_t;
    using events = pawl::event_list<bank::deposited>;
    static state initial() { return 0; }
    static void evolve(state& s, const bank::deposited&, const pawl::event& from) {
        s = from.timestamp_ns();
    }
};

// Refuses an event.
struct strict {
    using state = int;
    using events = pawl::event_list<bank::deposited>;
    int limit = 0;
    int initial() const { return limit; }
    pawl::result<void> evolve(int& left, const bank::deposited&) const {
        if (left == 0)
            return pawl::fail(pawl::errc::malformed, "one too many");
        --left;
        return {};
    }
};

pawl::decision one_deposit() {
    pawl::decision one;
    one.append({}, [](auto& b) { return bank::Createdeposited(b, 7, 10); });
    REQUIRE_FALSE(one.failure());
    return one;
}

}  // namespace

static_assert(pawl::folds_events<bank::ledger>);
static_assert(!pawl::folds_events<int>);
static_assert(pawl::evolves_every_event<bank::ledger>);
static_assert(!pawl::evolves_every_event<forgetful>);
static_assert(pawl::evolves_every_event<timekeeper>);
static_assert(pawl::decides<bank::ledger, bank::deposit>);
static_assert(!pawl::decides<bank::ledger, int>);
static_assert(pawl::snapshots<bank::ledger>);
static_assert(!pawl::snapshots<strict>);

TEST_CASE("an event that is applied changes the state", "[replay]") {
    bank::ledger::state state;
    REQUIRE(pawl::evolve(bank::ledger{}, state, one_deposit().payload(0)));
    CHECK(state.accounts.at(7).balance == 10);
}

TEST_CASE("an event that evolve refuses, or that is not in the list, is an error", "[replay]") {
    const strict none{.limit = 0};
    int left = none.initial();
    auto refused = pawl::evolve(none, left, one_deposit().payload(0));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().detail == "one too many");

    pawl::decision closed;
    closed.append({}, [](auto& b) { return bank::Createclosed(b, 7); });
    auto unknown = pawl::evolve(strict{}, left, closed.payload(0));
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().code == pawl::errc::unknown_event);
}
