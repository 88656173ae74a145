// Decisions that depend on the events of several tags.
#include "bank_journal.hpp"

#include <catch2/catch.hpp>
#include <support/must.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/codec/encoder.hpp>
#include <pawl/journal/prune.hpp>
#include <pawl/replay/boundary.hpp>
#include <pawl/replay/decision.hpp>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <thread>

namespace {

using pawl::boundary;
using pawl::errc;
using pawl::tag_set;
using pawl::test::must;

// What a group of accounts may still lend: any of its accounts may use it up.
struct credit {
    struct state {
        std::int64_t left = 0;
        std::uint64_t events = 0;
    };
    using events = pawl::event_list<bank::deposited, bank::withdrawn>;

    static state initial() { return {}; }
    static void evolve(state& s, const bank::deposited& e) {
        s.left += e.amount();
        ++s.events;
    }
    static void evolve(state& s, const bank::withdrawn& e) {
        s.left -= e.amount();
        ++s.events;
    }
};

constexpr pawl::tag_id group = 500;
constexpr pawl::tag_id other_group = 501;
constexpr pawl::tag_id colour = 502;

struct tagged_bank {
    pawl::test::temporary_directory home;
    std::filesystem::path directory = home.path() / "bank";
    pawl::writer log = must(pawl::writer::open(directory, {.segment_bytes = 64 << 10,
                                                           .sync = pawl::sync_policy::manual(),
                                                           .full = pawl::when_full::fail,
                                                           .background_threads = false}));
    pawl::encoder encode;

    pawl::result<pawl::receipt> deposit(std::uint64_t account, std::int64_t amount,
                                        const tag_set& tags, const boundary* unless = nullptr) {
        auto placed = encode.append(log, {.stream = account, .tags = tags, .unless = unless},
                                    bank::some_deposit(account, amount));
        must(log.poll());
        return placed;
    }
    pawl::result<pawl::receipt> withdraw(std::uint64_t account, std::int64_t amount,
                                         const tag_set& tags, const boundary* unless = nullptr) {
        return encode.append(log, {.stream = account, .tags = tags, .unless = unless},
                             [&](auto& b) { return bank::Createwithdrawn(b, account, amount); });
    }
    void rename(std::uint64_t account, const tag_set& tags) {
        must(encode.append(log, {.stream = account, .tags = tags}, [&](auto& b) {
            return bank::CreaterenamedDirect(b, account, "a name");
        }));
    }
};

}  // namespace

TEST_CASE_METHOD(tagged_bank, "a boundary loads the events of a tag, whichever streams hold them") {
    must(deposit(1, 10, {group}));
    must(deposit(2, 5, {group, colour}));
    must(deposit(3, 100, {other_group}));
    must(deposit(4, 1000, {}));
    must(withdraw(2, 3, {group, colour}));
    rename(1, {group});  // not among the fold's events
    boundary seen{log};
    CHECK(seen.end() == 6);
    CHECK(must(seen.load<credit>({group})).left == 12);
    CHECK(must(seen.load<credit>({group, colour})).left == 2);
    CHECK(must(seen.load<credit>({999})).events == 0);
    // What comes later is not read.
    must(deposit(1, 10, {group}));
    CHECK(must(seen.load<credit>({group})).left == 12);
    CHECK(must(boundary{log}.load<credit>({group})).left == 22);
    // Nor what an earlier state holds already.
    CHECK(must(boundary{log}.load<credit>({group}, {.state = {.left = 10, .events = 1}, .next = 1}))
              .left == 22);

    CHECK(seen.load<credit>({}).error().code == errc::invalid_argument);
    CHECK(seen.load<credit>({0}).error().code == errc::invalid_argument);
}

