#include "bank_journal.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/replay/restore.hpp>

#include <filesystem>
#include <fstream>
#include <string>

namespace {

namespace fs = std::filesystem;
using bank::ledger;

// A journal with snapshots at chosen places.
struct recorded {
    pawl::test::temporary_directory directory;
    pawl::writer log = bank::open_writer(directory.path());
    bank::random_traffic traffic{11};

    void append(std::uint64_t events) { traffic.append(log, events); }

    pawl::snapshot_store store(std::uint32_t version = ledger::state_version) {
        auto opened = pawl::snapshot_store::open(directory.path(), log.identity(), version);
        REQUIRE(opened);
        return std::move(*opened);
    }
    // Of the journal as it is now.
    fs::path snapshot() {
        auto now = pawl::fold<ledger>(directory.path());
        REQUIRE(now);
        auto added =
            store().add(now->progress.point, now->progress.digest,
                        [&](pawl::snapshot_sink& out) { return ledger::save(now->state, out); });
        REQUIRE(added);
        return added->path;
    }
};

void break_byte(const fs::path& path, std::streamoff at) {
    std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
    file.seekg(at);
    const int byte = file.get();
    REQUIRE(byte >= 0);
    file.seekp(at);
    file.put(static_cast<char>(byte ^ 0x10));
    REQUIRE(file.good());
}

}  // namespace

TEST_CASE("a state is restored from the newest snapshot and the events after it", "[replay]") {
    recorded bank;
    bank.append(1000);
    bank.snapshot();
    bank.append(500);
    bank.snapshot();
    bank.append(77);

    const auto full = pawl::restore<ledger>(bank.directory.path(), {}, {.use_snapshots = false});
    REQUIRE(full);
    CHECK_FALSE(full->report.used);
    CHECK(full->report.tail_events == 1577);
    const auto quick = pawl::restore<ledger>(bank.directory.path());
    REQUIRE(quick);
    REQUIRE(quick->report.used);
    CHECK(quick->report.used->point.next == 1500);
    CHECK(quick->report.tail_events == 77);
    CHECK(quick->report.rejected.empty());

    CHECK(quick->state == full->state);
    CHECK(quick->progress.point == full->progress.point);
    CHECK(quick->progress.digest == full->progress.digest);
    CHECK(quick->report.message() == "restored from the snapshot at 1500, 77 events behind it");
}

TEST_CASE("a damaged snapshot is passed over for the older one, and that for a full replay",
          "[replay]") {
    recorded bank;
    bank.append(100);
    const fs::path older = bank.snapshot();
    bank.append(100);
    const fs::path newer = bank.snapshot();
    bank.append(10);
    const auto full = pawl::restore<ledger>(bank.directory.path(), {}, {.use_snapshots = false});
    REQUIRE(full);

    break_byte(newer, 200);  // in the payload
    const auto second = pawl::restore<ledger>(bank.directory.path());
    REQUIRE(second);
    REQUIRE(second->report.used);
    CHECK(second->report.used->point.next == 100);
    CHECK(second->report.tail_events == 110);
    REQUIRE(second->report.rejected.size() == 1);
    CHECK(second->report.rejected[0].path == newer);
    CHECK(second->report.rejected[0].why.code == pawl::errc::damaged);
    CHECK(second->state == full->state);
    CHECK(second->progress.digest == full->progress.digest);

    break_byte(older, 40);  // in the header
    const auto third = pawl::restore<ledger>(bank.directory.path());
    REQUIRE(third);
    CHECK_FALSE(third->report.used);
    CHECK(third->report.tail_events == 210);
    CHECK(third->report.rejected.size() == 2);
    CHECK(third->state == full->state);
    CHECK(third->report.message().find("replayed from event 0, 210 events in all; passed over") ==
          0);
}

TEST_CASE("a snapshot that is newer than the log is skipped", "[replay]") {
    recorded bank;
    bank.append(100);
    bank.snapshot();
    // Restores the log to an earlier state, as from a backup, but not the snapshots.
    const fs::path backup = bank.directory.path() / "backup";
    fs::create_directory(backup);
    REQUIRE(bank.log.close());
    for (const auto& entry : fs::directory_iterator{bank.directory.path()})
        if (entry.is_regular_file())
            fs::copy_file(entry.path(), backup / entry.path().filename());
    bank.log = bank::open_writer(bank.directory.path());
    bank.append(50);
    const fs::path newer = bank.snapshot();
    fs::rename(bank.directory.path() / "snapshots", backup / "snapshots");

    const auto restored = pawl::restore<ledger>(backup);
    REQUIRE(restored);
    REQUIRE(restored->report.used);
    CHECK(restored->report.used->point.next == 100);
    REQUIRE(restored->report.rejected.size() == 1);
    CHECK(restored->report.rejected[0].path.filename() == newer.filename());
    CHECK(restored->report.rejected[0].why.code == pawl::errc::diverged);

    // Other events in the same places do not make it fit.
    auto log = bank::open_writer(backup);
    bank::random_traffic{12}.append(log, 60);
    const auto later = pawl::restore<ledger>(backup);
    REQUIRE(later);
    CHECK(later->report.used->point.next == 100);
    CHECK(later->report.tail_events == 60);
    REQUIRE(later->report.rejected.size() == 1);
    CHECK(later->report.rejected[0].why.code == pawl::errc::diverged);
    const auto full = pawl::fold<ledger>(backup);
    REQUIRE(full);
    CHECK(later->state == full->state);
}

TEST_CASE("a snapshot that its fold cannot load is skipped", "[replay]") {
    recorded bank;
    bank.append(100);
    bank.snapshot();
    bank.append(100);
    auto now = pawl::fold<ledger>(bank.directory.path());
    REQUIRE(now);
    REQUIRE(bank.store().add(now->progress.point, now->progress.digest,
                             [](pawl::snapshot_sink& out) { return out.write_value(7); }));
    const auto restored = pawl::restore<ledger>(bank.directory.path());
    REQUIRE(restored);
    CHECK(restored->report.used->point.next == 100);
    REQUIRE(restored->report.rejected.size() == 1);
    CHECK(restored->report.rejected[0].why.code == pawl::errc::malformed);
    CHECK(restored->state == now->state);
}

TEST_CASE("snapshots of another state version are ignored", "[replay]") {
    recorded bank;
    bank.append(10);
    REQUIRE(bank.store(2).add({10, 0}, {},
                              [](pawl::snapshot_sink& out) { return out.write_value(7); }));
    const auto restored = pawl::restore<ledger>(bank.directory.path());
    REQUIRE(restored);
    CHECK_FALSE(restored->report.used);
    CHECK(restored->report.rejected.empty());
    CHECK(restored->report.tail_events == 10);
}

TEST_CASE("restoring without a journal is an error, not an empty state", "[replay]") {
    pawl::test::temporary_directory directory;
    const auto restored = pawl::restore<ledger>(directory.path());
    REQUIRE_FALSE(restored);
    CHECK(restored.error().code == pawl::errc::not_a_journal);
}
