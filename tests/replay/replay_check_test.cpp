// Recording the states of a fold, and finding where another program's part from them.
#include "bank_journal.hpp"

#include <catch2/catch.hpp>
#include <support/must.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/replay/replay_check.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace {

using namespace pawl;
using test::must;

struct audited : bank::ledger {
    static std::uint64_t digest(const state& s) {
        std::uint64_t sum = 0;
        for (const auto& [number, each] : s.accounts)
            sum = sum * 31 + number + static_cast<std::uint64_t>(each.balance) * 7 + each.trail;
        return sum;
    }
    static std::vector<state_field> describe(const state& s) {
        std::vector<state_field> fields;
        for (const auto& [number, each] : s.accounts)
            fields.push_back({"account " + std::to_string(number), each.balance});
        return fields;
    }
};

// A later version, which takes one event for another.
struct changed : audited {
    sequence_number differs_at = 0;

    void evolve(state& s, const bank::deposited& e, const event& from) const {
        ledger::evolve(s, e);
        if (from.sequence() == differs_at)
            s.accounts[e.account()].balance += 1;
    }
    static void evolve(state& s, const bank::withdrawn& e, const event&) { ledger::evolve(s, e); }
    static void evolve(state& s, const bank::renamed& e, const event&) { ledger::evolve(s, e); }
};

struct deposits {
    test::temporary_directory home;
    std::filesystem::path directory = home.path() / "j";

    static constexpr sequence_number events = 1000;

    deposits() {
        writer log = bank::open_writer(directory);
        encoder encode;
        for (sequence_number n = 0; n < events; n += 2) {
            auto both = must(log.begin_batch(2, 256));
            must(encode.append(both, {}, bank::some_deposit(n % 7, 1 + static_cast<int>(n))));
            must(encode.append(both, {}, bank::some_deposit(n % 5, 2)));
            must(both.commit());
        }
        must(log.close());
    }
};

}  // namespace

TEST_CASE_METHOD(deposits, "the same program gives the same states", "[replay]") {
    const auto marks = must(record_states<audited>(directory, {}, {.every = 300}));
    REQUIRE(marks.size() == 4);
    CHECK(marks[0].sequence == 300);
    CHECK(marks[3].sequence == events);
    const auto check = must(replay_check<audited>(directory, marks));
    CHECK(check.same());
    CHECK(check.marks == 4);
    CHECK(check.message() == "the same state at 4 marks");
    CHECK(must(parse_state_marks(to_text(marks))) == marks);
}

TEST_CASE_METHOD(deposits, "a check finds the marks, and then the event, where states part",
                 "[replay]") {
    changed later;
    later.differs_at = 437;
    const auto coarse = must(record_states<audited>(directory, {}, {.every = 100}));
    const auto first = must(replay_check(directory, coarse, later));
    REQUIRE_FALSE(first.same());
    CHECK(first.last_same->sequence == 400);
    CHECK(first.parted->recorded.sequence == 500);
    CHECK(first.message().starts_with("the states part between the events 400 and 499: digest "));

    const auto fine =
        must(record_states<audited>(directory, {}, {.every = 1, .from = 400, .to = 500}));
    REQUIRE(fine.size() == 100);
    const auto second = must(replay_check(directory, fine, later));
    REQUIRE_FALSE(second.same());
    CHECK(second.parted->recorded.sequence == 438);
    CHECK(second.message().starts_with("the states part at event 437: digest "));
    const auto at_once = must(replay_check(directory, fine, changed{}));
    REQUIRE_FALSE(at_once.same());
    CHECK_FALSE(at_once.last_same);
}

TEST_CASE_METHOD(deposits, "a check that can ask again finds the event by itself", "[replay]") {
    for (const sequence_number at : {0u, 1u, 437u, 500u, 998u}) {
        changed later;
        later.differs_at = at;
        std::vector<replay_recording> asked;
        const auto recorder = [&](const replay_recording& how) {
            asked.push_back(how);
            return record_states<audited>(directory, {}, how);
        };
        const auto found = must(replay_check(directory, recorder, later, {.every = 500}));
        REQUIRE_FALSE(found.same());
        INFO(found.message());
        CHECK(found.parted->recorded.sequence == at + 1);
        CHECK(found.message().starts_with("the states part at event " + std::to_string(at) + ":"));
        CHECK(asked.size() <= 3);
        CHECK(must(replay_check<audited>(directory, recorder)).same());

        const auto before = must(state_difference(directory, at, later, audited{}));
        CHECK(before.empty());
        const auto after = must(state_difference(directory, at + 1, later, audited{}));
        REQUIRE(after.size() == 1);
        CHECK(after[0].starts_with("account " +
                                   std::to_string(at % 2 == 0 ? at % 7 : (at - 1) % 5) + ": "));
    }
}

TEST_CASE_METHOD(deposits, "a recorder that gives other states the next time is refused",
                 "[replay]") {
    int times = 0;
    const auto recorder = [&](const replay_recording& how) {
        auto marks = record_states<audited>(directory, {}, how);
        if (times++ == 0)
            marks->back().digest ^= 1;
        return marks;
    };
    const auto found = replay_check<audited>(directory, recorder);
    REQUIRE_FALSE(found);
    CHECK(found.error().code == errc::diverged);
}

TEST_CASE_METHOD(deposits, "what is no recording of this journal is refused", "[replay]") {
    CHECK(record_states<audited>(directory, {}, {.every = 0}).error().code ==
          errc::invalid_argument);
    const std::vector<state_mark> beyond{{events + 1, 0}};
    CHECK(replay_check<audited>(directory, beyond).error().code == errc::not_found);
    const std::vector<state_mark> twice{{5, 0}, {5, 0}};
    CHECK(replay_check<audited>(directory, twice).error().code == errc::invalid_argument);
    const auto cut = parse_state_marks("1 0000000000000001\n2 01\n");
    REQUIRE_FALSE(cut);
    CHECK(cut.error().code == errc::malformed);
    CHECK(cut.error().detail == "line 2 is no mark of a state");
    CHECK(must(parse_state_marks("")).empty());
}
