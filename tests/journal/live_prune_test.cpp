// Pruning a journal whose writer is at work: by a call, and by a policy.
#include "prune_support.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/journal.hpp>
#include <pawl/journal/prune.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

struct live_journal : growing_journal {
    // Fills whole segments, which poll() seals.
    void fill(writer& log, std::uint64_t segments) {
        const std::uint64_t until = log.statistics().rollovers + segments;
        while (log.statistics().rollovers < until) {
            append(log, 1 + events % 3);
            must(log.sync());
            must(log.poll());
        }
        must(log.poll());
    }
    [[nodiscard]] std::size_t segments() const { return must(inspect(directory)).segments.size(); }
    [[nodiscard]] sequence_number first() const { return must(inspect(directory)).first_sequence; }
    [[nodiscard]] std::vector<segment_info> sealed() const {
        auto all = must(inspect(directory)).segments;
        std::erase_if(all, [](const segment_info& each) { return !each.sealed; });
        return all;
    }
};

// Waits for what a background thread does.
[[nodiscard]] bool comes_true(const std::function<bool()>& condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (!condition()) {
        if (std::chrono::steady_clock::now() > limit)
            return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return true;
}

}  // namespace

TEST_CASE_METHOD(live_journal, "a live writer prunes its journal and goes on appending") {
    writer log = open();
    const stream_id named = must(log.stream("orders", 1));
    append(log, named);
    append(log, 7);
    fill(log, 4);
    const auto before = sealed();
    REQUIRE(before.size() >= 4);
    CHECK(prune(directory, {.keep_bytes = 0}).error().code == errc::locked);
    CHECK(log.prune({}).error().code == errc::invalid_argument);
    const auto dry = must(log.prune({.before = before[2].first_sequence, .dry_run = true}));
    CHECK(dry.segments == 2);
    CHECK(first() == 0);
    const std::array holds{prune_hold{"billing", before[1].first_sequence}};
    const auto held = must(log.prune({.before = before[2].first_sequence, .holds = holds}));
    CHECK(held.segments == 1);
    REQUIRE(held.held_by.size() == 1);
    CHECK(held.held_by[0].name == "billing");
    CHECK(first() == before[1].first_sequence);
    CHECK(must(log.prune({.before = before[2].first_sequence})).segments == 1);
    // The segment that is written to, and the last sealed one, stay.
    CHECK(must(log.prune({.keep_bytes = 0})).first_sequence == before.back().first_sequence);

    fill(log, 2);
    CHECK(log.version(7) == 1);
    CHECK(must(log.stream("orders", 1)) == named);
    append(log, 7);
    CHECK(log.version(7) == 2);
    must(log.describe({1, 1, "numbered", bytes_of("schema")}, 1));
    must(log.close());
    CHECK(log.prune({.keep_bytes = 0}).error().code == errc::closed);
    CHECK(must(verify(directory, {.deep = true})).findings.empty());
    writer again = open();
    CHECK(again.next_sequence() == events);
    CHECK(again.version(7) == 2);
    CHECK(again.version(named) == 1);
}

TEST_CASE_METHOD(live_journal, "a policy by size is applied whenever a segment was sealed") {
    // Three segments hold a little less than their files are long.
    options.retention = {.keep_bytes = 5 * options.segment_bytes / 2};
    writer log = open();
    fill(log, 2);
    CHECK(first() == 0);
    fill(log, 8);
    CHECK(first() > 0);
    CHECK(sealed().size() == 3);
    CHECK(log.statistics().pruned_segments >= 6);
    CHECK(log.statistics().failed_prunes == 0);
    must(log.close());
    CHECK(must(verify(directory, {.deep = true})).findings.empty());
}

