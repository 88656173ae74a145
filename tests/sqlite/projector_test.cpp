// Projections: what readers of the database see, and what wait_for() says of it.
#include "balances.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/prune.hpp>

#include <atomic>
#include <stdexcept>
#include <thread>

using namespace pawl;
using namespace pawl::test;

TEST_CASE("a projection shows the effects of the events, and goes on where it was") {
    projected_journal journal;
    journal.deposit(1, 10);
    journal.rename(1);
    journal.batch({{1, 5}, {2, 7}});
    journal.sync();
    {
        auto views = journal.follow();
        drain(views);
        CHECK(journal.ask(all_balances) == "1,15 2,7");
        const auto status = must(views.status<balances>());
        CHECK(status.live);
        CHECK(status.next == 4);
        CHECK(status.applied == 3);
        CHECK_FALSE(status.stopped);
        // Ends without close(), as a crash does.
    }
    journal.withdraw(1, 4);
    journal.sync();
    auto views = journal.follow();
    CHECK(journal.ask(all_balances) == "1,15 2,7");
    drain(views);
    CHECK(journal.ask(all_balances) == "1,11 2,7");
    CHECK(must(views.status<balances>()).applied == 4);
    must(views.close());
    CHECK(journal.difference().empty());
    CHECK(journal.ask("select name, state, next_sequence, applied from pawl_projections") ==
          "balances,live,5,4");
}

TEST_CASE("an effect, and the position after it, become visible together and by whole batches") {
    projected_journal journal;
    auto views = journal.follow(stop_at_failure{}, {.batch_events = 1});
    drain(views);
    journal.batch({{1, 1}, {2, 2}, {3, 3}});
    journal.deposit(1, 100);
    journal.sync();
    CHECK(must(views.advance(now)));
    CHECK(journal.ask(all_balances) == "1,1 2,2 3,3");
    CHECK(journal.ask("select next_sequence from pawl_projections") == "3");
    CHECK(must(views.advance(now)));
    CHECK(journal.ask(all_balances) == "1,101 2,2 3,3");
    CHECK_FALSE(must(views.advance(now)));
}

TEST_CASE("only durable events are projected, unless others are asked for") {
    projected_journal journal;
    journal.deposit(1, 10);
    journal.sync();
    journal.deposit(1, 5);
    auto views = journal.follow();
    drain(views);
    CHECK(journal.ask(all_balances) == "1,10");
    CHECK(as<projected::late>(views.wait_for<balances>(1, now)).next == 1);
    must(views.close());
    auto early = journal.follow(stop_at_failure{}, {.show = visibility::published});
    drain(early);
    CHECK(journal.ask(all_balances) == "1,15");
}

TEST_CASE("wait_for returns once readers see the event, from any thread", "[concurrency]") {
    projected_journal journal;
    auto views = journal.follow();
    drain(views);
    std::atomic<bool> ready{false};
    std::optional<projected::outcome> seen;
    std::string rows;
    std::thread waiting{[&] {
        ready = true;
        seen = views.wait_for<balances>(0, long_enough);
        rows = journal.ask(all_balances);
    }};
    while (!ready)
        std::this_thread::yield();
    journal.deposit(3, 30);
    journal.sync();
    while (!must(views.advance(std::chrono::milliseconds{10}))) {
    }
    waiting.join();
    as<projected::reached>(std::move(*seen));
    CHECK(rows == "3,30");
}

TEST_CASE("wait_for reaches events that the projection has no use for") {
    projected_journal journal;
    auto views = journal.follow();
    drain(views);
    for (int i = 0; i < 5; ++i)
        journal.rename(1);
    journal.sync();
    CHECK(as<projected::late>(views.wait_for<balances>(4, now)).next == 0);
    drain(views);
    as<projected::reached>(views.wait_for<balances>(4, now));
    CHECK(as<projected::late>(views.wait_for<balances>(5, now)).next == 5);
    must(views.close());
    // The position has moved over them, so that nothing holds them back.
    CHECK(journal.ask("select next_sequence from pawl_projections") == "5");
    CHECK(must(list_consumers(journal.directory)).consumers.at(0).holds_from == 5);
}

TEST_CASE("wait_for does not wait for what cannot come") {
    projected_journal journal;
    auto views = journal.open_projector();
    CHECK(as<projected::stopped>(views.wait_for<balances>(0, long_enough)).why.code ==
          errc::not_found);
    CHECK(views.status<balances>().error().code == errc::not_found);
    must(views.add<balances>(stop_at_failure{}));
    CHECK(as<projected::late>(views.wait_for<balances>(0, now)).building);
    must(views.close());
    CHECK(as<projected::stopped>(views.wait_for<balances>(0, long_enough)).why.code ==
          errc::closed);
    CHECK(views.advance(now).error().code == errc::closed);
}

TEST_CASE("a database has one projector", "[concurrency]") {
    projected_journal journal;
    auto views = journal.follow();
    const auto second = projector::open(journal.directory, journal.database);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == errc::locked);
    CHECK(second.error().message().contains("views.db-projector"));
    must(views.close());
    must(projector::open(journal.directory, journal.database));
}

