// Network file systems, and FUSE: whatever reads a journal refuses them unless they are allowed.
#include "bank_journal.hpp"
#include "support/pretended_file_system.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/journal/cursor.hpp>
#include <pawl/replay/fold.hpp>
#include <pawl/replay/parallel_fold.hpp>
#include <pawl/replay/restore.hpp>
#include <pawl/replay/snapshot_follower.hpp>

#include <thread>

namespace {

using pawl::errc;
using pawl::test::pretended_file_system;

struct merged_ledger : bank::ledger {
    static void merge(state& into, state&& from) { into.accounts.merge(std::move(from.accounts)); }
};
using follower = pawl::snapshot_follower<bank::ledger>;

constexpr std::uint64_t events = 1200;

struct journal_on_fuse {
    pawl::test::temporary_directory home;
    std::filesystem::path path = home.path() / "j";
    journal_on_fuse() {
        auto log = bank::open_writer(path);
        bank::random_traffic{7}.append(log, events);
        REQUIRE(log.close());
    }
};

}  // namespace

TEST_CASE("folds and restores refuse a network file system unless it is allowed", "[replay]") {
    const journal_on_fuse at;
    const auto whole = pawl::fold<bank::ledger>(at.path);
    REQUIRE(whole);
    const pretended_file_system pretended{pretended_file_system::fuse};
    const auto is_refused = [](const auto& outcome) {
        return !outcome && outcome.error().code == errc::network_file_system;
    };
    CHECK(is_refused(pawl::fold<merged_ledger>(at.path)));
    CHECK(is_refused(pawl::fold_by_stream<merged_ledger>(at.path)));
    CHECK(is_refused(pawl::fold_by_segment<merged_ledger>(at.path)));
    CHECK(is_refused(pawl::restore<bank::ledger>(at.path)));

    const pawl::parallel_options parallel{.threads = 2, .allow_network_file_system = true};
    const auto by_stream = pawl::fold_by_stream<merged_ledger>(at.path, {}, parallel);
    REQUIRE(by_stream);
    CHECK(by_stream->state == whole->state);
    const auto by_segment = pawl::fold_by_segment<merged_ledger>(at.path, {}, parallel);
    REQUIRE(by_segment);
    CHECK(by_segment->progress.events == events);
    const auto restored =
        pawl::restore<bank::ledger>(at.path, {}, {.allow_network_file_system = true});
    REQUIRE(restored);
    CHECK(restored->state == whole->state);
}

TEST_CASE("a snapshot follower refuses a network file system unless it is allowed",
          "[replay][concurrency]") {
    const journal_on_fuse at;
    const pretended_file_system pretended{pretended_file_system::fuse};
    const auto until_done = [](const follower& of) {
        while (!of.failure() && of.statistics().snapshots == 0)
            std::this_thread::yield();
    };
    auto refused = follower::start(at.path, {}, {.every_events = 100});
    REQUIRE(refused);
    until_done(*refused);
    const auto ended = refused->stop();
    REQUIRE_FALSE(ended);
    CHECK(ended.error().code == errc::network_file_system);

    auto allowed =
        follower::start(at.path, {}, {.every_events = 100, .allow_network_file_system = true});
    REQUIRE(allowed);
    until_done(*allowed);
    CHECK(allowed->stop());
    CHECK(allowed->statistics().snapshots != 0);
}
