// Each allocation of each call of the replay library fails once, first alone, then with all later
// ones. No call throws, on no thread: it returns out_of_memory, or manages without the memory.
#include "bank_journal.hpp"
#include "faults/support/refused_allocations.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/journal/journal.hpp>
#include <pawl/replay/command_future.hpp>
#include <pawl/replay/command_loop.hpp>
#include <pawl/replay/entities.hpp>
#include <pawl/replay/execute.hpp>
#include <pawl/replay/fold.hpp>
#include <pawl/replay/parallel_fold.hpp>
#include <pawl/replay/restore.hpp>
#include <pawl/replay/scenario.hpp>
#include <pawl/replay/snapshot_audit.hpp>
#include <pawl/replay/snapshot_follower.hpp>
#include <pawl/replay/snapshot_store.hpp>

#include <cerrno>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <variant>

namespace {

namespace fs = std::filesystem;
using bank::ledger;
using pawl::errc;
using pawl::test::answers;
using pawl::test::check_refusals;
using pawl::test::refuse_each_allocation;

struct merged_ledger : ledger {
    static void merge(state& into, state&& from) { into.accounts.merge(std::move(from.accounts)); }
};

// The system may refuse a thread, which has no memory then, with EAGAIN.
void heed_start(answers& got, const pawl::error& why) noexcept {
    if (why.code != errc::io || why.os_error != EAGAIN)
        got.heed(why);
}

void heed_outcome(answers& got, const pawl::execution_result<ledger>& outcome) noexcept {
    if (outcome)
        return;
    if (const auto* failed = std::get_if<pawl::error>(&outcome.error()))
        got.heed(*failed);
}

// What a writer returns that ran out before.
answers writer_answers() {
    return answers{{errc::poisoned, errc::back_pressure}};
}

// For a call that syncs files and then waits for its thread.
constexpr std::int64_t sampled = 7;

// Few events, and so few allocations, that fill more than three segments.
void write_journal(const fs::path& directory) {
    auto log = bank::open_writer(directory);
    pawl::encoder encode;
    for (std::uint64_t account = 1; log.statistics().rollovers < 3; ++account)
        REQUIRE(encode.append(log, {.stream = account}, [&](auto& b) {
            return bank::Createrenamed(b, account, b.CreateString(std::string(20'000, 'n')));
        }));
    REQUIRE(log.sync());
    REQUIRE(log.close());
}

pawl::result<pawl::snapshot_info> add_snapshot(pawl::snapshot_store& store,
                                               const pawl::folded<ledger>& whole) {
    return store.add(whole.progress.point, whole.progress.digest,
                     [&](pawl::snapshot_sink& out) { return ledger::save(whole.state, out); });
}

pawl::snapshot_store open_store(const fs::path& directory, std::uint32_t version = 1) {
    auto identity = pawl::cursor::open(directory)->identity();
    auto store = pawl::snapshot_store::open(directory, identity, version);
    REQUIRE(store);
    return std::move(*store);
}

// A journal with a snapshot, and its state.
struct written_journal {
    pawl::test::temporary_directory home;
    fs::path path = home.path() / "j";
    pawl::folded<ledger> whole{};

    written_journal() {
        write_journal(path);
        auto folded = pawl::fold<ledger>(path);
        REQUIRE(folded);
        whole = std::move(*folded);
    }
};

void audit(answers& got, const fs::path& path) {
    auto audit = pawl::snapshot_audit::open(path);
    got.heed(audit);
    if (!audit)
        return;
    auto report = pawl::verify(path, {.visit = [&](const pawl::event& each) { audit->add(each); }});
    got.heed(report);
    if (report)
        got.heed(audit->finish({report->id, report->origin}));
}

}  // namespace

TEST_CASE("no fold lets std::bad_alloc through", "[replay][memory]") {
    const written_journal at;
    answers got;
    const auto heed_state = [&](const pawl::result<pawl::folded<merged_ledger>>& folded) noexcept {
        got.heed(folded);
        if (folded && !(folded->state == at.whole.state))
            got.heed(pawl::error{.code = errc::diverged});
    };
    const pawl::parallel_options in_groups_of_three{.threads = 3, .shards = 4, .window_bytes = 1};
    const std::function<void()> calls[] = {
        [&] { heed_state(pawl::fold<merged_ledger>(at.path)); },
        [&] { heed_state(pawl::fold_by_stream<merged_ledger>(at.path, {}, in_groups_of_three)); },
        [&] { heed_state(pawl::fold_by_segment<merged_ledger>(at.path, {}, in_groups_of_three)); },
    };
    std::uint64_t refused = 0;
    for (const auto& call : calls)
        refused += refuse_each_allocation([] {}, call);
    CHECK(got.unexplained() == "");
    check_refusals(refused, 100);
}

TEST_CASE("no restore and no audit lets std::bad_alloc through", "[replay][memory]") {
    const written_journal at;
    auto store = open_store(at.path);
    REQUIRE(add_snapshot(store, at.whole));
    answers got;
    const auto heed_restore = [&](const pawl::result<pawl::restored<ledger>>& restored) {
        got.heed(restored);
        if (!restored)
            return;
        (void)restored->report.message();
        // A snapshot must not count as unusable because memory ran out.
        if (!(restored->state == at.whole.state) || !restored->report.rejected.empty())
            got.heed(pawl::error{.code = errc::diverged});
    };
    const std::function<void()> calls[] = {
        [&] { heed_restore(pawl::restore<ledger>(at.path)); },
        [&] { heed_restore(pawl::restore<ledger>(at.path, {}, {.use_snapshots = false})); },
        [&] { audit(got, at.path); },
    };
    std::uint64_t refused = 0;
    for (const auto& call : calls)
        refused += refuse_each_allocation([] {}, call);
    CHECK(got.unexplained() == "");
    check_refusals(refused, 100);
}

TEST_CASE("no call of a snapshot store lets std::bad_alloc through", "[replay][memory]") {
    const written_journal at;
    const auto identity = pawl::cursor::open(at.path)->identity();
    auto other = open_store(at.path, 2);
    REQUIRE(add_snapshot(other, at.whole));
    answers got;
    const auto refused =
        refuse_each_allocation([] {},
                               [&] {
                                   auto store = pawl::snapshot_store::open(at.path, identity, 1);
                                   got.heed(store);
                                   if (!store)
                                       return;
                                   const auto added = add_snapshot(*store, at.whole);
                                   got.heed(added);
                                   got.heed(store->list());
                                   if (!added)
                                       return;
                                   got.heed(store->load(added->path));
                                   got.heed(store->set_aside(added->path));
                               });
    CHECK(got.unexplained() == "");
    check_refusals(refused, 50);
    auto store = open_store(at.path);
    REQUIRE(add_snapshot(store, at.whole));
    const auto list = store.list();
    REQUIRE(list);
    CHECK(list->snapshots.size() == 1);
    CHECK(list->rejected.empty());
}

TEST_CASE("no execution lets std::bad_alloc through", "[replay][memory]") {
    const pawl::test::temporary_directory home;
    const auto path = home.path() / "j";
    std::optional<pawl::writer> log;
    std::optional<pawl::decision> events;
    ledger::state state;
    const auto prepare = [&] {
        log.reset();
        fs::remove_all(path);
        log.emplace(bank::open_writer(path));
        events.emplace();
        state = {};
    };
    auto got = writer_answers();
    const auto refused = refuse_each_allocation(prepare, [&] {
        for (std::uint64_t account = 1; account < 6; ++account)
            heed_outcome(got,
                         pawl::execute(ledger{}, bank::deposit{account, 10}, state, *log, *events));
        heed_outcome(got, pawl::execute(ledger{}, bank::transfer{1, 2, 5}, state, *log, *events));
    });
    CHECK(got.unexplained() == "");
    check_refusals(refused, 20);
}

TEST_CASE("no entity lets std::bad_alloc through", "[replay][memory]") {
    const pawl::test::temporary_directory home;
    const auto path = home.path() / "j";
    std::optional<pawl::writer> log;
    std::optional<pawl::entities<ledger>> of;
    const auto prepare = [&] {
        of.reset();
        log.reset();
        fs::remove_all(path);
        log.emplace(bank::open_writer(path));
        of.emplace(*log, ledger{}, pawl::entity_options{.capacity = 2});
    };
    auto got = writer_answers();
    const auto refused = refuse_each_allocation(prepare, [&] {
        for (std::uint64_t account = 1; account < 5; ++account)
            heed_outcome(got, of->transact(account, bank::deposit{account, 10}));
        // The other account of the transfer was evicted, and has missed an event.
        heed_outcome(got, of->transact(1, bank::transfer{1, 2, 5}));
        if (auto now = of->read(2); !now)
            got.heed(now.error());
    });
    CHECK(got.unexplained() == "");
    check_refusals(refused, 20);
}

TEST_CASE("no thread of a snapshot follower dies of std::bad_alloc",
          "[replay][memory][concurrency]") {
    const written_journal at;
    answers got;
    const auto refused = refuse_each_allocation(
        [&] { fs::remove_all(at.path / "snapshots"); },
        [&] {
            auto follower =
                pawl::snapshot_follower<ledger>::start(at.path, {}, {.every_events = 4});
            if (!follower)
                return heed_start(got, follower.error());
            while (follower->statistics().snapshots + follower->statistics().failures == 0 &&
                   !follower->failure()) {
                std::this_thread::yield();
            }
            got.heed(follower->stop());
        },
        sampled);
    CHECK(got.unexplained() == "");
    check_refusals(refused, 10);
}

TEST_CASE("no thread of a command loop dies of std::bad_alloc", "[replay][memory][concurrency]") {
    const pawl::test::temporary_directory home;
    const auto path = home.path() / "j";
    std::optional<pawl::writer> log;
    const auto prepare = [&] {
        log.reset();
        fs::remove_all(path);
        log.emplace(bank::open_writer(path));
    };
    auto got = writer_answers();
    const auto refused = refuse_each_allocation(prepare, [&] {
        auto loop = pawl::command_loop<ledger>::start(*log, {}, {});
        if (!loop)
            return heed_start(got, loop.error());
        for (std::uint64_t account = 1; account < 4; ++account) {
            auto promised = loop->submit(bank::deposit{account, 10}, pawl::accepted_when::durable);
            got.heed(promised);
            if (promised)
                heed_outcome(got, promised->get());
        }
        got.heed(loop->stop());
        (void)loop->statistics();
    });
    CHECK(got.unexplained() == "");
    check_refusals(refused, 20);
}

TEST_CASE("a refusal that cannot be copied without memory is out_of_memory",
          "[replay][memory][concurrency]") {
    using outcome = std::expected<pawl::execution, std::variant<std::string, pawl::error>>;
    const outcome refused{std::unexpect, std::string(100, 'r')};
    auto promised = pawl::command_future<outcome>::create();
    REQUIRE(promised);
    {
        const pawl::test::refused_allocation refusing{0, true};
        promised->setter()(refused);
    }
#if PAWL_ALLOCATION_HOOK
    const auto* why = std::get_if<pawl::error>(&promised->get().error());
    REQUIRE(why != nullptr);
    CHECK(why->code == errc::out_of_memory);
#endif
}

TEST_CASE("no scenario lets std::bad_alloc through", "[replay][memory]") {
    const auto deposit = [](auto& b) { return bank::Createdeposited(b, 7, 10); };
    bool held = false;
    const auto refused = refuse_each_allocation([] {},
                                                [&] {
                                                    const auto verdict =
                                                        pawl::scenario<ledger>{}
                                                            .given(deposit)
                                                            .when(bank::deposit{7, 10})
                                                            .then(pawl::on(7, deposit));
                                                    held = verdict.holds;
                                                });
    CHECK(held);
    check_refusals(refused, 10);
}