TEST_CASE("a projector that is closed has no file of the database open") {
    projected_journal journal;
    const auto log = journal.database.string() + "-wal";
    journal.deposit(1, 10);
    journal.sync();
    auto views = journal.follow();
    drain(views);
    CHECK(std::filesystem::exists(log));
    must(views.close());
    // SQLite removes it with the last connection.
    CHECK_FALSE(std::filesystem::exists(log));
}

TEST_CASE("a projector that has nothing to do stores how far it has come") {
    projected_journal journal;
    auto views = journal.follow();
    drain(views);
    journal.deposit(1, 10);
    journal.rename(1);
    journal.sync();
    drain(views);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    const auto is_stored = [&] {
        return must(list_consumers(journal.directory)).consumers.at(0).holds_from == 2 &&
               journal.ask("select next_sequence from pawl_projections") == "2";
    };
    while (!is_stored() && std::chrono::steady_clock::now() < deadline)
        must(views.advance(std::chrono::milliseconds{50}));
    CHECK(is_stored());
}

namespace {

struct throwing_balances : balances {
    static inline bool throws = false;
    static result<void> apply(projection_tables& to, const bank::deposited& e, const event& at) {
        if (e.account() == 2 && throws)
            throw std::runtime_error{"not yet"};
        return balances::apply(to, e, at);
    }
    static result<void> apply(projection_tables& to, const bank::withdrawn& e, const event& at) {
        return balances::apply(to, e, at);
    }
};

}  // namespace

TEST_CASE("an exception of apply loses no event") {
    projected_journal journal;
    journal.deposit(1, 10);
    journal.deposit(2, 20);
    journal.deposit(3, 30);
    journal.sync();
    throwing_balances::throws = true;
    auto views = journal.follow<throwing_balances>();
    CHECK_THROWS_AS(views.advance(now), std::runtime_error);
    throwing_balances::throws = false;
    drain(views);
    CHECK(journal.ask(all_balances) == "1,10 2,20 3,30");
}

TEST_CASE("a projection holds back prunes, and says so if events that it needs are gone") {
    projected_journal journal;
    {
        auto views = journal.follow();
        drain(views);
        must(views.close());
    }
    for (int i = 0; i < 2000; ++i)
        journal.deposit(1, 1);
    journal.close();
    const auto held = must(prune(journal.directory, {.keep_bytes = 0}));
    CHECK(held.segments == 0);
    REQUIRE(held.held_by.size() == 1);
    CHECK(held.held_by[0].name == "consumer balances.v1");
    {
        auto views = journal.follow();
        drain(views);
        must(views.close());
    }
    CHECK(must(prune(journal.directory, {.keep_bytes = 0})).segments > 0);
    std::filesystem::remove(journal.database);
    auto views = journal.open_projector();
    const auto added = views.add<balances>(stop_at_failure{});
    REQUIRE_FALSE(added);
    CHECK(added.error().code == errc::pruned);
    CHECK(added.error().sequence != no_value);
}

namespace {

struct trespasser {
    static constexpr std::string_view name = "trespasser";
    static constexpr std::uint32_t version = 1;
    using events = event_list<bank::deposited>;
    static inline std::string statement;

    static result<void> create(projection_tables& to) {
        return to.run("create table {mine} (n integer) strict");
    }
    static result<void> apply(projection_tables& to, const bank::deposited&) {
        return to.run(statement);
    }
};

}  // namespace

TEST_CASE("a projection cannot reach what is not its own") {
    projected_journal journal;
    journal.deposit(1, 10);
    journal.sync();
    auto views = journal.follow();
    drain(views);
    must(views.close());
    for (const char* each :
         {"insert into {mine} select balance from balances", "delete from pawl_projections",
          "update \"balances#1.balances\" set balance = 0", "commit", "rollback", "attach 'x' as y",
          "pragma synchronous = off", "create table other (n integer)", "drop table {mine}",
          "create temp table t (n)", "insert into {mine} values (?1)",
          "create trigger {t} after delete on \"balances#1.balances\" begin select 1; end",
          "create trigger {t} after update on pawl_projections begin delete from {mine}; end",
          "create index {i} on \"balances#1.balances\" (1)", "alter table {mine} rename to other",
          "delete from sqlite_sequence", "update sqlite_sequence set seq = 0",
          "insert into {mine} values (1); delete from {mine}", ""}) {
        INFO(each);
        trespasser::statement = each;
        auto wrong = journal.follow<trespasser>();
        const auto moved = wrong.advance(now);
        REQUIRE_FALSE(moved);
        CHECK(moved.error().code == errc::invalid_argument);
        CHECK(moved.error().sequence == 0);
    }
    CHECK(journal.ask(all_balances) == "1,10");
    trespasser::statement = "insert into {mine} select count(*) from {mine}";
    auto right = journal.follow<trespasser>();
    drain(right);
    CHECK(journal.ask("select * from mine") == "0");
}

namespace {

// Its tables have what SQLite adds to them by itself.
struct furnished {
    static constexpr std::string_view name = "furnished";
    static constexpr std::uint32_t version = 1;
    using events = event_list<bank::deposited>;

