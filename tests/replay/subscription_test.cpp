// Subscriptions: what they return, where they go on, and what they refuse.
#include <catch2/catch.hpp>
#include <support/must.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/journal/prune.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/replay/subscription.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace pawl;
using test::must;
namespace fs = std::filesystem;
using sequences = std::vector<sequence_number>;

constexpr std::chrono::nanoseconds now{0};
constexpr std::chrono::hours ever{1000};
constexpr std::chrono::seconds long_enough{60};

struct followed_journal {
    test::temporary_directory home;
    fs::path directory = home.path() / "j";
    std::optional<writer> log;

    followed_journal() { open(); }
    void open() {
        log = must(writer::open(directory, {.segment_bytes = 64 << 10,
                                            .sync = sync_policy::manual(),
                                            .clock_report_interval_s = 0}));
    }
    void close() {
        must(log->close());
        log.reset();
    }
    // One event of that type and stream, as large as asked.
    void append(std::uint16_t type, stream_id stream = no_stream_id, std::size_t bytes = 8) {
        const std::vector<std::byte> payload(bytes, std::byte{7});
        must(log->append({.type = type, .stream = stream}, payload));
    }
    void batch(const std::vector<std::uint16_t>& types, std::size_t bytes = 8) {
        const std::vector<std::byte> payload(bytes, std::byte{7});
        auto all = must(log->begin_batch(static_cast<std::uint32_t>(types.size()),
                                         types.size() * (bytes + 64)));
        for (const std::uint16_t type : types)
            must(all.append({.type = type}, payload));
        must(all.commit());
    }
    void sync() { must(log->sync()); }
    [[nodiscard]] subscription subscribe(subscription_options options = {},
                                         const std::string& name = "risk") const {
        return must(subscription::open(directory, name, std::move(options)));
    }
};

[[nodiscard]] sequences take(subscription& from) {
    sequences taken;
    for (const event& e : must(from.next(now)))
        taken.push_back(e.sequence());
    return taken;
}

// All that is there.
[[nodiscard]] sequences drain(subscription& from) {
    sequences all;
    for (;;) {
        const auto end = from.next_sequence();
        const auto some = take(from);
        all.insert(all.end(), some.begin(), some.end());
        if (some.empty() && from.next_sequence() == end)
            return all;
    }
}

[[nodiscard]] subscription_options of_types(std::vector<std::uint16_t> types) {
    return {.filter = event_selection{.types = std::move(types)}};
}

}  // namespace

TEST_CASE("a subscription goes on after what was committed", "[replay]") {
    followed_journal journal;
    for (int i = 0; i < 6; ++i)
        journal.append(1);
    journal.sync();
    {
        auto risk = journal.subscribe();
        CHECK(take(risk) == sequences{0});
        CHECK(take(risk) == sequences{1});
        must(risk.commit());
        CHECK(take(risk) == sequences{2});
        CHECK(risk.committed().point.next == 2);
        CHECK(risk.next_sequence() == 3);
        // Ends without a commit, as a crash does.
    }
    auto risk = journal.subscribe();
    CHECK(drain(risk) == sequences{2, 3, 4, 5});
    must(risk.commit());
    must(risk.close());
    auto again = journal.subscribe();
    CHECK(drain(again).empty());
}

TEST_CASE("only durable events are returned, unless others are asked for", "[replay]") {
    followed_journal journal;
    journal.append(1);
    journal.sync();
    journal.append(1);
    auto risk = journal.subscribe();
    CHECK(drain(risk) == sequences{0});
    auto early = journal.subscribe({.show = visibility::published}, "early");
    CHECK(drain(early) == sequences{0, 1});
    journal.sync();
    auto batch = must(risk.next(long_enough));
    REQUIRE(batch.size() == 1);
    CHECK(batch[0].sequence() == 1);
}

TEST_CASE("the events of a batch come together and are never committed in part", "[replay]") {
    followed_journal journal;
    journal.append(1);
    journal.batch({1, 2, 1, 2});
    journal.batch({2, 2});
    journal.append(1);
    journal.sync();
    auto risk = journal.subscribe(of_types({1}));
    CHECK(take(risk) == sequences{0});
    CHECK(take(risk) == sequences{1, 3});
    must(risk.commit());
    CHECK(risk.committed().point.next == 5);
    CHECK(take(risk) == sequences{7});
}

