// Events whose `apply` fails: the projection stops, parks their key or leaves them out.
#include "balances.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/prune.hpp>
#include <pawl/sqlite/projection_catalog.hpp>

using namespace pawl;
using namespace pawl::test;

namespace {

// Account 1 is overdrawn at event 2; events 3 to 6 are of accounts 1 and 2 in turn.
void fill(projected_journal& journal) {
    journal.deposit(1, 10);
    journal.deposit(2, 20);
    journal.withdraw(1, 50);
    journal.deposit(1, 5);
    journal.deposit(2, 1);
    journal.deposit(1, 60);
    journal.deposit(2, 1);
    journal.sync();
}

[[nodiscard]] std::string keys_of(const std::vector<parked_event>& parked) {
    std::string text;
    for (const parked_event& each : parked)
        text += std::to_string(each.sequence) + ":" + each.key + (each.why.empty() ? " " : "! ");
    return text;
}

}  // namespace

TEST_CASE("a projection stops before an event that fails, and tries it again when it is opened") {
    projected_journal journal;
    fill(journal);
    for (int i = 0; i < 2; ++i) {
        auto views = journal.follow();
        const error why = failure_of(views);
        CHECK(why.code == errc::invalid_argument);
        CHECK(why.sequence == 2);
        CHECK(why.message().contains("CHECK constraint failed"));
        CHECK_FALSE(views.advance(long_enough));
        const auto status = must(views.status<balances>());
        CHECK(status.next == 2);
        REQUIRE(status.stopped);
        CHECK(as<projected::stopped>(views.wait_for<balances>(2, long_enough)).event == 2);
        const auto listed = must(list_projections(journal.database));
        REQUIRE(listed.size() == 1);
        CHECK(listed[0].stopped.contains("sequence 2"));
        must(views.close());
    }
    // Nothing was live before, so readers see nothing yet; what was applied is right.
    CHECK(journal.difference({.building = true}).empty());
}

TEST_CASE("a live projection that stops keeps what it has shown, and the event's batch together") {
    projected_journal journal;
    journal.deposit(1, 10);
    journal.sync();
    auto views = journal.follow();
    drain(views);
    journal.deposit(1, 1);
    journal.batch({{2, 5}, {1, -100}, {3, 5}});
    journal.sync();
    CHECK(failure_of(views).sequence == 3);
    CHECK(journal.ask(all_balances) == "1,11");
    as<projected::reached>(views.wait_for<balances>(1, now));
    CHECK(as<projected::stopped>(views.wait_for<balances>(2, long_enough)).event == 3);
    must(views.close());
    CHECK(journal.difference().empty());
}

TEST_CASE("an event is left out on record") {
    projected_journal journal;
    fill(journal);
    {
        auto views = journal.follow(skip_failure{});
        drain(views);
        CHECK(journal.ask(all_balances) == "1,75 2,22");
        // The failed event's first statement has left nothing.
        CHECK(journal.ask("select events from balances where account = 1") == "3");
        CHECK(must(views.status<balances>()).skipped == 1);
        as<projected::skipped>(views.wait_for<balances>(2, now));
        as<projected::reached>(views.wait_for<balances>(3, now));
    }
    auto views = journal.follow(skip_failure{});
    as<projected::skipped>(views.wait_for<balances>(2, now));
    must(views.close());
    CHECK(journal.ask("select sequence, why like '%CHECK%' from pawl_skipped") == "2,1");
    CHECK(journal.difference().empty());
}

TEST_CASE("no event overtakes a parked one of its key") {
    projected_journal journal;
    fill(journal);
    {
        auto views = journal.follow(park_key{});
        drain(views);
        CHECK(journal.ask(all_balances) == "1,10 2,22");
        CHECK(keys_of(must(views.parked<balances>())) == "2:1! 3:1 5:1 ");
        CHECK(as<projected::parked>(views.wait_for<balances>(3, now)).key == "1");
        as<projected::reached>(views.wait_for<balances>(6, now));
    }
    // Also after a restart, and with other batches.
    auto views = journal.follow(park_key{}, {.batch_events = 1});
    journal.deposit(1, 3);
    journal.deposit(2, 3);
    journal.sync();
    drain(views);
    CHECK(journal.ask(all_balances) == "1,10 2,25");
    CHECK(keys_of(must(views.parked<balances>())) == "2:1! 3:1 5:1 7:1 ");
    must(views.close());
    CHECK(journal.difference().empty());
}

