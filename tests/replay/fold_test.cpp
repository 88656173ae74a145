#include "bank_journal.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/replay/fold.hpp>

namespace {

using bank::ledger;

// Counts the events, and keeps the fields that only the event itself has.
struct witness {
    struct state {
        std::uint64_t events = 0;
        pawl::sequence_number last = 0;
        pawl::stream_id stream = 0;
    };
    using events = ledger::events;
    static state initial() { return {}; }
    template <class Table>
    static void evolve(state& s, const Table&, const pawl::event& from) {
        ++s.events;
        s.last = from.sequence();
        s.stream = from.stream();
    }
};

}  // namespace

TEST_CASE("a fold applies every event of a journal once, in order", "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    bank::random_traffic{1}.append(log, 5000);
    CHECK(log.statistics().rollovers > 2);

    const auto all = pawl::fold<witness>(directory.path());
    REQUIRE(all);
    CHECK(all->state.events == 5000);
    CHECK(all->state.last == 4999);
    CHECK(all->state.stream != 0);
    CHECK(all->progress.events == 5000);
    CHECK(all->progress.point.next == 5000);

    const auto again = pawl::fold<ledger>(directory.path());
    REQUIRE(again);
    CHECK(again->progress.point == all->progress.point);
    CHECK(again->progress.digest == all->progress.digest);
    std::uint64_t events = 0;
    for (const auto& [number, of] : again->state.accounts)
        events += of.events;
    CHECK(events == 5000);
}

TEST_CASE("an empty journal folds to the initial state", "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    const auto all = pawl::fold<ledger>(directory.path());
    REQUIRE(all);
    CHECK(all->state == ledger::initial());
    CHECK(all->progress.point == pawl::log_point{});
}

TEST_CASE("a fold that is resumed gives the same state as a single fold", "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    bank::random_traffic{2}.append(log, 1000);

    auto events = pawl::cursor::open(directory.path(), {});
    REQUIRE(events);
    auto state = ledger::initial();
    pawl::fold_progress progress;
    std::uint64_t before = 0;
    while (progress.events < 1000) {
        REQUIRE(pawl::fold(*events, ledger{}, state, progress, {.at_least = 7}));
        // Seven, or up to five more to the end of a batch; fewer only at the end.
        CHECK((progress.events - before >= 7 || progress.events == 1000));
        CHECK(progress.events - before <= 12);
        before = progress.events;
    }
    const auto whole = pawl::fold<ledger>(directory.path());
    REQUIRE(whole);
    CHECK(state == whole->state);
    CHECK(progress.point == whole->progress.point);
    CHECK(progress.digest == whole->progress.digest);
}

TEST_CASE("a fold stops before an event that is not in its list", "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    bank::random_traffic{3}.append(log, 10);
    pawl::encoder encode;
    const auto closed =
        encode.append(log, {.stream = 1}, [](auto& b) { return bank::Createclosed(b, 1); });
    REQUIRE(closed);
    bank::random_traffic{3}.append(log, 10);

    const auto whole = pawl::fold<ledger>(directory.path());
    REQUIRE_FALSE(whole);
    CHECK(whole.error().code == pawl::errc::unknown_event);
    CHECK(whole.error().sequence == 10);
    CHECK(whole.error().offset == closed->position.offset);
    CHECK(whole.error().file == "0000000000.seg");

    auto events = pawl::cursor::open(directory.path(), {});
    REQUIRE(events);
    auto state = ledger::initial();
    pawl::fold_progress progress;
    CHECK_FALSE(pawl::fold(*events, ledger{}, state, progress));
    CHECK(progress.events == 10);
    CHECK(progress.point.next == 10);
}

TEST_CASE("a fold of durable events does not see events that are only published", "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    bank::random_traffic{4}.append(log, 100);
    REQUIRE(log.sync());
    bank::random_traffic{5}.append(log, 100);

    const auto durable = pawl::fold<ledger>(directory.path(), {}, pawl::visibility::durable);
    REQUIRE(durable);
    CHECK(durable->progress.events == 100);
    const auto published = pawl::fold<ledger>(directory.path());
    REQUIRE(published);
    CHECK(published->progress.events == 200);
}

TEST_CASE("digests tell logs apart and add up", "[replay]") {
    pawl::test::temporary_directory one;
    pawl::test::temporary_directory other;
    for (const auto* directory : {&one, &other}) {
        auto log = bank::open_writer(directory->path());
        bank::random_traffic{6}.append(log, 10);
    }
    const auto a = pawl::fold<ledger>(one.path());
    const auto b = pawl::fold<ledger>(other.path());
    REQUIRE(a);
    REQUIRE(b);
    CHECK(a->state == b->state);
    // The same events in another journal have frames with other hashes.
    CHECK_FALSE(a->progress.digest == b->progress.digest);

    auto events = pawl::cursor::open(one.path(), {});
    REQUIRE(events);
    pawl::log_digest odd;
    pawl::log_digest even;
    REQUIRE(events->for_each(
        [&](const pawl::event& e) { (e.sequence() % 2 == 0 ? even : odd).add(e); }));
    even.add(odd);
    CHECK(even == a->progress.digest);
}

TEST_CASE("a fold up to an event applies none after it, also of a selection", "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    pawl::encoder encode;
    for (pawl::stream_id account = 1; account <= 2; ++account) {
        for (int i = 0; i < 5; ++i)
            REQUIRE(encode.append(log, {.stream = account}, bank::some_deposit(account, 1)));
    }
    const pawl::cursor_options whole_stream{.stream = 2};
    const pawl::cursor_options filtered{.filter = pawl::event_selection{.streams = {2}}};
    for (const auto& options : {whole_stream, filtered}) {
        const auto events_below = [&](pawl::sequence_number end) {
            auto events = pawl::cursor::open(directory.path(), options);
            REQUIRE(events);
            auto state = ledger::initial();
            pawl::fold_progress progress;
            REQUIRE(pawl::fold_until(*events, ledger{}, state, progress, end));
            return progress.events;
        };
        CHECK(events_below(3) == 0);
        CHECK(events_below(5) == 0);
        CHECK(events_below(7) == 2);
    }
}