TEST_CASE("the events of a large batch are all valid at once", "[replay]") {
    followed_journal journal;
    // More than one window of a sealed segment.
    for (int i = 0; i < 40; ++i)
        journal.batch(std::vector<std::uint16_t>(40, 1), 1000);
    journal.close();
    auto risk = journal.subscribe();
    std::uint64_t events = 0;
    for (;;) {
        const auto batch = must(risk.next(now));
        if (batch.empty())
            break;
        REQUIRE(batch.size() == 40);
        for (const event& e : batch) {
            REQUIRE(e.sequence() == events++);
            for (const std::byte each : e.payload())
                REQUIRE(each == std::byte{7});
        }
    }
    CHECK(events == 1600);
}

TEST_CASE("the position moves over what the filter leaves out", "[replay]") {
    followed_journal journal;
    journal.append(1);
    for (int i = 0; i < 10'000; ++i)
        journal.append(2);
    journal.sync();
    auto risk = journal.subscribe(of_types({1}));
    CHECK(drain(risk) == sequences{0});
    CHECK(risk.next_sequence() == 10'001);
    must(risk.commit());
    CHECK(risk.committed().point.next == 10'001);
    must(risk.close());
    // So it holds back nothing that it has passed.
    journal.close();
    CHECK(must(prune(journal.directory, {.keep_bytes = 0})).first_sequence > 5000);
}

TEST_CASE("a filter selects types and streams, and the firehose by stream 0", "[replay]") {
    followed_journal journal;
    journal.append(1, 5);  // 0
    journal.append(1);     // 1
    journal.append(2, 5);  // 2
    journal.append(2);     // 3
    journal.append(3, 6);  // 4
    journal.sync();
    const auto chosen = [&](const std::string& name, event_selection filter) {
        auto risk = journal.subscribe({.filter = std::move(filter)}, name);
        return drain(risk);
    };
    CHECK(chosen("a", {.types = {3, 1}}) == sequences{0, 1, 4});
    CHECK(chosen("b", {.streams = {5}}) == sequences{0, 2});
    CHECK(chosen("c", {.streams = {no_stream_id}}) == sequences{1, 3});
    CHECK(chosen("d", {.types = {2}, .streams = {no_stream_id, 6}}) == sequences{3});
    CHECK(subscription::open(journal.directory, "e", {.filter = event_selection{}}).error().code ==
          errc::invalid_argument);
}

TEST_CASE("the same filter in another order is the same, another one is refused", "[replay]") {
    followed_journal journal;
    journal.append(1);
    journal.sync();
    (void)journal.subscribe(of_types({1, 2, 2}));
    (void)journal.subscribe(of_types({2, 1}));
    const auto refused = subscription::open(journal.directory, "risk", of_types({1}));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::invalid_argument);
    CHECK(refused.error().detail.contains("'types 1,2', not 'types 1'"));
    auto other = of_types({1});
    other.replace_filter = true;
    (void)journal.subscribe(other);
}

TEST_CASE("shares divide the streams, and each event goes to one member", "[replay]") {
    followed_journal journal;
    std::map<sequence_number, stream_id> all;
    for (stream_id stream = 0; stream < 50; ++stream) {
        for (int i = 0; i < 3; ++i) {
            all[all.size()] = stream;
            journal.append(1, stream);
        }
    }
    journal.sync();
    std::map<stream_id, std::set<std::uint32_t>> members;
    std::size_t events = 0;
    for (const std::uint32_t member : {0u, 1u, 2u}) {
        auto mine = journal.subscribe({.share = {member, 3}});
        const auto taken = drain(mine);
        CHECK_FALSE(taken.empty());
        events += taken.size();
        for (const sequence_number each : taken)
            members[all[each]].insert(member);
        must(mine.commit());
    }
    CHECK(events == all.size());
    CHECK(members[no_stream_id] == std::set<std::uint32_t>{0});
    for (const auto& [stream, by] : members)
        CHECK(by.size() == 1);
    CHECK(must(list_consumers(journal.directory)).consumers.at(1).name == "risk.1-of-3");
    CHECK(subscription::open(journal.directory, "risk", {.share = {3, 3}}).error().code ==
          errc::invalid_argument);
    CHECK(subscription::open(journal.directory, "a.b").error().code == errc::invalid_argument);
}

TEST_CASE("a second subscription under the same name is refused", "[replay]") {
    followed_journal journal;
    auto risk = journal.subscribe();
    CHECK(subscription::open(journal.directory, "risk").error().code == errc::locked);
    must(risk.close());
    (void)journal.subscribe();
}

TEST_CASE("a new subscription begins where it is told to", "[replay]") {
    followed_journal journal;
    for (int i = 0; i < 4; ++i)
        journal.append(1);
    journal.batch({1, 1, 1, 1});
    journal.append(1);
    journal.sync();
    journal.append(1);  // 9, not durable
    const auto begins = [&](const std::string& name, start from) {
        auto risk = journal.subscribe({.from = from}, name);
        return risk.committed().point.next;
    };
    CHECK(begins("a", from_first{}) == 0);
    CHECK(begins("b", from_sequence{3}) == 3);
    CHECK(begins("c", from_sequence{4}) == 4);
    // Not inside the batch.
    CHECK(begins("d", from_sequence{7}) == 4);
    CHECK(begins("e", from_sequence{8}) == 8);
    CHECK(begins("f", from_end{}) == 9);
    journal.sync();
    CHECK(begins("g", from_end{}) == 10);
    journal.close();
    journal.open();
    CHECK(begins("h", from_end{}) == 10);
    CHECK(begins("i", from_sequence{10}) == 10);
    CHECK(subscription::open(journal.directory, "j", {.from = from_version{1}}).error().code ==
          errc::invalid_argument);
    CHECK(subscription::open(journal.directory, "j", {.from = from_sequence{99}}).error().code ==
          errc::not_found);
    // One that exists goes on where it was.
    CHECK(begins("b", from_end{}) == 3);
}

TEST_CASE("a reset goes back or forth, at once and for good", "[replay]") {
    followed_journal journal;
    for (int i = 0; i < 6; ++i)
        journal.append(1);
    journal.sync();
    {
        auto risk = journal.subscribe({.sync_interval = ever});
        CHECK(drain(risk).size() == 6);
        must(risk.commit());
        CHECK(risk.reset(from_sequence{99}).error().code == errc::not_found);
        CHECK(risk.committed().point.next == 6);
        must(risk.reset(from_sequence{2}));
        CHECK(take(risk) == sequences{2});
    }
    CHECK(must(list_consumers(journal.directory)).consumers.at(0).holds_from == 2);
    auto risk = journal.subscribe();
    CHECK(drain(risk) == sequences{2, 3, 4, 5});
    must(risk.reset(from_first{}));
    CHECK(drain(risk).size() == 6);
    must(risk.reset(from_end{}));
    CHECK(drain(risk).empty());
}

TEST_CASE("a subscription follows across rollovers, closes and a prune", "[replay]") {
    followed_journal journal;
    auto risk = journal.subscribe();
    sequence_number next = 0;
    for (int round = 0; round < 6; ++round) {
        for (int i = 0; i < 150; ++i)
            journal.append(1, 0, 1000);
        journal.close();
        for (const sequence_number each : drain(risk))
            REQUIRE(each == next++);
        must(risk.commit());
        must(prune(journal.directory, {.keep_bytes = 0}));
        journal.open();
    }
    CHECK(next == 900);
    must(risk.close());
    // It holds nothing back that it has handled.
    journal.close();
    CHECK(must(prune(journal.directory, {.keep_bytes = 0})).held_by.empty());
    auto again = journal.subscribe();
    CHECK(again.next_sequence() == 900);
    // Where everything before was pruned, the beginning is where the log begins.
    CHECK(again.reset(from_sequence{0}).error().code == errc::pruned);
    must(again.reset(from_first{}));
    CHECK(again.committed().point.next > 500);
}

TEST_CASE("a waiting subscription syncs a commit that has become due", "[replay]") {
    followed_journal journal;
    journal.append(1);
    journal.sync();
    auto risk = journal.subscribe({.sync_interval = std::chrono::milliseconds{20}});
    CHECK(take(risk) == sequences{0});
    must(risk.commit());
    const auto holds_from = [&] {
        return must(list_consumers(journal.directory)).consumers.at(0).holds_from;
    };
    const auto until = std::chrono::steady_clock::now() + long_enough;
    while (holds_from() != 1 && std::chrono::steady_clock::now() < until)
        CHECK(must(risk.next(std::chrono::milliseconds{5})).empty());
    CHECK(holds_from() == 1);
}

TEST_CASE("a position that the log has lost is diverged, and a drop the way out", "[replay]") {
    followed_journal journal;
    const fs::path before = journal.home.path() / "before";
    journal.append(1);
    journal.sync();
    auto risk = journal.subscribe();
    journal.close();
    fs::copy(journal.directory, before, fs::copy_options::recursive);
    journal.open();
    journal.append(1);
    journal.append(1);
    journal.sync();
    CHECK(drain(risk).size() == 3);
    must(risk.commit());
    must(risk.close());
    // The log of the backup, the position of later.
    fs::copy(journal.directory / "consumers", before / "consumers",
             fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    const auto lost = subscription::open(before, "risk");
    REQUIRE_FALSE(lost);
    CHECK(lost.error().code == errc::diverged);
    must(drop_consumer(before, "risk"));
    auto fresh = must(subscription::open(before, "risk"));
    CHECK(drain(fresh) == sequences{0});
    journal.log.reset();
}