namespace {

// Fails for withdrawals until it has been repaired.
struct repaired_balances : balances {
    static inline bool works = false;
    static result<void> apply(projection_tables& to, const bank::deposited& e, const event& at) {
        return balances::apply(to, e, at);
    }
    static result<void> apply(projection_tables& to, const bank::withdrawn& e, const event& at) {
        return works ? balances::apply(to, e, at) : fail(errc::malformed, "not repaired");
    }
};

}  // namespace

TEST_CASE("parked events are retried in their order, up to one that fails again") {
    projected_journal journal;
    journal.deposit(1, 10);
    journal.withdraw(1, 1);
    journal.deposit(1, 100);
    journal.withdraw(1, 500);
    journal.deposit(1, 1000);
    journal.sync();
    repaired_balances::works = false;
    auto views = journal.follow<repaired_balances>(park_key{});
    drain(views);
    CHECK(views.retry<repaired_balances>("7").error().code == errc::not_found);
    const auto early = must(views.retry<repaired_balances>("1"));
    CHECK(early.applied == 0);
    CHECK(early.left == 4);
    CHECK(early.why.contains("not repaired"));
    repaired_balances::works = true;
    const auto report = must(views.retry<repaired_balances>("1"));
    CHECK(report.applied == 2);
    CHECK(report.left == 2);
    CHECK(report.why.contains("CHECK constraint failed"));
    CHECK(journal.ask("select balance, events from balances") == "109,3");
    CHECK(keys_of(must(views.parked<repaired_balances>())) == "3:1! 4:1 ");
    journal.deposit(1, 1);
    journal.sync();
    drain(views);
    CHECK(keys_of(must(views.parked<repaired_balances>())) == "3:1! 4:1 5:1 ");
    CHECK(journal.difference<repaired_balances>().empty());

    CHECK(must(views.drop_parked<repaired_balances>("1")) == 3);
    CHECK(views.drop_parked<repaired_balances>("1").error().code == errc::not_found);
    as<projected::skipped>(views.wait_for<repaired_balances>(4, now));
    journal.deposit(1, 1);
    journal.sync();
    drain(views);
    CHECK(journal.ask("select balance, events from balances") == "110,4");
    must(views.close());
    CHECK(journal.difference<repaired_balances>().empty());
}

TEST_CASE("an operator has parked events retried by the next projector, or drops them") {
    projected_journal journal;
    journal.deposit(1, 10);
    journal.withdraw(1, 1);
    journal.withdraw(2, 1);
    journal.sync();
    repaired_balances::works = false;
    auto views = journal.follow<repaired_balances>(park_key{});
    drain(views);
    CHECK(ask_for_retry(journal.database, "balances", "1").error().code == errc::locked);
    must(views.close());
    CHECK(must(ask_for_retry(journal.database, "balances", "1")) == 1);
    CHECK(must(drop_parked_events(journal.database, "balances", "2")) == 1);
    CHECK(ask_for_retry(journal.database, "balances", "2").error().code == errc::not_found);
    CHECK(ask_for_retry(journal.database, "other", "1").error().code == errc::not_found);
    const auto listed = must(list_projections(journal.database)).at(0);
    CHECK(keys_of(listed.parked) == "1:1! ");
    CHECK(listed.skipped == 1);
    repaired_balances::works = true;
    auto again = journal.follow<repaired_balances>(park_key{});
    drain(again);
    CHECK(journal.ask(all_balances) == "1,9");
    CHECK(must(again.parked<repaired_balances>()).empty());
    must(again.close());
    CHECK(journal.difference<repaired_balances>().empty());
}

TEST_CASE("a retry that was asked for is made once") {
    projected_journal journal;
    fill(journal);
    {
        auto views = journal.follow(park_key{});
        drain(views);
        must(views.close());
    }
    CHECK(must(ask_for_retry(journal.database, "balances", "1")) == 3);
    auto views = journal.follow(park_key{});
    drain(views);
    CHECK(keys_of(must(views.parked<balances>())) == "2:1! 3:1 5:1 ");
    CHECK(journal.ask("select sum(retry) from pawl_parked") == "0");
}

namespace {

// The same rows, without a key.
struct keyless_balances {
    static constexpr std::string_view name = balances::name;
    static constexpr std::uint32_t version = balances::version;
    using events = balances::events;
    static result<void> create(projection_tables& to) { return balances::create(to); }
    static result<void> apply(projection_tables& to, const auto& e, const event& at) {
        return balances::apply(to, e, at);
    }
};

}  // namespace

