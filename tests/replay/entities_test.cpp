// One state for each stream, and commands decided against it.
#include "bank_journal.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/replay/entities.hpp>

#include <array>
#include <cstring>
#include <functional>
#include <mutex>
#include <new>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

namespace {

using bank::deposit;
using bank::transfer;
using bank::withdraw;
using pawl::errc;

// One account. `on_decide` stands for what other threads do while a command is being decided.
struct wallet {
    struct state {
        std::int64_t balance = 0;
        std::uint64_t events = 0;
    };
    using events = pawl::event_list<bank::deposited, bank::withdrawn>;
    enum class refusal : std::uint8_t { insufficient_funds };
    using outcome = std::expected<void, refusal>;

    static state initial() { return {}; }
    void evolve(state& s, const bank::deposited& e) const {
        changed();
        s.balance += e.amount();
        ++s.events;
    }
    void evolve(state& s, const bank::withdrawn& e) const {
        changed();
        s.balance -= e.amount();
        ++s.events;
    }
    outcome decide(const deposit& c, const state&, pawl::decision& out) const {
        meanwhile();
        out.append({.stream = c.account}, bank::some_deposit(c.account, c.amount));
        return {};
    }
    outcome decide(const withdraw& c, const state& s, pawl::decision& out) const {
        meanwhile();
        if (c.amount > s.balance)
            return std::unexpected(refusal::insufficient_funds);
        if (c.amount != 0)
            out.append({.stream = c.account},
                       [&](auto& b) { return bank::Createwithdrawn(b, c.account, c.amount); });
        return {};
    }
    outcome decide(const transfer& c, const state& s, pawl::decision& out) const {
        if (auto taken = decide(withdraw{c.from, c.amount}, s, out); !taken)
            return taken;
        return decide(deposit{c.to, c.amount}, s, out);
    }

    std::function<void()> on_decide{};
    int* evolves_until_out_of_memory = nullptr;  // then one throws

  private:
    void meanwhile() const {
        if (on_decide)
            on_decide();
    }
    void changed() const {
        if (evolves_until_out_of_memory != nullptr && --*evolves_until_out_of_memory == 0)
            throw std::bad_alloc{};
    }
};
using wallets = pawl::entities<wallet>;

void pay_in(pawl::writer& log, std::uint64_t account, std::int64_t amount) {
    pawl::encoder encode;
    REQUIRE(encode.append(log, {.stream = account}, bank::some_deposit(account, amount)));
}

[[nodiscard]] std::int64_t balance(wallets& of, std::uint64_t account) {
    const auto now = of.read(account);
    REQUIRE(now);
    return now->state->balance;
}

[[nodiscard]] pawl::error error_of(const pawl::execution_result<wallet>& failed) {
    REQUIRE_FALSE(failed);
    REQUIRE(std::holds_alternative<pawl::error>(failed.error()));
    return std::get<pawl::error>(failed.error());
}

[[nodiscard]] bool was_refused(const pawl::execution_result<wallet>& done) {
    return !done && std::holds_alternative<wallet::refusal>(done.error());
}

[[nodiscard]] pawl::transact_options sent(std::uint64_t number, std::string_view bytes = "bytes") {
    pawl::message_id id{};
    std::memcpy(id.data(), &number, sizeof number);
    return {.origin = {.command = pawl::reference_to(id, std::as_bytes(std::span{bytes}))}};
}

}  // namespace

TEST_CASE("each stream has a state of its own", "[replay]") {
    const pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    wallets of{log};
    for (std::uint64_t account = 1; account <= 3; ++account) {
        const auto done = of.transact(account, deposit{account, 10});
        REQUIRE(done);
        CHECK(done->events == 1);
        CHECK(done->last.version == 1);
    }
    REQUIRE(of.transact(2, withdraw{2, 4}));
    CHECK(was_refused(of.transact(2, withdraw{2, 7})));
    CHECK(balance(of, 1) == 10);
    CHECK(balance(of, 2) == 6);
    CHECK(balance(of, 4) == 0);
    CHECK(of.read(2)->version == 2);
    CHECK(log.version(2) == 2);
    // Nothing was read back of what the object appended itself.
    CHECK(of.statistics().folded == 0);
    CHECK(of.statistics().built == 4);
}