TEST_CASE_METHOD(tagged_bank, "an append fails if something inside the boundary has changed") {
    must(deposit(1, 10, {group}));
    boundary seen{log};
    REQUIRE(must(seen.load<credit>({group})).left == 10);
    REQUIRE(must(seen.load<credit>({other_group, colour})).left == 0);

    SECTION("nothing") {
        CHECK(withdraw(1, 10, {group}, &seen));
    }
    SECTION("an event of the tag") {
        must(withdraw(2, 10, {group}));
        const auto refused = withdraw(1, 10, {group}, &seen);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code == errc::conflict);
        // Decided again.
        boundary again{log};
        CHECK(must(again.load<credit>({group})).left == 0);
    }
    SECTION("an event of both tags") {
        must(withdraw(2, 10, {other_group, colour}));
        CHECK(withdraw(1, 10, {group}, &seen).error().code == errc::conflict);
    }
    SECTION("an event of one of both tags") {
        must(withdraw(2, 10, {colour}));
        must(withdraw(2, 10, {other_group}));
        CHECK(withdraw(1, 10, {group}, &seen));
    }
    SECTION("an event of a type that was not read") {
        rename(2, {group});
        CHECK(withdraw(1, 10, {group}, &seen));
    }
    SECTION("an event that the append itself is the second of") {
        CHECK(withdraw(1, 5, {group}, &seen));
        CHECK(withdraw(1, 5, {group}, &seen).error().code == errc::conflict);
    }
    SECTION("the same of a decision's batch, which the boundary does not outlive") {
        pawl::decision events;
        const auto decide = [&] {
            boundary within{log};
            (void)must(within.load<credit>({group}));
            for (const std::int64_t amount : {4, 6}) {
                events.append({.stream = 1, .tags = tag_set{group, colour}, .unless = &within},
                              [&](auto& b) { return bank::Createwithdrawn(b, 1, amount); });
            }
        };
        decide();
        CHECK(must(events.append_to(log)).sequence == 2);
        CHECK(must(boundary{log}.load<credit>({group, colour})).left == -10);
        CHECK(events.append_to(log).error().code == errc::conflict);
        events.clear();
        decide();
        CHECK(events.append_to(log));
    }
}

TEST_CASE_METHOD(tagged_bank, "a boundary of a log whose beginning was pruned needs a state") {
    credit::state early;
    while (log.statistics().rollovers < 4) {
        must(deposit(1, 1, {group}));
        if (log.statistics().rollovers < 2)
            early.left = static_cast<std::int64_t>(log.next_sequence());
    }
    must(log.sync());
    const auto next = static_cast<pawl::sequence_number>(early.left);
    const auto done = must(log.prune({.before = next}));
    REQUIRE(done.first_sequence != 0);
    boundary seen{log};
    CHECK(seen.load<credit>({group}).error().code == errc::pruned);
    CHECK(must(seen.load<credit>({group}, {.state = early, .next = next})).left ==
          static_cast<std::int64_t>(log.next_sequence()));
}

TEST_CASE_METHOD(tagged_bank, "threads that decide at once within a boundary never overdraw it") {
    constexpr std::int64_t granted = 300;
    must(deposit(1, granted, {group}));
    std::mutex guard;
    std::atomic<std::int64_t> taken{0};
    std::atomic<std::uint64_t> conflicts{0};
    const auto take_until_empty = [&](std::uint64_t account) {
        pawl::encoder own;
        for (;;) {
            std::unique_lock held{guard};
            boundary seen{log};
            held.unlock();
            const auto has = seen.load<credit>({group});
            if (!has || has->left == 0)
                return has.has_value();
            held.lock();
            const auto placed =
                own.append(log, {.stream = account, .tags = tag_set{group}, .unless = &seen},
                           [&](auto& b) { return bank::Createwithdrawn(b, account, 1); });
            if (placed)
                ++taken;
            else if (placed.error().code == errc::conflict)
                ++conflicts;
            else
                return false;
            if (!log.poll())
                return false;
        }
    };
    bool one_ended_well = false;
    std::thread one{[&] { one_ended_well = take_until_empty(2); }};
    CHECK(take_until_empty(3));
    one.join();
    CHECK(one_ended_well);
    CHECK(taken == granted);
    CHECK(must(boundary{log}.load<credit>({group})).left == 0);
    INFO(conflicts << " decisions were made again");
    CHECK(log.next_sequence() == 1 + granted);
}
