#include "bank_journal.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/replay/command_loop.hpp>
#include <pawl/replay/fold.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace {

using bank::ledger;
using loop_type = pawl::command_loop<ledger>;
using enum pawl::accepted_when;

// A gate that holds the deciding thread inside a command until the test opens it.
class gate {
  public:
    void pass() {
        std::unique_lock lock{mutex_};
        reached_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
    }
    void wait_until_reached() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return reached_; });
    }
    void open() {
        const std::scoped_lock lock{mutex_};
        open_ = true;
        changed_.notify_all();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool reached_ = false;
    bool open_ = false;
};

// Two accounts whose sum must never change by a transfer, and a command that blocks.
struct held_ledger : ledger {
    struct hold {
        gate* at;
    };
    using ledger::decide;
    static outcome decide(const hold& c, const state&, pawl::decision&) {
        c.at->pass();
        return {};
    }
};
using held_loop = pawl::command_loop<held_ledger>;

struct in_journal {
    pawl::test::temporary_directory directory;
    pawl::writer log = bank::open_writer(directory.path());

    template <class Decider = ledger>
    pawl::command_loop<Decider> start(pawl::command_loop_options options = {}) {
        auto loop = pawl::command_loop<Decider>::start(log, {}, Decider::initial(), options);
        REQUIRE(loop);
        return std::move(*loop);
    }
};

}  // namespace

TEST_CASE("a submitted command is decided, and its outcome is delivered", "[replay][concurrency]") {
    in_journal at;
    auto loop = at.start();
    auto in = loop.submit(bank::deposit{.account = 1, .amount = 10}, durable);
    REQUIRE(in);
    REQUIRE(in->get());
    CHECK(in->get()->events == 1);
    CHECK(at.log.durable() > in->get()->last.sequence);

    auto refused = loop.submit(bank::withdraw{.account = 1, .amount = 11}, published);
    REQUIRE(refused);
    REQUIRE_FALSE(refused->get());
    CHECK(std::get<ledger::refusal>(refused->get().error()) == ledger::refusal::insufficient_funds);

    auto moved = loop.submit(bank::transfer{.from = 1, .to = 2, .amount = 4}, durable);
    REQUIRE(moved);
    REQUIRE(moved->get());
    CHECK(moved->get()->events == 2);
    REQUIRE(loop.stop());
    CHECK(loop.state().accounts.at(1).balance == 6);
    CHECK(loop.state().accounts.at(2).balance == 4);

    const auto statistics = loop.statistics();
    CHECK(statistics.submitted == 3);
    CHECK(statistics.decided == 3);
    CHECK(statistics.acknowledged == 3);
    CHECK(statistics.durable_commands == 2);
    CHECK(statistics.queued == 0);
    const auto replayed = pawl::fold<ledger>(at.directory.path());
    REQUIRE(replayed);
    CHECK(replayed->state == loop.state());
}

TEST_CASE("acknowledgements come in the order of decision, durable ones once they are durable",
          "[replay][concurrency]") {
    constexpr std::uint64_t submitters = 4;
    constexpr std::uint64_t each = 500;
    in_journal at;
    auto loop = at.start({.capacity = 64});
    // Only the acknowledging thread touches these until stop() has returned.
    std::vector<pawl::sequence_number> sequences;
    std::vector<std::vector<std::uint64_t>> orders(submitters);
    std::atomic<int> too_early{0};
    std::vector<std::jthread> threads;
    for (std::uint64_t who = 0; who < submitters; ++who)
        threads.emplace_back([&, who] {
            for (std::uint64_t n = 0; n < each; ++n) {
                const auto when = n % 3 == 0 ? durable : published;
                const auto submitted = loop.submit(
                    bank::deposit{.account = who + 1, .amount = 1}, when,
                    [&, who, n, when](const loop_type::outcome& outcome) {
                        orders[who].push_back(n);
                        if (!outcome)
                            return;
                        sequences.push_back(outcome->last.sequence);
                        if (when == durable && at.log.durable() <= outcome->last.sequence)
                            too_early.fetch_add(1);
                    });
                if (!submitted)
                    return;
            }
        });
    threads.clear();
    REQUIRE(loop.stop());
    CHECK(too_early == 0);
    REQUIRE(sequences.size() == submitters * each);
    for (std::size_t i = 0; i < sequences.size(); ++i)
        REQUIRE(sequences[i] == i);
    for (const auto& order : orders) {
        REQUIRE(order.size() == each);
        CHECK(std::ranges::is_sorted(order));
    }
}

