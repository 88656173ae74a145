// Tests how snapshots reach the disk, their maximum size, and how often a failed one is retried.
#include "bank_journal.hpp"
#include "recorded_calls.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/replay/snapshot_follower.hpp>
#include <pawl/replay/snapshot_store.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace fs = std::filesystem;
using pawl::test::recorded_calls;

constexpr pawl::journal_identity some_journal{.id = {1, 2, 3}, .origin = {1, 2, 3}};

pawl::snapshot_store open(const fs::path& directory, pawl::snapshot_options options = {}) {
    auto store = pawl::snapshot_store::open(directory, some_journal, 1, std::move(options));
    REQUIRE(store);
    return std::move(*store);
}

pawl::result<pawl::snapshot_info> add(pawl::snapshot_store& store, std::uint64_t next,
                                      const std::vector<std::byte>& state) {
    return store.add({next, next * 7}, pawl::log_digest{next * 9},
                     [&](pawl::snapshot_sink& out) { return out.write(state); });
}

std::vector<std::byte> some_state(std::size_t bytes) {
    std::vector<std::byte> state(bytes);
    for (std::size_t i = 0; i < bytes; ++i)
        state[i] = static_cast<std::byte>(i * 31);
    return state;
}

// A ledger that can never be saved, and counts the attempts.
struct never_saved : bank::ledger {
    std::atomic<int>* tries = nullptr;
    pawl::result<void> save(const state&, pawl::snapshot_sink&) const {
        ++*tries;
        return pawl::fail(pawl::errc::disk_full, "never");
    }
};

}  // namespace

TEST_CASE("a snapshot is synced before its rename, and its name before it counts", "[replay]") {
    pawl::test::temporary_directory home;
    const auto directory = fs::canonical(home.path()) / "j";
    fs::create_directory(directory);
    const recorded_calls record{directory.string()};
    auto store = open(directory);
    for (int round = 0; round < 2; ++round) {
        const auto before = record.calls().size();
        const auto added = add(store, 100 + static_cast<std::uint64_t>(round), some_state(200'000));
        REQUIRE(added);
        auto calls = record.calls();
        calls.erase(calls.begin(), calls.begin() + static_cast<std::ptrdiff_t>(before));
        const auto place = store.directory().filename().string();
        std::vector<std::string> expected{"make " + place};
        if (round == 0)
            expected.emplace_back("sync j");
        REQUIRE(calls.size() == expected.size() + 4);
        // The name that it is written under is its own affair.
        const std::string temporary = calls[expected.size()].substr(std::string{"write "}.size());
        const std::string final_name = added->path.filename().string();
        expected.insert(expected.end(),
                        {"write " + temporary, "sync " + temporary,
                         "rename " + temporary + " to " + final_name, "sync " + place});
        CHECK(calls == expected);
        CHECK(temporary != final_name);
    }
}

TEST_CASE("a snapshot that is set aside has its new name synced", "[replay]") {
    pawl::test::temporary_directory home;
    const auto directory = fs::canonical(home.path()) / "j";
    fs::create_directory(directory);
    auto store = open(directory);
    const auto added = add(store, 100, some_state(10));
    REQUIRE(added);
    const recorded_calls record{directory.string()};
    REQUIRE(store.set_aside(added->path));
    const auto name = added->path.filename().string();
    CHECK(record.calls() ==
          std::vector<std::string>{"rename " + name + " to " + name + ".rejected",
                                   "sync " + store.directory().filename().string()});
}

TEST_CASE("reads and writes of snapshots that are cut short or interrupted change nothing",
          "[replay]") {
    pawl::test::temporary_directory home;
    const recorded_calls record{home.path().string(), 37};
    auto store = open(home.path());
    for (const std::size_t bytes : {0, 1, 36, 37, 38, 5000}) {
        INFO(bytes << " bytes");
        const auto state = some_state(bytes);
        const auto added = add(store, 100 + bytes, state);
        REQUIRE(added);
        const auto back = store.load(added->path);
        REQUIRE(back);
        CHECK(std::ranges::equal(back->bytes(), state));
    }
}

TEST_CASE("a snapshot has at most as many bytes as the options say, to be written and to be read",
          "[replay]") {
    pawl::test::temporary_directory home;
    constexpr std::size_t most = 1000;
    auto store = open(home.path(), {.max_bytes = most});
    CHECK(add(store, 1, some_state(most - 1)));
    const auto largest = add(store, 2, some_state(most));
    REQUIRE(largest);
    CHECK(store.load(largest->path));
    const auto refused = add(store, 3, some_state(most + 1));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == pawl::errc::too_large);
    // Read with a limit of its own.
    CHECK(open(home.path(), {.max_bytes = most}).load(largest->path));
    const auto too_large = open(home.path(), {.max_bytes = most - 1}).load(largest->path);
    REQUIRE_FALSE(too_large);
    CHECK(too_large.error().code == pawl::errc::too_large);
}

TEST_CASE("a snapshot that fails is tried again after as many events as between two of them",
          "[replay][concurrency]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    pawl::encoder encode;
    for (std::uint64_t i = 0; i < 35; ++i)
        REQUIRE(encode.append(log, {.stream = 1}, bank::some_deposit(1, 5)));
    REQUIRE(log.sync());
    std::atomic<int> tries{0};
    never_saved by;
    by.tries = &tries;
    auto beside =
        pawl::snapshot_follower<never_saved>::start(directory.path(), by, {.every_events = 10});
    REQUIRE(beside);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    while (beside->statistics().next_sequence != 35) {
        REQUIRE(std::chrono::steady_clock::now() < deadline);
        std::this_thread::yield();
    }
    REQUIRE(beside->stop());
    CHECK(tries == 3);
    CHECK(beside->statistics().failures == 3);
    CHECK(beside->statistics().snapshots == 0);
}

TEST_CASE("a snapshot directory whose name was not synced is not taken for durable", "[replay]") {
    pawl::test::temporary_directory home;
    const auto directory = fs::canonical(home.path()) / "j";
    fs::create_directory(directory);
    // As an add that failed at the sync leaves it.
    fs::create_directory(directory / "snapshots");
    const recorded_calls record{directory.string()};
    auto store = open(directory);
    REQUIRE(add(store, 100, some_state(10)));
    const auto calls = record.calls();
    CHECK(std::ranges::count(calls, "sync j") == 1);
    REQUIRE(add(store, 101, some_state(10)));
    const auto later = record.calls();
    CHECK(std::ranges::count(later, "sync j") == 1);
}
