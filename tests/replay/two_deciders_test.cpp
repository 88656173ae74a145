// Two threads decide from what they have read, in front of one command loop. A rule that spans two
// streams holds because each command names the versions of both that its decider saw.
#include "bank_journal.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/journal/cursor.hpp>
#include <pawl/replay/command_loop.hpp>
#include <pawl/replay/fold.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <random>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace {

// Two accounts of one owner: one may be overdrawn as long as the other makes up for it.
struct joint_accounts {
    struct state {
        std::array<std::int64_t, 2> balances{};
        std::array<pawl::stream_version, 2> versions{};
        bool was_overdrawn = false;

        [[nodiscard]] std::int64_t sum() const { return balances[0] + balances[1]; }
    };
    using events = pawl::event_list<bank::deposited, bank::withdrawn>;

    static state initial() { return {}; }
    static void evolve(state& s, const bank::deposited& e, const pawl::event& from) {
        change(s, e.account(), e.amount(), from);
    }
    static void evolve(state& s, const bank::withdrawn& e, const pawl::event& from) {
        change(s, e.account(), -e.amount(), from);
    }

  private:
    static void change(state& s, std::uint64_t account, std::int64_t by, const pawl::event& from) {
        s.balances.at(account - 1) += by;
        s.versions.at(account - 1) = from.version();
        s.was_overdrawn = s.was_overdrawn || s.sum() < 0;
    }
};

// What a session thread decided, and from what.
struct decided_change {
    std::uint64_t account = 0;
    std::int64_t by = 0;
    std::array<pawl::stream_version, 2> seen{};
};

// The loop's decider knows nothing of balances: it appends what was decided.
template <bool NamesBothStreams>
struct clerk {
    struct state {};
    using events = joint_accounts::events;

    static state initial() { return {}; }
    static void evolve(state&, const auto&) {}
    static void decide(const decided_change& c, const state&, pawl::decision& out) {
        if (NamesBothStreams) {
            out.require(1, pawl::expect::exactly(c.seen[0]));
            out.require(2, pawl::expect::exactly(c.seen[1]));
        }
        if (c.by > 0)
            out.append({.stream = c.account}, bank::some_deposit(c.account, c.by));
        else
            out.append({.stream = c.account},
                       [&](auto& b) { return bank::Createwithdrawn(b, c.account, -c.by); });
    }
};

struct outcomes {
    std::uint64_t accepted = 0;
    std::uint64_t conflicts = 0;
    std::uint64_t others = 0;
};

// Decides from what it reads of the journal, and sends several commands before it reads again: of
// those, at most one can be decided from the present.
template <class Loop>
outcomes decide_and_submit(Loop& loop, const std::filesystem::path& directory, std::uint64_t seed,
                           std::uint64_t commands) {
    constexpr std::uint64_t together = 8;
    std::mt19937_64 random{seed};
    auto from = pawl::cursor::open(directory);
    if (!from)
        std::terminate();
    auto seen = joint_accounts::initial();
    outcomes got;
    for (std::uint64_t sent = 0; sent < commands; sent += together) {
        while (const pawl::event* e = from->next()) {
            if (!pawl::evolve(joint_accounts{}, seen, *e))
                std::terminate();
        }
        std::vector<typename Loop::future> waited;
        for (std::uint64_t i = 0; i < together; ++i) {
            const std::int64_t most = seen.sum();
            // All that there is, or a deposit to go on with.
            decided_change change{.account = 1 + random() % 2, .by = -most, .seen = seen.versions};
            if (most <= 0 || random() % 3 == 0)
                change.by = 1 + static_cast<std::int64_t>(random() % 9);
            auto submitted = loop.submit(change, pawl::accepted_when::published);
            if (!submitted)
                std::terminate();
            waited.push_back(std::move(*submitted));
        }
        for (auto& each : waited) {
            const auto outcome = each.get();
            if (outcome)
                ++got.accepted;
            else if (outcome.error().code == pawl::errc::conflict)
                ++got.conflicts;
            else
                ++got.others;
        }
    }
    return got;
}

struct played {
    outcomes got;
    joint_accounts::state end;
    std::uint64_t events = 0;
};

template <bool NamesBothStreams>
played play(std::uint64_t commands) {
    using loop_type = pawl::command_loop<clerk<NamesBothStreams>>;
    const pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    auto loop = loop_type::start(log, {}, {});
    REQUIRE(loop);
    std::array<outcomes, 2> of{};
    {
        std::vector<std::jthread> threads;
        for (std::size_t mine = 0; mine < of.size(); ++mine)
            threads.emplace_back([&, mine] {
                of.at(mine) =
                    decide_and_submit(*loop, directory.path(), mine + 1, commands / of.size());
            });
    }
    REQUIRE(loop->stop());
    played whole;
    for (const outcomes& each : of) {
        whole.got.accepted += each.accepted;
        whole.got.conflicts += each.conflicts;
        whole.got.others += each.others;
    }
    const auto replayed = pawl::fold<joint_accounts>(directory.path());
    REQUIRE(replayed);
    whole.end = replayed->state;
    whole.events = replayed->progress.events;
    return whole;
}

// PAWL_TEST_COMMANDS=10000000 for a long run.
std::uint64_t commands_to_send() {
    const char* wanted = std::getenv("PAWL_TEST_COMMANDS");
    return wanted == nullptr ? 200'000 : std::strtoull(wanted, nullptr, 10);
}

}  // namespace

TEST_CASE("two deciders before one loop never break a rule that spans two streams",
          "[replay][concurrency]") {
    const std::uint64_t commands = commands_to_send();
    const auto whole = play<true>(commands);
    CHECK_FALSE(whole.end.was_overdrawn);
    CHECK(whole.got.others == 0);
    CHECK(whole.got.accepted == whole.events);
    CHECK(whole.got.accepted + whole.got.conflicts == commands);
    // Both happen all the time.
    CHECK(whole.got.accepted > commands / 1000);
    CHECK(whole.got.conflicts > commands / 2);
}

TEST_CASE("the same deciders break the rule if they name no versions", "[replay][concurrency]") {
    const auto whole = play<false>(2'000);
    CHECK(whole.end.was_overdrawn);
    CHECK(whole.got.conflicts == 0);
}
