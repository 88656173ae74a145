// What was known at a place of the log.
#include "bank_journal.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/journal/prune.hpp>
#include <pawl/replay/as_of.hpp>

#include <filesystem>
#include <vector>

namespace {

namespace fs = std::filesystem;
using bank::ledger;

struct bank_with_history {
    pawl::test::temporary_directory home;
    fs::path directory = home.path() / "journal";
    bank::random_traffic traffic{7};

    bank_with_history() { append(1000); }
    void append(std::uint64_t events) {
        auto log = bank::open_writer(directory);
        traffic.append(log, events);
        REQUIRE(log.close());
    }
    void snapshot() const {
        const auto now = pawl::restore<ledger>(directory);
        REQUIRE(now);
        const auto journal = pawl::cursor::open(directory);
        REQUIRE(journal);
        auto store =
            pawl::snapshot_store::open(directory, journal->identity(), ledger::state_version);
        REQUIRE(store);
        REQUIRE(
            store->add(now->progress.point, now->progress.digest,
                       [&](pawl::snapshot_sink& out) { return ledger::save(now->state, out); }));
    }
    // The progress and state after the events below `end`, and where the batch of event `end`
    // begins.
    [[nodiscard]] pawl::folded<ledger> folded_to(pawl::sequence_number end) const {
        auto events = pawl::cursor::open(directory);
        REQUIRE(events);
        pawl::folded<ledger> whole{.state = ledger::initial()};
        REQUIRE(pawl::fold_until(*events, ledger{}, whole.state, whole.progress, end));
        return whole;
    }
    [[nodiscard]] std::vector<bool> continues() const {
        std::vector<bool> all;
        auto events = pawl::cursor::open(directory);
        REQUIRE(events);
        REQUIRE(events->for_each([&](const pawl::event& e) { all.push_back(e.more_in_batch()); }));
        return all;
    }
};

}  // namespace

TEST_CASE("the state as of a sequence is the fold of the events below it", "[replay]") {
    bank_with_history bank;
    bank.snapshot();  // at 1000
    bank.append(1000);
    bank.snapshot();  // at 2000
    bank.append(500);
    const auto continues = bank.continues();
    for (pawl::sequence_number at = 0; at <= 2500; at += at % 100 == 0 ? 37 : 63) {
        INFO(at);
        const auto then = pawl::as_of<ledger>(bank.directory, pawl::at_sequence{at});
        REQUIRE(then);
        pawl::sequence_number begin = at;
        while (begin != 0 && continues[begin - 1])
            --begin;
        const auto expected = bank.folded_to(begin);
        CHECK(then->progress.point == expected.progress.point);
        CHECK(then->progress.digest == expected.progress.digest);
        CHECK(then->state == expected.state);
        // Through the nearest snapshot that is not after it.
        const pawl::sequence_number nearest = begin / 1000 * 1000;
        CHECK(then->report.used.has_value() == (nearest != 0));
        if (then->report.used)
            CHECK(then->report.used->point.next == nearest);
        CHECK(then->report.tail_events == begin - nearest);
    }
    const auto beyond = pawl::as_of<ledger>(bank.directory, pawl::at_sequence{2501});
    REQUIRE_FALSE(beyond);
    CHECK(beyond.error().code == pawl::errc::not_found);
}

TEST_CASE("the state as of a time and of a log point", "[replay]") {
    bank_with_history bank;
    bank.snapshot();
    bank.append(1000);
    auto events = pawl::cursor::open(bank.directory, {.from = pawl::from_sequence{1499}});
    REQUIRE(events);
    const pawl::event* e = events->next();
    while (e != nullptr && e->more_in_batch())
        e = events->next();
    REQUIRE(e != nullptr);
    const pawl::log_point point = e->point();
    const std::uint64_t ns = e->timestamp_ns();
    const auto by_point = pawl::as_of<ledger>(bank.directory, pawl::at_point{point});
    REQUIRE(by_point);
    CHECK(by_point->progress.point == point);
    CHECK(by_point->state == bank.folded_to(point.next).state);
    CHECK(by_point->report.message().contains("the snapshot at 1000"));
    pawl::log_point other = point;
    ++other.content_hash;
    CHECK(pawl::as_of<ledger>(bank.directory, pawl::at_point{other}).error().code ==
          pawl::errc::diverged);

    // All that was known then, and nothing later.
    const auto by_time = pawl::as_of<ledger>(bank.directory, pawl::at_time{ns});
    REQUIRE(by_time);
    CHECK(by_time->progress.point.next >= point.next);
    CHECK(by_time->state == bank.folded_to(by_time->progress.point.next).state);
    const auto before = pawl::as_of<ledger>(bank.directory, pawl::at_time{0});
    REQUIRE(before);
    CHECK(before->progress.point.next == 0);
    const auto now = pawl::as_of<ledger>(bank.directory, pawl::at_time{~std::uint64_t{0}});
    REQUIRE(now);
    CHECK(now->progress.point.next == 2000);
}

TEST_CASE("before the first snapshot of a pruned log nothing is known", "[replay]") {
    bank_with_history bank;
    bank.append(3000);
    bank.snapshot();  // at 4000
    bank.append(1000);
    REQUIRE(pawl::prune(bank.directory, {.before = 4000}));
    const auto known = pawl::as_of<ledger>(bank.directory, pawl::at_sequence{4500});
    REQUIRE(known);
    CHECK(known->report.used->point.next == 4000);
    const auto unknown = pawl::as_of<ledger>(bank.directory, pawl::at_sequence{3999});
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().code == pawl::errc::pruned);
}

TEST_CASE("a place after the durable events is not found if only those may be read", "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    bank::random_traffic{4}.append(log, 100);
    REQUIRE(log.sync());
    bank::random_traffic{5}.append(log, 100);
    const auto as_of = [&](pawl::sequence_number at) {
        return pawl::as_of<ledger>(directory.path(), pawl::at_sequence{at}, {},
                                   {.show = pawl::visibility::durable});
    };
    const auto durable = as_of(100);
    REQUIRE(durable);
    CHECK(durable->progress.point.next == 100);
    const auto beyond = as_of(200);
    REQUIRE_FALSE(beyond);
    CHECK(beyond.error().code == pawl::errc::not_found);
    CHECK(beyond.error().sequence == 200);
}

TEST_CASE("a state as of a place comes from no snapshot that the caller excludes", "[replay]") {
    bank_with_history bank;
    bank.snapshot();  // at 1000
    bank.append(1000);
    bank.snapshot();  // at 2000
    const auto then =
        pawl::as_of<ledger>(bank.directory, pawl::at_sequence{2000}, {}, {.not_after = 1500});
    REQUIRE(then);
    REQUIRE(then->report.used);
    CHECK(then->report.used->point.next == 1000);
    CHECK(then->progress.point.next == 2000);
}
