// Builds: a new version beside the live one, a rebuild after the log has lost events, and the
// audit.
#include "balances.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/sqlite/projection_catalog.hpp>

#include <fstream>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

[[nodiscard]] std::string states(const projected_journal& journal) {
    return journal.ask("select version, state from pawl_projections order by build");
}

// Takes a reader's snapshot of the database and keeps it open.
class open_reader {
  public:
    explicit open_reader(const fs::path& path) {
        REQUIRE(sqlite3_open_v2(path.c_str(), &database_, SQLITE_OPEN_READONLY, nullptr) ==
                SQLITE_OK);
        run("begin");
    }
    open_reader(const open_reader&) = delete;
    open_reader& operator=(const open_reader&) = delete;
    ~open_reader() { sqlite3_close(database_); }

    [[nodiscard]] std::int64_t total() { return run("select sum(balance) from balances"); }
    void end() { run("commit"); }

  private:
    std::int64_t run(const char* text) {
        sqlite3_stmt* made = nullptr;
        REQUIRE(sqlite3_prepare_v2(database_, text, -1, &made, nullptr) == SQLITE_OK);
        const bool row = sqlite3_step(made) == SQLITE_ROW;
        const std::int64_t found = row ? sqlite3_column_int64(made, 0) : 0;
        sqlite3_finalize(made);
        return found;
    }

    sqlite3* database_ = nullptr;
};

}  // namespace

TEST_CASE("a new version is built beside the live one and replaces it when it has caught up") {
    projected_journal journal;
    for (int i = 0; i < 100; ++i)
        journal.deposit(1, 1);
    journal.sync();
    {
        auto views = journal.follow();
        drain(views);
        must(views.close());
    }
    journal.deposit(1, 1000);
    journal.sync();
    {
        auto views = journal.follow<balances_of<2>>(stop_at_failure{}, {.batch_events = 10});
        CHECK(must(views.advance(now)));
        CHECK(must(views.advance(now)));
        const auto status = must(views.status<balances_of<2>>());
        CHECK(status.next == 20);
        CHECK_FALSE(status.live);
        CHECK(as<projected::late>(views.wait_for<balances_of<2>>(0, now)).building);
        CHECK(journal.ask(all_balances) == "1,100");
        CHECK(states(journal) == "1,live 2,building");
        // Interrupted here, it goes on with what it has.
    }
    auto views = journal.follow<balances_of<2>>();
    CHECK(must(views.status<balances_of<2>>()).next == 20);
    open_reader reader{journal.database};
    CHECK(reader.total() == 100);
    drain(views);
    // An open reader keeps what it saw.
    CHECK(reader.total() == 100);
    reader.end();
    CHECK(reader.total() == 1100);
    as<projected::reached>(views.wait_for<balances_of<2>>(100, now));
    CHECK(states(journal) == "1,old 2,live");
    CHECK(journal.difference<balances_of<2>>().empty());

    CHECK(views.drop("balances", 2).error().code == errc::busy);
    CHECK(views.drop("balances", 3).error().code == errc::not_found);
    must(views.drop("balances", 1));
    CHECK(states(journal) == "2,live");
    CHECK(journal.ask("select count(*) from sqlite_schema where name like 'balances#1.%'") == "0");
    const auto consumers = must(list_consumers(journal.directory)).consumers;
    REQUIRE(consumers.size() == 1);
    CHECK(consumers[0].name == "balances.v2");
    must(views.close());
}

TEST_CASE("a program of the version before makes its build live again, from where it stood") {
    projected_journal journal;
    journal.deposit(1, 1);
    journal.sync();
    for (int round = 0; round < 2; ++round) {
        auto first = journal.follow();
        drain(first);
        CHECK(must(first.status<balances>()).live);
        must(first.close());
        journal.deposit(1, 1);
        journal.sync();
        auto second = journal.follow<balances_of<2>>();
        drain(second);
        must(second.close());
    }
    CHECK(states(journal) == "1,old 2,live");
    CHECK(journal.ask(all_balances) == "1,3");
    CHECK(journal.difference<balances_of<2>>().empty());
    // The other one is whole too, as far as it goes.
    CHECK(journal.difference<balances>({.building = true}).empty());
    CHECK(drop_projection(journal.database, "balances", 2).error().code == errc::busy);
    must(drop_projection(journal.database, "balances", 1));
    CHECK(must(list_projections(journal.database)).size() == 1);
}