TEST_CASE("a full queue fails, sheds its oldest command or makes the submitter wait",
          "[replay][concurrency]") {
    in_journal at;
    gate held;
    const auto deposit = bank::deposit{.account = 1, .amount = 1};

    SECTION("fail: the submitter gets back_pressure and nothing is queued") {
        auto loop = at.start<held_ledger>({.capacity = 2, .full = pawl::when_queue_full::fail});
        auto first = loop.submit(held_ledger::hold{&held}, published);
        REQUIRE(first);
        held.wait_until_reached();
        auto second = loop.submit(deposit, published);
        auto third = loop.submit(deposit, published);
        auto fourth = loop.submit(deposit, published);
        CHECK(second);
        CHECK(third);
        REQUIRE_FALSE(fourth);
        CHECK(fourth.error().code == pawl::errc::back_pressure);
        CHECK(loop.statistics().refused_full == 1);
        CHECK(loop.statistics().queued == 2);
        held.open();
        REQUIRE(loop.stop());
        CHECK(loop.state().accounts.at(1).balance == 2);
    }
    SECTION("shed: the oldest queued command is answered with back_pressure") {
        auto loop = at.start<held_ledger>({.capacity = 2, .full = pawl::when_queue_full::shed});
        auto first = loop.submit(held_ledger::hold{&held}, published);
        REQUIRE(first);
        held.wait_until_reached();
        auto second = loop.submit(deposit, published);
        auto third = loop.submit(deposit, published);
        REQUIRE((second && third));
        std::jthread waits{[&] {
            auto fourth = loop.submit(deposit, published);
            if (!fourth || !fourth->get())
                std::terminate();
        }};
        while (loop.statistics().found_full != 1)
            std::this_thread::yield();
        held.open();
        waits.join();
        REQUIRE(loop.stop());
        REQUIRE_FALSE(second->get());
        CHECK(std::get<pawl::error>(second->get().error()).code == pawl::errc::back_pressure);
        CHECK(third->get());
        CHECK(loop.statistics().acknowledged == 4);
        CHECK(loop.statistics().refused_full == 1);
        CHECK(loop.state().accounts.at(1).balance == 2);
    }
    SECTION("wait: everything is decided") {
        auto loop = at.start<held_ledger>({.capacity = 2});
        auto first = loop.submit(held_ledger::hold{&held}, published);
        REQUIRE(first);
        held.wait_until_reached();
        std::jthread submitter{[&] {
            for (int n = 0; n < 20; ++n)
                if (!loop.submit(deposit, published))
                    std::terminate();
        }};
        held.open();
        submitter.join();
        REQUIRE(loop.stop());
        CHECK(loop.state().accounts.at(1).balance == 20);
        CHECK(loop.statistics().refused_full == 0);
        CHECK(loop.statistics().most_queued <= 2);
    }
}

TEST_CASE("stopping drains or refuses what waits, and loses no acknowledgement",
          "[replay][concurrency]") {
    in_journal at;
    gate held;
    auto loop = at.start<held_ledger>();
    auto first = loop.submit(held_ledger::hold{&held}, published);
    REQUIRE(first);
    held.wait_until_reached();
    std::vector<held_loop::future> waiting;
    for (int n = 0; n < 10; ++n) {
        auto submitted = loop.submit(bank::deposit{.account = 1, .amount = 1}, durable);
        REQUIRE(submitted);
        waiting.push_back(std::move(*submitted));
    }
    const bool drains = GENERATE(true, false);
    const auto how = drains ? pawl::when_stopped::drain : pawl::when_stopped::refuse;
    std::jthread stops{[&] {
        if (!loop.stop(how))
            std::terminate();
    }};
    // stop() has been called once new commands are turned away.
    for (;;) {
        const auto late = loop.submit(bank::deposit{.account = 2, .amount = 1}, published);
        if (!late && late.error().code == pawl::errc::closed)
            break;
        if (late && !drains)
            continue;
        REQUIRE(late);
    }
    held.open();
    stops.join();
    for (const auto& each : waiting) {
        REQUIRE(each.ready());
        CHECK(each.get().has_value() == drains);
        if (!drains)
            CHECK(std::get<pawl::error>(each.get().error()).code == pawl::errc::closed);
    }
    CHECK(loop.statistics().acknowledged == loop.statistics().submitted);
    REQUIRE(loop.stop());
}

