#include "bank_journal.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/replay/restore.hpp>
#include <pawl/replay/snapshot_follower.hpp>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

namespace {

namespace fs = std::filesystem;
using bank::ledger;
using follower = pawl::snapshot_follower<ledger>;

// Polls the condition until it holds; gives up after a minute.
bool comes_true(const auto& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline)
            return false;
        std::this_thread::yield();
    }
    return true;
}

follower started(const fs::path& directory, pawl::snapshot_follower_options options) {
    auto made = follower::start(directory, {}, std::move(options));
    REQUIRE(made);
    return std::move(*made);
}

pawl::restored<ledger> restored(const fs::path& directory) {
    auto back = pawl::restore<ledger>(directory);
    REQUIRE(back);
    return std::move(*back);
}

// A ledger that cannot be saved until it is allowed.
struct unsaved : ledger {
    const std::atomic<bool>* allowed = nullptr;
    pawl::result<void> save(const state& s, pawl::snapshot_sink& out) const {
        if (!*allowed)
            return pawl::fail(pawl::errc::disk_full, "not now");
        return ledger::save(s, out);
    }
};

}  // namespace

TEST_CASE("a follower takes snapshots while the writer appends", "[replay][concurrency]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    auto beside = started(directory.path(), {.every_events = 500});
    bank::random_traffic traffic{21};
    for (std::uint64_t taken = 0; taken < 4; ++taken) {
        traffic.append(log, 700);
        REQUIRE(log.sync());
        REQUIRE(comes_true([&] { return beside.statistics().snapshots > taken; }));
    }
    traffic.append(log, 100);
    REQUIRE(beside.stop());
    CHECK(beside.statistics().failures == 0);

    const auto quick = restored(directory.path());
    REQUIRE(quick.report.used);
    CHECK(quick.report.used->point.next >= 4 * 500);
    CHECK(quick.report.rejected.empty());
    const auto full = pawl::fold<ledger>(directory.path());
    REQUIRE(full);
    CHECK(quick.state == full->state);
    CHECK(quick.progress.point == full->progress.point);
    CHECK(quick.progress.digest == full->progress.digest);
}

TEST_CASE("a snapshot is taken at the end of a batch", "[replay][concurrency]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    auto beside = started(directory.path(), {.every_events = 10});
    pawl::encoder encode;
    for (int i = 0; i < 4; ++i) {
        auto seven = log.begin_batch(7, 7 * 64);
        REQUIRE(seven);
        for (int j = 0; j < 7; ++j)
            REQUIRE(encode.append(*seven, {.stream = 1}, bank::some_deposit(1, 1)));
        REQUIRE(seven->commit());
    }
    REQUIRE(log.sync());
    REQUIRE(comes_true([&] { return beside.statistics().snapshots == 2; }));
    REQUIRE(beside.stop());
    CHECK(restored(directory.path()).report.used->point.next == 28);
}

TEST_CASE("a snapshot is taken after so many bytes, or after some time", "[replay][concurrency]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    bank::random_traffic traffic{31};
    SECTION("bytes") {
        auto beside = started(directory.path(), {.every_events = 0, .every_bytes = 4096});
        traffic.append(log, 40);  // some 60 bytes each
        REQUIRE(log.sync());
        REQUIRE(comes_true([&] { return beside.statistics().next_sequence == 40; }));
        traffic.append(log, 300);
        REQUIRE(log.sync());
        REQUIRE(comes_true([&] { return beside.statistics().snapshots >= 2; }));
        REQUIRE(beside.stop());
        CHECK(restored(directory.path()).report.used->point.next > 40);
    }
    SECTION("time, and only for new events") {
        auto beside = started(directory.path(),
                              {.every_events = 0, .every_time = std::chrono::milliseconds{1}});
        for (std::uint64_t taken = 0; taken < 3; ++taken) {
            traffic.append(log, 1);
            REQUIRE(log.sync());
            REQUIRE(comes_true([&] { return beside.statistics().snapshots == taken + 1; }));
        }
        REQUIRE(beside.stop());
        CHECK(beside.statistics().snapshots == 3);
    }
}