namespace {

// A journal whose database shows events that the log has lost since.
void lose_events(projected_journal& journal) {
    const fs::path copy = journal.home.path() / "copy";
    journal.deposit(1, 10);
    journal.close();
    fs::copy(journal.directory, copy, fs::copy_options::recursive);
    journal.open();
    journal.deposit(1, 500);
    journal.deposit(2, 500);
    journal.sync();
    auto views = journal.follow();
    drain(views);
    CHECK(journal.ask(all_balances) == "1,510 2,500");
    must(views.close());
    journal.close();
    fs::remove_all(journal.directory);
    fs::rename(copy, journal.directory);
    journal.open();
}

}  // namespace

TEST_CASE("a projection that shows events which the log has lost stops") {
    projected_journal journal;
    lose_events(journal);
    bool more = GENERATE(false, true);
    for (int i = 0; more && i < 5; ++i)
        journal.deposit(1, 2);
    journal.sync();
    CHECK(equals_fold<balances>(journal.directory, journal.database).error().code ==
          errc::diverged);
    auto views = journal.follow();
    // The database has the effects of other events there, so these are not reached.
    as<projected::late>(views.wait_for<balances>(1, now));
    const auto moved = views.advance(now);
    REQUIRE_FALSE(moved);
    CHECK(moved.error().code == errc::diverged);
    CHECK(as<projected::stopped>(views.wait_for<balances>(1, long_enough)).why.code ==
          errc::diverged);
    CHECK(as<projected::stopped>(views.wait_for<balances>(9, long_enough)).why.code ==
          errc::diverged);
}

TEST_CASE("wait_for goes back with a log that a recovery has cut") {
    projected_journal journal;
    journal.deposit(1, 10);
    journal.sync();
    auto views = journal.follow(stop_at_failure{}, {.show = visibility::published});
    drain(views);
    const std::vector<std::byte> payload(40, std::byte{1});
    const auto torn = must(journal.log->append({.type = 3}, payload)).position;
    drain(views);
    as<projected::reached>(views.wait_for<balances>(1, now));
    // If this took a second, the position was stored, and the projection diverges below.
    if (journal.ask("select next_sequence from pawl_projections") != "1")
        return;
    journal.log.reset();
    {
        std::fstream file{journal.directory / "0000000000.seg",
                          std::ios::in | std::ios::out | std::ios::binary};
        REQUIRE(torn.ordinal == 0);
        file.seekp(static_cast<std::streamoff>(torn.offset));
        file << std::string(32, '\0');
    }
    journal.open();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (must(views.status<balances>()).next != 1 && std::chrono::steady_clock::now() < deadline)
        must(views.advance(std::chrono::milliseconds{10}));
    CHECK(as<projected::late>(views.wait_for<balances>(1, now)).next == 1);
    journal.deposit(1, 5);
    journal.sync();
    drain(views);
    CHECK(journal.ask(all_balances) == "1,15");
}

TEST_CASE("or is built again, and replaces the wrong one when it has caught up") {
    projected_journal journal;
    lose_events(journal);
    for (int i = 0; i < 5; ++i)
        journal.deposit(1, 2);
    journal.sync();
    auto views =
        journal.follow(stop_at_failure{}, {.diverged = when_diverged::rebuild, .batch_events = 2});
    CHECK(must(views.advance(now)));
    CHECK(as<projected::late>(views.wait_for<balances>(0, now)).building);
    CHECK(journal.ask(all_balances) == "1,510 2,500");
    drain(views);
    CHECK(journal.ask(all_balances) == "1,20");
    as<projected::reached>(views.wait_for<balances>(5, now));
    CHECK(states(journal) == "1,live");
    must(views.close());
    CHECK(journal.difference().empty());
}