    static result<void> create(projection_tables& to) {
        for (const char* each :
             {"create table {pairs} (account integer, amount integer, label text unique, "
              "primary key (account, amount)) strict, without rowid",
              "create table {last} (n integer primary key autoincrement, label text unique)",
              "create view {labels} as select label from {pairs}",
              "create trigger {copy} after insert on {pairs} begin "
              "insert into {last} (label) values (new.label); end",
              "alter table {last} add column note text", "reindex {last}"})
            if (auto made = to.run(each); !made)
                return made;
        return {};
    }
    static result<void> apply(projection_tables& to, const bank::deposited& e) {
        return to.run(
            "insert into {pairs} values (?1, ?2, ?1 || '-' || ?2) "
            "on conflict do update set label = excluded.label || '!'",
            e.account(), e.amount());
    }
};

}  // namespace

TEST_CASE("a projection may have keys, counters, views and triggers of its own") {
    projected_journal journal;
    journal.deposit(1, 10);
    journal.deposit(2, 20);
    journal.deposit(1, 10);
    journal.sync();
    auto views = journal.follow<furnished>();
    drain(views);
    CHECK(journal.ask("select label from labels order by 1") == "1-10! 2-20");
    CHECK(journal.ask("select n, label from last order by 1") == "1,1-10 2,2-20");
    CHECK(journal.difference<furnished>().empty());
}

namespace {

template <int Wrong>
struct named_wrongly {
    static constexpr std::string_view name = Wrong == 0 ? "Upper" : "other";
    static constexpr std::uint32_t version = 1;
    using events = event_list<bank::deposited>;
    static result<void> create(projection_tables& to) {
        return to.run(Wrong == 1 ? "create table {balances} (n integer) strict"
                                 : "create table oops (n integer)");
    }
    static result<void> apply(projection_tables&, const bank::deposited&) { return {}; }
};

}  // namespace

TEST_CASE("what cannot be added leaves nothing behind") {
    projected_journal journal;
    auto views = journal.follow();
    drain(views);
    CHECK(views.add<balances>(skip_failure{}).error().code == errc::invalid_argument);
    CHECK(views.add<named_wrongly<0>>(skip_failure{}).error().code == errc::invalid_argument);
    const auto taken = views.add<named_wrongly<1>>(skip_failure{});
    REQUIRE_FALSE(taken);
    CHECK(taken.error().message().contains("projection balances has one of that name"));
    CHECK(views.add<named_wrongly<2>>(skip_failure{}).error().code == errc::invalid_argument);
    CHECK(views.add<trespasser>(park_key{}).error().code == errc::invalid_argument);
    auto prefixed = must(projector::open(journal.directory, journal.home.path() / "other.db",
                                         {.consumer_prefix = "more-than-ten"}));
    CHECK(prefixed.add<balances>(skip_failure{}).error().code == errc::invalid_argument);
    CHECK(must(list_consumers(journal.directory)).consumers.size() == 1);
    CHECK(journal.ask("select count(*) from pawl_projections") == "1");
    must(views.close());
}

namespace {

struct wrong_balances : balances {
    static result<void> create(projection_tables& to) { return to.run("create table {"); }
};

}  // namespace

TEST_CASE("two databases with one projection do not share a consumer") {
    projected_journal journal;
    auto first = journal.follow();
    drain(first);
    must(first.close());
    const auto other = journal.home.path() / "second.db";
    const auto add_to_other = [&](projector_options options) {
        auto views = must(projector::open(journal.directory, other, std::move(options)));
        auto added = views.add<balances>(skip_failure{});
        if (added)
            drain(views);
        must(views.close());
        return added;
    };
    const auto refused = add_to_other({});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::invalid_argument);
    CHECK(refused.error().message().contains("views.db"));
    CHECK(refused.error().message().contains("consumer_prefix"));
    CHECK(must(list_consumers(journal.directory)).consumers.size() == 1);
    must(add_to_other({.consumer_prefix = "second"}));
    const auto both = must(list_consumers(journal.directory)).consumers;
    REQUIRE(both.size() == 2);
    CHECK(both[0].selection.ends_with("views.db"));
    CHECK(both[1].selection.ends_with("second.db"));

    // A database that was moved takes its consumer along, and one that is gone leaves it.
    const auto moved = journal.home.path() / "moved.db";
    std::filesystem::rename(other, moved);
    auto again = must(projector::open(journal.directory, moved, {.consumer_prefix = "second"}));
    must(again.add<balances>(skip_failure{}));
    must(again.close());
    std::filesystem::remove(journal.database);
    must(add_to_other({}));
    CHECK(must(list_consumers(journal.directory)).consumers.size() == 2);
}

TEST_CASE("what cannot be added to another database leaves the consumer of the first") {
    projected_journal journal;
    must(journal.follow().close());
    auto second = must(projector::open(journal.directory, journal.home.path() / "second.db"));
    CHECK_FALSE(second.add<wrong_balances>(stop_at_failure{}));
    CHECK(must(list_consumers(journal.directory)).consumers.size() == 1);
}
