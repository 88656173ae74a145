// Reactions: what they submit, once, now and later, and where they go on.
#include "bank_journal.hpp"

#include <catch2/catch.hpp>
#include <support/must.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/prune.hpp>
#include <pawl/replay/command_loop.hpp>
#include <pawl/replay/fold.hpp>
#include <pawl/replay/reaction.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

namespace {

using namespace pawl;
using bank::ledger;
using test::must;
using namespace std::chrono_literals;

constexpr std::uint64_t copies = 1000;

// Each deposit to an account below 100 is paid again to account 1000 + n, twice if it is 2.
struct copy_deposits {
    using events = event_list<bank::deposited>;
    static void react(const bank::deposited& e, auto& out) {
        if (e.account() >= 100)
            return;
        out.submit(bank::deposit{copies + e.account(), e.amount()});
        if (e.account() == 2)
            out.submit(bank::deposit{copies + e.account(), 1});
    }
};

// A deposit to account n below 100 is taken back at the time that its amount says, if no name was
// given to the account before.
struct take_back {
    using events = event_list<bank::deposited, bank::renamed>;
    static void react(const bank::deposited& e, auto& out) {
        if (e.account() < 100)
            out.submit_at(static_cast<std::uint64_t>(e.amount()), e.account(),
                          bank::withdraw{e.account(), 1});
    }
    static void react(const bank::renamed& e, auto& out) { out.cancel(e.account()); }
};

struct in_journal {
    test::temporary_directory home;
    std::filesystem::path directory = home.path() / "j";
    std::unique_ptr<writer> log;
    std::unique_ptr<command_loop<ledger>> loop;
    std::uint64_t now = 0;
    std::uint32_t window = 4;  // so that reactions cannot rely on it

    in_journal() { open(); }
    ~in_journal() {
        if (loop)
            (void)loop->stop();
    }
    void open() {
        log = std::make_unique<writer>(must(writer::open(directory, {.segment_bytes = 64 << 10,
                                                                     .sync = sync_policy::manual(),
                                                                     .clock_report_interval_s = 0,
                                                                     .command_window = window})));
        auto books = must(fold<ledger>(directory));
        loop = std::make_unique<command_loop<ledger>>(
            must(command_loop<ledger>::start(*log, {}, std::move(books.state))));
    }
    // As after the death of the process: nothing is synced or closed.
    void crash() {
        must(loop->stop());
        loop.reset();
        log.reset();
    }
    void reopen() {
        crash();
        open();
    }
    template <class Command>
    void submit(Command command) {
        auto done = must(loop->submit(command, accepted_when::published));
        REQUIRE(done.get());
    }
    void rename(std::uint64_t account) {
        // The bank has no command for it.
        must(loop->stop());
        encoder encode;
        must(encode.append(*log, {.stream = account}, [&](auto& b) {
            return bank::Createrenamed(b, account, b.CreateString("kept"));
        }));
        auto books = must(fold<ledger>(directory));
        loop = std::make_unique<command_loop<ledger>>(
            must(command_loop<ledger>::start(*log, {}, std::move(books.state))));
    }
    template <class Rules>
    [[nodiscard]] reaction<Rules, ledger> react(reaction_options options = {.from = from_first{}}) {
        options.clock_ns = [this] { return now; };
        return must(reaction<Rules, ledger>::open(*log, *loop, "copies", {}, options));
    }
    // What happened to these accounts, after all that was submitted.
    [[nodiscard]] bank::account at(std::uint64_t account) const {
        auto books = must(fold<ledger>(directory));
        return books.state.accounts[account];
    }
};

template <class Rules>
void run(reaction<Rules, ledger>& which) {
    while (must(which.advance(0ns))) {
    }
}
// Also until the loop has decided what was submitted.
template <class Rules>
void run_to_end(reaction<Rules, ledger>& which) {
    run(which);
    must(which.close());
}

}  // namespace