TEST_CASE("a callback may submit, and may not stop the loop", "[replay][concurrency]") {
    in_journal at;
    auto loop = at.start();
    std::atomic<int> answered{0};
    const auto submitted = loop.submit(
        bank::deposit{.account = 1, .amount = 1}, published, [&](const loop_type::outcome&) {
            const auto stopped = loop.stop();
            if (!stopped && stopped.error().code == pawl::errc::busy)
                answered.fetch_add(1);
            const auto next = loop.submit(bank::deposit{.account = 1, .amount = 2}, durable,
                                          [&](const loop_type::outcome& outcome) {
                                              if (outcome)
                                                  answered.fetch_add(1);
                                          });
            if (next)
                answered.fetch_add(1);
        });
    REQUIRE(submitted);
    while (answered.load() != 3)
        std::this_thread::yield();
    REQUIRE(loop.stop());
    CHECK(loop.state().accounts.at(1).balance == 3);
}

TEST_CASE("commands after the journal failed get its error, and none is lost",
          "[replay][concurrency]") {
    in_journal at;
    auto loop = at.start();
    REQUIRE(at.log.close());
    auto late = loop.submit(bank::deposit{.account = 1, .amount = 1}, durable);
    REQUIRE(late);
    REQUIRE_FALSE(late->get());
    CHECK(std::get<pawl::error>(late->get().error()).code == pawl::errc::closed);
    REQUIRE(loop.stop());
    CHECK(loop.state() == ledger::initial());
}

TEST_CASE("a capacity out of range is refused with its limits", "[replay]") {
    in_journal at;
    for (const std::uint32_t capacity : {0u, 32769u}) {
        const auto loop = loop_type::start(at.log, {}, ledger::initial(), {.capacity = capacity});
        REQUIRE_FALSE(loop);
        CHECK(loop.error().code == pawl::errc::invalid_argument);
        CHECK(loop.error().reason.find("1 to 32,768") != std::string::npos);
        CHECK(loop.error().size == capacity);
        CHECK(loop.error().limit == 32'768);
    }
}

TEST_CASE("transfers from many threads never change the sum of two accounts",
          "[replay][concurrency]") {
    constexpr std::int64_t each = 2000;
    in_journal at;
    auto loop = at.start({.capacity = 256});
    auto filled = loop.submit(bank::deposit{.account = 1, .amount = 100}, published);
    REQUIRE((filled && filled->get()));
    filled = loop.submit(bank::deposit{.account = 2, .amount = 100}, published);
    REQUIRE((filled && filled->get()));
    std::atomic<std::int64_t> accepted{0};
    std::vector<std::jthread> threads;
    for (std::uint64_t who = 0; who < 2; ++who)
        threads.emplace_back([&, who] {
            for (std::int64_t n = 0; n < each; ++n)
                if (!loop.submit(
                        bank::transfer{.from = 1 + who, .to = 2 - who, .amount = 1 + n % 70},
                        published, [&](const loop_type::outcome& outcome) {
                            if (outcome)
                                accepted.fetch_add(1, std::memory_order_relaxed);
                        }))
                    std::terminate();
        });
    threads.clear();
    REQUIRE(loop.stop());
    const auto& accounts = loop.state().accounts;
    CHECK(accounts.at(1).balance + accounts.at(2).balance == 200);
    CHECK(accounts.at(1).balance >= 0);
    CHECK(accounts.at(2).balance >= 0);
    CHECK(loop.statistics().acknowledged == 2 + 2 * each);
    // Each accepted transfer appended two events.
    CHECK(at.log.next_sequence() == static_cast<std::uint64_t>(2 + 2 * accepted.load()));
    const auto replayed = pawl::fold<ledger>(at.directory.path());
    REQUIRE(replayed);
    CHECK(replayed->state == loop.state());
}
