// What snapshots need of a log, and restoring from them after the rest was pruned.
#include "bank_journal.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/journal/prune.hpp>
#include <pawl/replay/restore.hpp>
#include <pawl/replay/snapshot_holds.hpp>

#include <filesystem>
#include <fstream>
#include <string>

namespace {

namespace fs = std::filesystem;
using bank::ledger;

struct pruned_bank {
    pawl::test::temporary_directory home;
    fs::path directory = home.path() / "journal";
    bank::random_traffic traffic{7};

    void append(std::uint64_t events) {
        auto log = bank::open_writer(directory);
        traffic.append(log, events);
        REQUIRE(log.close());
    }
    fs::path snapshot() {
        auto now = pawl::restore<ledger>(directory);
        REQUIRE(now);
        const auto journal = pawl::cursor::open(directory);
        REQUIRE(journal);
        auto store =
            pawl::snapshot_store::open(directory, journal->identity(), ledger::state_version);
        REQUIRE(store);
        auto added =
            store->add(now->progress.point, now->progress.digest,
                       [&](pawl::snapshot_sink& out) { return ledger::save(now->state, out); });
        REQUIRE(added);
        return added->path;
    }
    [[nodiscard]] std::vector<pawl::prune_hold> holds() const {
        auto found = pawl::snapshot_holds(directory);
        REQUIRE(found);
        return *found;
    }
    [[nodiscard]] pawl::prune_report prune_all() const {
        const auto held = holds();
        auto done = pawl::prune(directory, {.keep_bytes = 0, .holds = held});
        REQUIRE(done);
        return *done;
    }
};

}  // namespace

TEST_CASE("snapshots hold the events after the older of the newest two good ones", "[replay]") {
    pruned_bank bank;
    bank.append(2000);
    CHECK(bank.holds().empty());
    bank.snapshot();
    REQUIRE(bank.holds().size() == 1);
    CHECK(bank.holds()[0].sequence == 0);
    bank.append(2000);
    bank.snapshot();
    CHECK(bank.holds()[0].sequence == 2000);
    bank.append(2000);
    const fs::path newest = bank.snapshot();
    CHECK(bank.holds()[0].sequence == 4000);
    // Without the newest, the two before it count.
    std::fstream{newest, std::ios::in | std::ios::out | std::ios::binary}.write("broken", 6);
    CHECK(bank.holds()[0].sequence <= 2000);
}

TEST_CASE("a state is restored from snapshots after a prune that heeds their holds", "[replay]") {
    pruned_bank bank;
    bank.append(3000);
    bank.snapshot();
    bank.append(3000);
    const fs::path newest = bank.snapshot();
    bank.append(500);
    const auto before = pawl::restore<ledger>(bank.directory);
    REQUIRE(before);
    const auto done = bank.prune_all();
    CHECK(done.segments > 0);
    CHECK(done.first_sequence <= 3000);
    REQUIRE(done.held_by.size() == 1);

    const auto after = pawl::restore<ledger>(bank.directory);
    REQUIRE(after);
    CHECK(after->state == before->state);
    CHECK(after->progress.digest == before->progress.digest);
    // The newest one may turn out to be bad.
    fs::remove(newest);
    const auto older = pawl::restore<ledger>(bank.directory);
    REQUIRE(older);
    CHECK(older->state == before->state);
    CHECK(older->progress.digest == before->progress.digest);

    // Without a snapshot nothing holds the effect of the first events.
    const auto none = pawl::restore<ledger>(bank.directory, {}, {.use_snapshots = false});
    REQUIRE_FALSE(none);
    CHECK(none.error().code == pawl::errc::pruned);
    CHECK(none.error().sequence == done.first_sequence);
    const auto folded = pawl::fold<ledger>(bank.directory);
    REQUIRE_FALSE(folded);
    CHECK(folded.error().code == pawl::errc::pruned);
}

TEST_CASE("a snapshot from before the beginning of a log is passed over", "[replay]") {
    pruned_bank bank;
    bank.append(1000);
    bank.snapshot();
    bank.append(4000);
    REQUIRE(pawl::prune(bank.directory, {.before = 4000}));
    const auto none = pawl::restore<ledger>(bank.directory);
    REQUIRE_FALSE(none);
    CHECK(none.error().code == pawl::errc::pruned);
}