TEST_CASE("an entity that was evicted is folded again", "[replay]") {
    const pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    wallets of{log, {}, {.capacity = 2}};
    for (int round = 1; round <= 3; ++round) {
        for (std::uint64_t account = 1; account <= 5; ++account)
            REQUIRE(of.transact(account, deposit{account, 1}));
    }
    CHECK(of.statistics().kept == 2);
    CHECK(of.statistics().evicted == 13);
    CHECK(of.statistics().built == 15);
    CHECK(of.statistics().folded == 5 * (1 + 2));
    CHECK(was_refused(of.transact(1, withdraw{1, 4})));
    CHECK(of.transact(1, withdraw{1, 3}));
    // Account 5 was used before account 1, and account 4 before both: that one goes.
    CHECK(balance(of, 5) == 3);
    CHECK(balance(of, 1) == 0);
    CHECK(of.statistics().built == 16);
    CHECK(balance(of, 4) == 3);
    CHECK(of.statistics().built == 17);
}

TEST_CASE("a capacity of none keeps the entity in use", "[replay]") {
    const pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    wallets of{log, {}, {.capacity = 0}};
    REQUIRE(of.transact(1, deposit{1, 2}));
    REQUIRE(of.transact(2, deposit{2, 3}));
    CHECK(balance(of, 1) == 2);
    CHECK(of.statistics().kept == 1);
}

TEST_CASE("an entity is brought up to date by the end of its stream alone", "[replay]") {
    const pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    wallets of{log};
    for (int i = 0; i < 20; ++i)
        REQUIRE(of.transact(1, deposit{1, 1}));
    pay_in(log, 1, 100);
    pay_in(log, 2, 1);
    pay_in(log, 1, 100);
    CHECK(of.transact(1, withdraw{1, 220}));
    CHECK(of.statistics().folded == 2);
    CHECK(of.statistics().conflicts == 0);
    // The other side of a transfer is a stream that another entity missed an event of.
    CHECK(balance(of, 2) == 1);
    REQUIRE(of.transact(2, transfer{2, 1, 1}));
    CHECK(balance(of, 1) == 1);
    CHECK(balance(of, 2) == 0);
    CHECK(of.statistics().folded == 4);
}

TEST_CASE("a decision that was overtaken is made again against the missed events", "[replay]") {
    const pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    pay_in(log, 1, 10);
    int decided = 0;
    const auto once = [&] {
        if (++decided == 1)
            pay_in(log, 1, 5);
    };
    wallets of{log, wallet{.on_decide = once}};
    const auto done = of.transact(1, withdraw{1, 3});
    REQUIRE(done);
    CHECK(done->last.version == 3);
    CHECK(decided == 2);
    CHECK(of.statistics().conflicts == 1);
    CHECK(of.statistics().folded == 2);
    CHECK(balance(of, 1) == 12);

    // The missed event changes the decision: what was decided first would have overdrawn.
    decided = 0;
    pawl::encoder encode;
    const auto take_all = [&] {
        if (++decided == 1)
            REQUIRE(encode.append(log, {.stream = 1},
                                  [](auto& b) { return bank::Createwithdrawn(b, 1, 12); }));
    };
    wallets others{log, wallet{.on_decide = take_all}};
    CHECK(was_refused(others.transact(1, withdraw{1, 12})));
    CHECK(decided == 2);
    CHECK(balance(of, 1) == 0);
}

TEST_CASE("a decision that is always overtaken ends with the conflict", "[replay]") {
    const pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    int decided = 0;
    const auto always = [&] {
        ++decided;
        pay_in(log, 1, 1);
    };
    for (const std::uint32_t most : {1U, 3U}) {
        decided = 0;
        wallets of{log, wallet{.on_decide = always}, {.most_attempts = most}};
        const auto before = log.version(1);
        const auto failed = error_of(of.transact(1, deposit{1, 1000}));
        CHECK(failed.code == errc::conflict);
        CHECK(failed.stream == 1);
        CHECK(failed.actual_version == before + most);
        CHECK(failed.expected_version == before + most - 1);
        CHECK(decided == static_cast<int>(most));
        CHECK(log.version(1) == before + most);
    }
}