TEST_CASE("the last snapshot is taken when the follower is stopped", "[replay][concurrency]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    bank::random_traffic traffic{32};
    for (const std::uint64_t events : {100u, 0u, 50u}) {
        auto beside = started(directory.path(), {.every_events = 0, .at_stop = true});
        traffic.append(log, events);
        REQUIRE(log.sync());
        traffic.append(log, 5);  // not durable
        REQUIRE(beside.stop());
        const auto now = restored(directory.path());
        REQUIRE(now.report.used);
        CHECK(now.report.tail_events == 5);
        CHECK(beside.statistics().failures == 0);
    }
    REQUIRE(log.close());
    auto idle = started(directory.path(), {.every_events = 0, .at_stop = true});
    REQUIRE(idle.stop());
    CHECK(restored(directory.path()).report.tail_events == 0);
    auto again = started(directory.path(), {.every_events = 0, .at_stop = true});
    REQUIRE(again.stop());
    CHECK(again.statistics().snapshots == 0);  // there is nothing new
}

TEST_CASE("a follower takes no snapshot of events that are not durable", "[replay][concurrency]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    bank::random_traffic traffic{22};
    auto beside = started(directory.path(), {.every_events = 10});
    traffic.append(log, 20);
    REQUIRE(log.sync());
    REQUIRE(comes_true([&] { return beside.statistics().next_sequence == 20; }));
    traffic.append(log, 100);
    REQUIRE(beside.stop());
    CHECK(beside.statistics().next_sequence == 20);
    CHECK(restored(directory.path()).report.used->point.next <= 20);
}

TEST_CASE("a follower continues from the newest snapshot and sets a damaged one aside",
          "[replay][concurrency]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    bank::random_traffic traffic{23};
    {
        auto first = started(directory.path(), {.every_events = 100});
        traffic.append(log, 150);
        REQUIRE(log.sync());
        REQUIRE(comes_true([&] { return first.statistics().snapshots == 1; }));
        traffic.append(log, 150);
        REQUIRE(log.sync());
        REQUIRE(comes_true([&] { return first.statistics().next_sequence == 300; }));
        REQUIRE(first.stop());
    }
    const auto before = restored(directory.path());
    REQUIRE(before.report.used);
    const fs::path newest = before.report.used->path;
    fs::resize_file(newest, fs::file_size(newest) - 1);

    auto second = started(directory.path(), {.every_events = 100});
    traffic.append(log, 150);
    REQUIRE(log.sync());
    REQUIRE(comes_true([&] { return second.statistics().next_sequence == 450; }));
    REQUIRE(second.stop());
    CHECK_FALSE(fs::exists(newest));
    CHECK(fs::exists(newest.string() + ".rejected"));
    CHECK(second.statistics().snapshots >= 1);
    const auto after = restored(directory.path());
    REQUIRE(after.report.used);
    CHECK(after.report.used->point.next > before.report.used->point.next);
    CHECK(after.report.rejected.empty());
    const auto full = pawl::fold<ledger>(directory.path());
    REQUIRE(full);
    CHECK(after.state == full->state);
}

TEST_CASE("a snapshot that cannot be written is counted and tried again later",
          "[replay][concurrency]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    bank::random_traffic traffic{24};
    std::atomic<bool> allowed{false};
    std::atomic<int> told{0};
    pawl::snapshot_follower_options options{.every_events = 10};
    options.observer = [&](const pawl::error& why) {
        if (why.code == pawl::errc::disk_full)
            ++told;
    };
    unsaved by;
    by.allowed = &allowed;
    auto beside = pawl::snapshot_follower<unsaved>::start(directory.path(), by, options);
    REQUIRE(beside);
    traffic.append(log, 20);
    REQUIRE(log.sync());
    REQUIRE(comes_true([&] { return beside->statistics().next_sequence == 20; }));
    REQUIRE(comes_true([&] { return beside->statistics().failures >= 1; }));
    CHECK(beside->statistics().snapshots == 0);
    allowed = true;
    traffic.append(log, 20);
    REQUIRE(log.sync());
    REQUIRE(comes_true([&] { return beside->statistics().snapshots >= 1; }));
    CHECK_FALSE(beside->failure());
    REQUIRE(beside->stop());
    CHECK(beside->statistics().failures == static_cast<std::uint64_t>(told));
}