TEST_CASE("an event leads to commands, which are decided once", "[replay][reaction]") {
    in_journal at;
    at.submit(bank::deposit{1, 10});
    at.submit(bank::deposit{2, 5});
    auto copying = at.react<copy_deposits>();
    run_to_end(copying);
    CHECK(copying.statistics().submitted == 3);
    CHECK(at.at(copies + 1).balance == 10);
    CHECK(at.at(copies + 2).balance == 6);
    CHECK(at.at(copies + 2).events == 2);
}

TEST_CASE("a new reaction begins with what happens after it was opened", "[replay][reaction]") {
    in_journal at;
    at.submit(bank::deposit{1, 10});
    auto copying = at.react<copy_deposits>({});
    at.submit(bank::deposit{1, 7});
    run_to_end(copying);
    CHECK(at.at(copies + 1).balance == 7);
}

TEST_CASE("what took effect before a crash is not submitted again, beyond the command window too",
          "[replay][reaction]") {
    in_journal at;
    constexpr std::uint64_t deposits = 20;
    {
        auto copying = at.react<copy_deposits>({.from = from_first{}, .checkpoint_interval = 1h});
        for (std::uint64_t n = 0; n < deposits; ++n)
            at.submit(bank::deposit{1, 1});
        run(copying);
        must(at.loop->stop());
        // It dies without having stored its position.
        CHECK(copying.statistics().committed == 0);
    }
    at.reopen();
    for (std::uint64_t n = 0; n < deposits; ++n)
        at.submit(bank::deposit{3, 1});
    auto copying = at.react<copy_deposits>();
    run_to_end(copying);
    CHECK(copying.statistics().in_the_log == deposits);
    CHECK(copying.statistics().submitted == deposits);
    CHECK(at.at(copies + 1).balance == std::int64_t{deposits});
    CHECK(at.at(copies + 3).balance == std::int64_t{deposits});
}

TEST_CASE("a reaction that was closed goes on where it was", "[replay][reaction]") {
    in_journal at;
    at.submit(bank::deposit{1, 10});
    auto first = at.react<copy_deposits>();
    run_to_end(first);
    at.submit(bank::deposit{1, 4});
    auto second = at.react<copy_deposits>();
    CHECK(second.statistics().committed >= 1);  // 2 if it has also read what it led to
    run_to_end(second);
    // Among what it read again is what the first had led to.
    CHECK(second.statistics().submitted == 1);
    CHECK(at.at(copies + 1).balance == 14);
}

TEST_CASE("a timer fires once, at its time, and survives a crash before and after it",
          "[replay][reaction]") {
    in_journal at;
    at.submit(bank::deposit{1, 100});
    at.submit(bank::deposit{2, 200});
    {
        auto timers = at.react<take_back>();
        run(timers);
        CHECK(timers.statistics().waiting == 2);
        CHECK(timers.statistics().submitted == 0);
        at.now = 99;
        run(timers);
        CHECK(timers.statistics().submitted == 0);
    }
    at.reopen();
    {
        auto timers = at.react<take_back>();
        run(timers);
        CHECK(timers.statistics().waiting == 2);
        at.now = 100;
        run(timers);
        CHECK(timers.statistics().submitted == 1);
        must(at.loop->stop());
        CHECK(at.at(1).balance == 99);
    }
    at.reopen();
    // Push it out of the window.
    for (int n = 0; n < 10; ++n)
        at.submit(bank::deposit{500, 1});
    {
        auto timers = at.react<take_back>();
        at.now = 150;
        run(timers);
        CHECK(timers.statistics().in_the_log == 1);
        CHECK(timers.statistics().submitted == 0);
        CHECK(timers.statistics().waiting == 1);
        at.now = 1000;
        run_to_end(timers);
        CHECK(timers.statistics().waiting == 0);
    }
    CHECK(at.at(1).balance == 99);
    CHECK(at.at(2).balance == 199);
}