TEST_CASE("a version that the sender has seen is checked before the decision", "[replay]") {
    const pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    int decided = 0;
    wallets of{log, wallet{.on_decide = [&] { ++decided; }}};
    REQUIRE(of.transact(1, deposit{1, 10}, {.expected = pawl::expect::no_stream()}));
    REQUIRE(of.transact(1, deposit{1, 10}, {.expected = pawl::expect::exactly(1)}));
    decided = 0;
    for (const pawl::expect stale : {pawl::expect::no_stream(), pawl::expect::exactly(1)}) {
        const auto failed = error_of(of.transact(1, deposit{1, 10}, {.expected = stale}));
        CHECK(failed.code == errc::conflict);
        CHECK(failed.stream == 1);
        CHECK(failed.actual_version == 2);
        CHECK(failed.expected_version == stale.version());
    }
    const auto absent =
        error_of(of.transact(2, deposit{2, 1}, {.expected = pawl::expect::exists()}));
    CHECK(absent.stream == 2);
    CHECK(absent.expected_version == pawl::no_value);
    CHECK(decided == 0);

    // Overtaken while it is decided, it goes back to its sender, too.
    const auto overtake = [&] { pay_in(log, 1, 1); };
    wallets others{log, wallet{.on_decide = overtake}};
    const auto failed =
        error_of(others.transact(1, deposit{1, 10}, {.expected = pawl::expect::exactly(2)}));
    CHECK(failed.actual_version == 3);
    CHECK(log.version(1) == 3);
}

TEST_CASE("a conflict about another stream is not decided again", "[replay]") {
    struct wary : wallet {
        using wallet::decide;
        static outcome decide(const transfer& c, const state&, pawl::decision& out) {
            out.require(c.to, pawl::expect::no_stream());
            out.append({.stream = c.from}, bank::some_deposit(c.from, c.amount));
            return {};
        }
    };
    const pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    pay_in(log, 9, 1);
    pawl::entities<wary> of{log};
    const auto failed = of.transact(1, transfer{1, 9, 5});
    REQUIRE_FALSE(failed);
    const auto& why = std::get<pawl::error>(failed.error());
    CHECK(why.code == errc::conflict);
    CHECK(why.stream == 9);
    CHECK(of.statistics().conflicts == 0);
    CHECK(of.transact(1, transfer{1, 8, 5}));
}

TEST_CASE("a command that is sent again gets its first outcome from its entity", "[replay]") {
    const pawl::test::temporary_directory directory;
    int decided = 0;
    const wallet counted{.on_decide = [&] { ++decided; }};
    auto paid = sent(1);
    auto refused = sent(2);
    refused.origin.records_refusals = true;
    auto nothing = sent(3);
    nothing.origin.records_refusals = true;
    pawl::execution first;
    {
        auto log = bank::open_writer(directory.path());
        wallets of{log, counted, {.capacity = 1}};
        first = of.transact(1, deposit{1, 10}, paid).value();
        CHECK(was_refused(of.transact(1, withdraw{1, 11}, refused)));
        REQUIRE(of.transact(1, withdraw{1, 0}, nothing));
        REQUIRE(of.transact(1, deposit{1, 10}));
    }
    auto log = bank::open_writer(directory.path());
    wallets of{log, counted, {.capacity = 1}};
    decided = 0;
    // Before its expected version, which another event has made out of date.
    paid.expected = pawl::expect::no_stream();
    for (int i = 0; i < 2; ++i) {
        const auto again = of.transact(1, deposit{1, 10}, paid);
        REQUIRE(again);
        CHECK(again->repeated);
        CHECK(again->events == 1);
        CHECK(again->first.sequence == first.first.sequence);
        CHECK(was_refused(of.transact(1, withdraw{1, 11}, refused)));
        const auto none = of.transact(1, withdraw{1, 0}, nothing);
        REQUIRE(none);
        CHECK(none->repeated);
        CHECK(none->events == 0);
        CHECK(balance(of, 2) == 0);  // evicts account 1
    }
    CHECK(decided == 0);
    CHECK(balance(of, 1) == 20);
    CHECK(error_of(of.transact(1, deposit{1, 10}, sent(1, "other"))).code ==
          errc::command_id_reused);
}

TEST_CASE("a command that another thread carried out meanwhile is repeated", "[replay]") {
    const pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    wallets other{log};
    const auto the_same = sent(7);
    int decided = 0;
    const auto meanwhile = [&] {
        if (++decided == 1)
            REQUIRE(other.transact(1, deposit{1, 10}, the_same));
    };
    wallets of{log, wallet{.on_decide = meanwhile}};
    const auto done = of.transact(1, deposit{1, 10}, the_same);
    REQUIRE(done);
    CHECK(done->repeated);
    CHECK(decided == 1);
    CHECK(balance(of, 1) == 10);
}

