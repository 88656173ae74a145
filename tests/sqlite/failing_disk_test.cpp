// Every write, sync and lock of a database failed once: nothing is lost, and nothing applied twice.
#include "failing_disk.hpp"

#include "balances.hpp"

#include <catch2/catch.hpp>

using namespace pawl;
using namespace pawl::test;

namespace {

// Builds, parks, retries, swaps and closes. Returns what failed first.
template <class P>
[[nodiscard]] result<void> use_database(const projected_journal& journal) {
    auto views = projector::open(journal.directory, journal.database, {.batch_events = 5});
    if (!views)
        return std::unexpected(std::move(views.error()));
    if (auto added = views->add<P>(park_key{}); !added)
        return added;
    for (;;) {
        auto moved = views->advance(now);
        if (!moved)
            return std::unexpected(std::move(moved.error()));
        if (!*moved)
            break;
    }
    if (auto retried = views->retry<P>("1"); !retried && retried.error().code != errc::not_found)
        return std::unexpected(std::move(retried.error()));
    return views->close();
}

void check_whole(const projected_journal& journal) {
    const audit_options building{.building = true};
    for (const auto& audit :
         {equals_fold<balances>(journal.directory, journal.database),
          equals_fold<balances>(journal.directory, journal.database, building),
          equals_fold<balances_of<2>>(journal.directory, journal.database),
          equals_fold<balances_of<2>>(journal.directory, journal.database, building)}) {
        if (!audit) {
            INFO(audit.error().message());
            CHECK(audit.error().code == errc::not_found);
        } else if (audit->difference) {
            FAIL_CHECK(audit->difference->message());
        }
    }
}

}  // namespace

TEST_CASE("each operation of the disk may fail, and the read model is that of the fold") {
    const auto [what, code] =
        GENERATE(table<disk_failure, errc>({{disk_failure::full, errc::disk_full},
                                            {disk_failure::write_error, errc::io},
                                            {disk_failure::sync_error, errc::io},
                                            {disk_failure::busy, errc::locked}}));
    INFO("failure " << static_cast<int>(what));
    failing_disk disk;
    projected_journal journal;
    for (std::uint64_t i = 0; i < 10; ++i)
        journal.deposit(i % 4, 10);
    journal.withdraw(1, 500);
    journal.deposit(1, 5);
    journal.sync();
    std::uint64_t failures = 0;
    for (std::uint64_t n = 0;; ++n) {
        INFO("operation " << n);
        disk.fail(what, n);
        auto done = use_database<balances>(journal);
        if (done)
            done = use_database<balances_of<2>>(journal);
        disk.repair();
        if (!disk.has_failed()) {
            REQUIRE(done);
            break;
        }
        ++failures;
        // SQLite itself waits for a lock, and may do without a write that only saves work.
        if (!done)
            CHECK(done.error().code == code);
        check_whole(journal);
        must(use_database<balances>(journal));
        check_whole(journal);
        for (const char* suffix : {"", "-wal", "-shm", "-journal"})
            std::filesystem::remove(journal.database.string() + suffix);
    }
    CHECK(failures > 5);
}