TEST_CASE("the audit names the table and the row that differ") {
    projected_journal journal;
    journal.deposit(1, 10);
    journal.deposit(2, 20);
    journal.sync();
    CHECK(equals_fold<balances>(journal.directory, journal.database).error().code ==
          errc::not_found);
    auto views = journal.follow();
    drain(views);
    must(views.close());
    const auto fine = must(equals_fold<balances>(journal.directory, journal.database));
    CHECK_FALSE(fine.difference);
    CHECK(fine.rows == 2);
    CHECK(fine.applied == 2);
    CHECK(fine.next == 2);
    CHECK(equals_fold<balances_of<2>>(journal.directory, journal.database).error().code ==
          errc::not_found);
    const auto change = [&](const char* text) {
        sqlite3* opened = nullptr;
        REQUIRE(sqlite3_open(journal.database.c_str(), &opened) == SQLITE_OK);
        CHECK(sqlite3_exec(opened, text, nullptr, nullptr, nullptr) == SQLITE_OK);
        sqlite3_close(opened);
    };
    change("update \"balances#1.balances\" set balance = 21 where account = 2");
    CHECK(journal.difference().starts_with("table balances, row 1: the database has (2, 21, 1, "));
    change("delete from \"balances#1.balances\" where account = 2");
    CHECK(journal.difference().starts_with("table balances, row 1: the database has nothing"));
    change("drop index \"balances#1.by_balance\"");
    CHECK(journal.difference().starts_with("table by_balance, row 0: the database has nothing"));
}

TEST_CASE("a database of a later program is left alone") {
    projected_journal journal;
    {
        auto views = journal.follow();
        must(views.close());
    }
    sqlite3* opened = nullptr;
    REQUIRE(sqlite3_open(journal.database.c_str(), &opened) == SQLITE_OK);
    CHECK(sqlite3_exec(opened, "update pawl_format set version = 2", nullptr, nullptr, nullptr) ==
          SQLITE_OK);
    sqlite3_close(opened);
    CHECK(projector::open(journal.directory, journal.database).error().code == errc::newer_format);
    CHECK(list_projections(journal.database).error().code == errc::newer_format);
    const auto none = list_projections(journal.home.path() / "none.db");
    REQUIRE_FALSE(none);
    CHECK(none.error().code == errc::not_found);
    CHECK(none.error().message().contains("none.db"));
    std::ofstream{journal.home.path() / "text.db"} << std::string(5000, 'x');
    CHECK(list_projections(journal.home.path() / "text.db").error().code == errc::damaged);
}

TEST_CASE("a new build goes live with the position that it has reached, also over other events") {
    projected_journal journal;
    journal.deposit(1, 1);
    for (int i = 0; i < 5; ++i)
        journal.rename(1);
    journal.sync();
    auto views = journal.follow(stop_at_failure{}, {.batch_events = 1});
    drain(views);
    // Ends as a crash does.
    CHECK(journal.ask("select state, next_sequence from pawl_projections") == "live,6");
}

TEST_CASE("a database whose first writer was killed is read as it was before") {
    projected_journal journal;
    const auto database = journal.home.path() / "new.db";
    const auto killed = journal.home.path() / "killed.db";
    sqlite3* handle = nullptr;
    REQUIRE(sqlite3_open(database.c_str(), &handle) == SQLITE_OK);
    // More than the cache holds, so that pages and the rollback journal reach their files.
    REQUIRE(sqlite3_exec(handle,
                         "pragma cache_size = 1; begin; create table t (x);"
                         "insert into t select zeroblob(4000) from json_each('[1,2,3,4,5,6,7,8]')",
                         nullptr, nullptr, nullptr) == SQLITE_OK);
    for (const char* ending : {"", "-journal"})
        std::filesystem::copy_file(database.string() + ending, killed.string() + ending);
    REQUIRE(sqlite3_close(handle) == SQLITE_OK);
    CHECK(list_projections(killed).error().code == errc::not_found);
    CHECK_FALSE(std::filesystem::exists(killed.string() + "-journal"));
}