TEST_CASE("an event that a follower does not know ends it with an error", "[replay][concurrency]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    auto beside = started(directory.path(), {.every_events = 10});
    pawl::encoder encode;
    REQUIRE(encode.append(log, {}, [](auto& b) { return bank::Createclosed(b, 1); }));
    REQUIRE(log.sync());
    REQUIRE(comes_true([&] { return beside.failure().has_value(); }));
    CHECK(beside.failure()->code == pawl::errc::unknown_event);
    CHECK(beside.failure()->sequence == 0);
    const auto stopped = beside.stop();
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().code == pawl::errc::unknown_event);
}

TEST_CASE("a follower of a directory without a journal ends at once with an error",
          "[replay][concurrency]") {
    pawl::test::temporary_directory directory;
    auto beside = started(directory.path(), {});
    REQUIRE(comes_true([&] { return beside.failure().has_value(); }));
    CHECK(beside.failure()->code == pawl::errc::not_a_journal);
}

TEST_CASE("a follower outlives a writer and follows the next one", "[replay][concurrency]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    auto beside = started(directory.path(), {.every_events = 50});
    bank::random_traffic traffic{25};
    traffic.append(log, 100);
    REQUIRE(log.close());
    REQUIRE(comes_true([&] { return beside.statistics().next_sequence == 100; }));
    log = bank::open_writer(directory.path());
    traffic.append(log, 100);
    REQUIRE(log.sync());
    REQUIRE(comes_true([&] { return beside.statistics().next_sequence == 200; }));
    REQUIRE(beside.stop());
}

TEST_CASE("a follower that was given a relative path stays with its journal",
          "[replay][concurrency]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path() / "j");
    const fs::path before = fs::current_path();
    fs::current_path(directory.path());
    auto beside = started("j", {.every_events = 50});
    fs::current_path("/");
    bank::random_traffic traffic{27};
    traffic.append(log, 60);
    REQUIRE(log.sync());
    CHECK(comes_true([&] { return beside.statistics().snapshots == 1 || beside.failure(); }));
    CHECK_FALSE(beside.failure());
    CHECK(beside.stop());
    CHECK(fs::exists(directory.path() / "j" / "snapshots"));
    fs::current_path(before);
}

// With its signal blocked on the follower's thread, the lost page would kill this process.
TEST_CASE("a page that is lost under a follower ends the follower and not the process",
          "[replay][concurrency]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    auto beside = started(directory.path(), {.every_events = 1'000'000});
    bank::random_traffic traffic{26};
    traffic.append(log, 200);
    REQUIRE(log.sync());
    REQUIRE(comes_true([&] { return beside.statistics().next_sequence == 200; }));
    const fs::path segment = directory.path() / "0000000000.seg";
    fs::resize_file(segment, 12288);
    REQUIRE(comes_true([&] { return beside.failure().has_value(); }));
    CHECK(beside.failure()->code == pawl::errc::io);
    CHECK(beside.failure()->file == segment.string());
    CHECK(beside.failure()->offset >= 12288);
    CHECK_FALSE(beside.stop());
}

TEST_CASE("invalid options of a follower are refused", "[replay]") {
    CHECK_FALSE(follower::start("x", {}, {.every_events = 0}));
    pawl::snapshot_follower_options options;
    options.thread.name = "longer than nine";
    CHECK_FALSE(follower::start("x", {}, options));
    options.thread.name = "short";
    options.thread.cores = {-1};
    CHECK_FALSE(follower::start("x", {}, options));
}