TEST_CASE("a projection that has events parked needs its key") {
    projected_journal journal;
    fill(journal);
    {
        auto views = journal.follow(park_key{});
        drain(views);
        must(views.close());
    }
    journal.deposit(1, 1);
    journal.sync();
    {
        auto views = journal.open_projector();
        const auto added = views.add<keyless_balances>(skip_failure{});
        REQUIRE_FALSE(added);
        CHECK(added.error().code == errc::invalid_argument);
        must(views.close());
    }
    CHECK(must(drop_parked_events(journal.database, "balances", "1")) == 3);
    auto views = journal.follow<keyless_balances>(skip_failure{});
    drain(views);
    CHECK(journal.ask(all_balances) == "1,11 2,22");
}

namespace {

// Does not look at what became of its statement, whose failure ends the transaction.
struct careless {
    static constexpr std::string_view name = "careless";
    static constexpr std::uint32_t version = 1;
    using events = event_list<bank::deposited>;
    static result<void> create(projection_tables& to) {
        return to.run("create table {accounts} (n integer primary key) strict");
    }
    static result<void> apply(projection_tables& to, const bank::deposited& e) {
        (void)to.run("insert or rollback into {accounts} values (?1)", e.account());
        return {};
    }
};

}  // namespace

TEST_CASE("a transaction that ends inside of apply leaves neither effects nor a position") {
    projected_journal journal;
    journal.deposit(1, 1);
    journal.sync();
    {
        auto views = journal.follow<careless>(skip_failure{});
        drain(views);
        must(views.close());
    }
    for (const std::uint64_t account : {2U, 1U, 3U, 4U})
        journal.deposit(account, 1);
    journal.sync();
    for (int i = 0; i < 2; ++i) {
        auto views = journal.follow<careless>(skip_failure{});
        const error why = failure_of(views);
        CHECK(why.code == errc::io);
        CHECK(why.sequence == 2);
        must(views.close());
        CHECK(journal.ask("select n from accounts") == "1");
        CHECK(journal.ask("select next_sequence from pawl_projections") == "1");
    }
    CHECK(journal.difference<careless>().empty());
}

TEST_CASE("a projection stops instead of parking more than it may") {
    projected_journal journal;
    journal.deposit(1, 10);
    journal.sync();
    auto views = journal.follow(park_key{.most_events = 2});
    drain(views);
    journal.withdraw(1, 50);
    for (int i = 0; i < 5; ++i)
        journal.deposit(1, 1);
    journal.sync();
    const error why = failure_of(views);
    CHECK(why.code == errc::too_large);
    CHECK(why.limit == 2);
    CHECK(why.sequence == 3);
    CHECK(must(views.parked<balances>()).size() == 2);
    // A retry does not set it going again.
    CHECK(must(views.retry<balances>("1")).left == 2);
    CHECK(must(list_projections(journal.database)).at(0).stopped.contains("most_events"));
    must(views.close());
    CHECK(journal.difference().empty());
}

TEST_CASE("an event that cannot be decoded has no key, and stops a projection that parks") {
    projected_journal journal;
    journal.deposit(1, 10);
    journal.sync();
    const std::vector<std::byte> nonsense(24, std::byte{0xff});
    {
        auto views = journal.follow(park_key{});
        drain(views);
        must(journal.log->append({.type = 1, .schema_version = 1}, nonsense));
        journal.deposit(1, 1);
        journal.sync();
        CHECK(failure_of(views).code == errc::malformed);
        must(views.close());
    }
    auto views = journal.follow(skip_failure{});
    drain(views);
    CHECK(journal.ask(all_balances) == "1,11");
}

TEST_CASE("parked events are kept by a prune until they are retried or dropped") {
    projected_journal journal;
    journal.withdraw(1, 50);
    for (int i = 0; i < 2000; ++i)
        journal.deposit(2, 1);
    journal.close();
    auto views = journal.follow(park_key{});
    drain(views);
    must(views.close());
    CHECK(must(prune(journal.directory, {.keep_bytes = 0})).segments == 0);
    CHECK(must(drop_parked_events(journal.database, "balances", "1")) == 1);
    auto again = journal.follow(park_key{});
    drain(again);
    must(again.close());
    CHECK(must(prune(journal.directory, {.keep_bytes = 0})).segments > 0);
}