TEST_CASE("an entity whose evolve ran out of memory is folded again", "[replay]") {
    const pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    int until = 0;
    wallets of{log, wallet{.evolves_until_out_of_memory = &until}};
    REQUIRE(of.transact(1, deposit{1, 10}));
    // After the append: the event stays, and the entity catches up.
    until = 1;
    CHECK(error_of(of.transact(1, deposit{1, 5})).code == errc::out_of_memory);
    CHECK(balance(of, 1) == 15);
    // While events that it missed are folded.
    for (int i = 0; i < 3; ++i)
        pay_in(log, 1, 1);
    until = 2;
    CHECK(error_of(of.transact(1, withdraw{1, 18})).code == errc::out_of_memory);
    CHECK(log.version(1) == 5);
    CHECK(of.transact(1, withdraw{1, 18}));
    CHECK(balance(of, 1) == 0);
    CHECK(of.statistics().built == 3);
}

TEST_CASE("an event that an entity does not know stops it, and costs no other", "[replay]") {
    const pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    wallets of{log};
    pay_in(log, 1, 1);
    const auto unknown = log.append({.type = 99, .stream = 1}, {});
    REQUIRE(unknown);
    for (int i = 0; i < 2; ++i) {
        const auto failed = of.read(1);
        REQUIRE_FALSE(failed);
        CHECK(failed.error().code == errc::unknown_event);
        CHECK(failed.error().sequence == unknown->sequence);
        CHECK(error_of(of.transact(1, deposit{1, 1})).code == errc::unknown_event);
    }
    CHECK(of.transact(2, deposit{2, 1}));
    CHECK(of.statistics().kept == 1);
}

TEST_CASE("an entity starts from a snapshot once its first events are pruned", "[replay]") {
    const pawl::test::temporary_directory directory;
    {
        auto log = bank::open_writer(directory.path());
        for (int i = 0; i < 10; ++i)
            pay_in(log, 1, 1);
        while (log.statistics().rollovers == 0)
            pay_in(log, 2, 1);
        pay_in(log, 1, 1);
        REQUIRE(log.close());
    }
    auto log = bank::open_writer(directory.path());
    const auto last = log.next_sequence() - 1;
    REQUIRE(log.prune({.before = last})->events > 10);

    wallets bare{log};
    const auto failed = bare.read(1);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == errc::pruned);

    int started = 0;
    const auto from_snapshot =
        [&](pawl::stream_id stream) -> pawl::result<pawl::entity_start<wallet::state>> {
        ++started;
        if (stream != 1)
            return pawl::fail(errc::not_found);
        return pawl::entity_start<wallet::state>{{.balance = 10, .events = 10}, 10};
    };
    wallets of{log, {}, {}, from_snapshot};
    CHECK(of.transact(1, withdraw{1, 11}));
    CHECK(was_refused(of.transact(1, withdraw{1, 1})));
    CHECK(started == 1);
    CHECK(of.statistics().folded == 1);
    CHECK(error_of(of.transact(3, deposit{3, 1})).code == errc::not_found);
}

TEST_CASE("threads that share a writer never overdraw an account", "[replay][concurrency]") {
    const pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    std::mutex guard;
    constexpr std::uint64_t accounts = 4;
    constexpr std::int64_t at_first = 300;
    for (std::uint64_t account = 1; account <= accounts; ++account)
        pay_in(log, account, at_first);
    constexpr std::size_t crew = 3;
    std::array<std::int64_t, crew> withdrawn{};
    std::array<std::uint64_t, crew> failed{};
    {
        std::vector<std::jthread> threads;
        for (std::size_t mine = 0; mine < crew; ++mine) {
            threads.emplace_back([&, mine] {
                wallets of{
                    log, {}, {.capacity = 3, .most_attempts = 1'000'000, .writer_guard = &guard}};
                for (std::uint64_t i = 0; i < 600; ++i) {
                    const std::uint64_t account = 1 + (i + mine) % accounts;
                    const auto done = of.transact(account, withdraw{account, 1});
                    if (done)
                        ++withdrawn.at(mine);
                    else if (!was_refused(done))
                        ++failed.at(mine);
                }
            });
        }
    }
    std::int64_t sum = 0;
    for (std::size_t mine = 0; mine < crew; ++mine) {
        sum += withdrawn.at(mine);
        CHECK(failed.at(mine) == 0);
    }
    // Together the threads ask for more than there is.
    CHECK(sum == static_cast<std::int64_t>(accounts) * at_first);
    wallets of{log};
    for (std::uint64_t account = 1; account <= accounts; ++account) {
        CHECK(balance(of, account) == 0);
        CHECK(log.version(account) == 1 + static_cast<std::uint64_t>(at_first));
    }
}