TEST_CASE_METHOD(live_journal, "a policy by age removes what is older, by the system's clock") {
    options.retention = {.keep_ns = 1};
    writer log = open();
    fill(log, 4);
    // All but the last sealed segment is older: the time stamps of this journal are of 1970.
    CHECK(sealed().size() == 1);
    must(log.close());
    options.retention = {.keep_ns = ~std::uint64_t{0}};
    writer again = open();
    fill(again, 3);
    CHECK(sealed().size() >= 4);
}

TEST_CASE_METHOD(live_journal, "a policy heeds its holds, and keeps everything without them") {
    bool known = false;
    sequence_number needed = 0;
    options.retention = {
        .keep_bytes = 1, .holds = [&]() -> result<std::vector<prune_hold>> {
            if (!known)
                return std::unexpected(error{.code = errc::io, .detail = "not now"});
            return std::vector{prune_hold{"billing", needed}};
        }};
    writer log = open();
    fill(log, 3);
    CHECK(first() == 0);
    CHECK(log.statistics().failed_prunes >= 3);
    CHECK_FALSE(log.failure());
    known = true;
    fill(log, 1);
    CHECK(first() == 0);
    needed = sealed()[2].first_sequence;
    fill(log, 1);
    CHECK(first() == needed);
}

TEST_CASE_METHOD(live_journal, "damage in what a policy would remove ends the writer") {
    writer log = open();
    fill(log, 3);
    must(log.close());
    const auto good = read_bytes(directory / "0000000000.seg", 9000, 1);
    overwrite(directory / "0000000000.seg", 9000, std::array{good[0] ^ std::byte{1}});
    options.retention = {.keep_bytes = 1};
    options.scrub_bytes_per_second = 0;
    writer again = open();
    REQUIRE_FALSE(again.poll());
    REQUIRE(again.failure());
    CHECK(again.failure()->file.ends_with("0000000000.seg"));
    CHECK(fs::exists(directory / "0000000000.seg"));
    CHECK_FALSE(fs::exists(directory / "retained"));
}

TEST_CASE_METHOD(live_journal, "the scrub passes over segments that were pruned") {
    {
        writer log = open();
        fill(log, 4);
        must(log.close());
    }
    options.scrub_bytes_per_second = 1;
    writer log = open();
    const auto before = sealed();
    (void)must(log.prune({.before = before[3].first_sequence}));
    while (log.statistics().scrubbed_bytes < options.segment_bytes / 2)
        must(log.poll());
    must(log.poll());
    CHECK_FALSE(log.failure());
}

TEST_CASE_METHOD(live_journal, "threads append, read, seal and prune at the same time") {
    options.background_threads = true;
    options.full = when_full::spin;
    options.sync = sync_policy::every_us(200);
    options.retention = {.keep_bytes = 2 * options.segment_bytes};
    writer log = open();
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::thread reading{[&] {
        while (!done) {
            auto rest = cursor::open(directory);
            if (!rest) {
                ++wrong;
                break;
            }
            sequence_number expected = rest->next_sequence();
            while (const event* e = rest->next())
                wrong += e->sequence() == expected++ ? 0 : 1;
            const auto end = rest->finish();
            wrong += end || end.error().code == errc::pruned ? 0 : 1;
        }
    }};
    std::thread pruning{[&] {
        while (!done) {
            const auto pruned = log.prune({.keep_bytes = 4 * options.segment_bytes});
            wrong += pruned ? 0 : 1;
        }
    }};
    for (int i = 0; i < 3000; ++i)
        append(log, 1 + events % 3);
    const bool pruned = comes_true([&] { return log.statistics().pruned_segments > 0; });
    done = true;
    reading.join();
    pruning.join();
    CHECK(pruned);
    CHECK(wrong == 0);
    CHECK(must(log.describe({1, 1, "numbered", bytes_of("schema")}, 1)));
    must(log.close());
    CHECK(first() > 0);
    CHECK(must(verify(directory, {.deep = true})).findings.empty());
    writer again = open();
    CHECK(again.next_sequence() == events);
    CHECK(again.version(1) + again.version(2) + again.version(3) == events);
}