TEST_CASE("a timer is cancelled, and replaced, by its key", "[replay][reaction]") {
    in_journal at;
    auto timers = at.react<take_back>();
    at.submit(bank::deposit{1, 100});
    at.submit(bank::deposit{2, 200});
    run(timers);
    at.submit(bank::deposit{2, 300});
    run(timers);
    CHECK(timers.statistics().waiting == 2);
    must(timers.close());
    at.rename(1);

    auto again = at.react<take_back>();
    run(again);
    CHECK(again.statistics().waiting == 1);
    at.now = 299;
    run(again);
    CHECK(again.statistics().submitted == 0);
    at.now = 300;
    run_to_end(again);
    CHECK(again.statistics().submitted == 1);
    CHECK(at.at(1).balance == 100);
    CHECK(at.at(2).balance == 499);
}

TEST_CASE("a refused command is final", "[replay][reaction]") {
    in_journal at;
    at.submit(bank::deposit{1, 50});
    at.submit(bank::withdraw{1, 50});
    {
        auto timers = at.react<take_back>();
        at.now = 50;
        run(timers);
        CHECK(timers.statistics().submitted == 1);
        must(at.loop->stop());
    }
    at.reopen();
    // Now there would be enough.
    at.submit(bank::deposit{1, 1000});
    auto timers = at.react<take_back>();
    run_to_end(timers);
    CHECK(timers.statistics().in_the_log == 1);
    CHECK(at.at(1).balance == 1000);
}

TEST_CASE("a prune keeps the event of a timer that waits", "[replay][reaction]") {
    in_journal at;
    auto timers = at.react<take_back>();
    at.submit(bank::deposit{1, 100});
    const auto fill = [&] {
        for (int n = 0; n < 3000; ++n)
            at.submit(bank::deposit{500, 1});
    };
    fill();
    run(timers);
    must(timers.close());
    must(at.log->sync());
    must(at.log->prune({.keep_bytes = 0}));
    auto again = at.react<take_back>();
    CHECK(again.statistics().committed == 0);
    at.now = 100;
    run(again);
    CHECK(again.statistics().submitted == 1);
    fill();
    run_to_end(again);
    CHECK(again.statistics().committed > 3000);
    CHECK(must(at.log->prune({.keep_bytes = 0})).segments > 0);
}

TEST_CASE("a reaction stops at an event that it cannot read, and with the loop",
          "[replay][reaction]") {
    in_journal at;
    auto copying = at.react<copy_deposits>();
    SECTION("the loop was stopped") {
        at.submit(bank::deposit{1, 10});
        must(at.loop->stop());
        const auto moved = copying.advance(0ns);
        REQUIRE_FALSE(moved);
        CHECK(moved.error().code == errc::closed);
        const auto again = copying.advance(0ns);
        REQUIRE_FALSE(again);
        CHECK(again.error().code == errc::closed);
    }
    SECTION("a payload that is no table") {
        must(at.loop->stop());
        const std::vector<std::byte> payload(16, std::byte{255});
        must(at.log->append({.type = 1, .schema_version = 1}, payload));
        const auto moved = copying.advance(0ns);
        REQUIRE_FALSE(moved);
        CHECK(moved.error().code == errc::malformed);
        CHECK(moved.error().sequence == 0);
    }
}

TEST_CASE("a name is one reaction's, with its events", "[replay][reaction]") {
    in_journal at;
    {
        auto copying = at.react<copy_deposits>();
        const auto second = reaction<copy_deposits, ledger>::open(*at.log, *at.loop, "copies");
        REQUIRE_FALSE(second);
        CHECK(second.error().code == errc::locked);
    }
    const auto other = reaction<take_back, ledger>::open(*at.log, *at.loop, "copies");
    REQUIRE_FALSE(other);
    CHECK(other.error().code == errc::invalid_argument);
    (void)at.react<take_back>({.from = from_first{}, .replace_events = true});
}
