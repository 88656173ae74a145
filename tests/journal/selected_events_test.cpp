// Cursors that begin at a time, and those that return only some events.
#include "prune_support.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <vector>

using namespace pawl;
using namespace pawl::test;

namespace {

// Appends events of these times, a kilobyte each.
void append_times(writer& log, const std::vector<std::uint64_t>& times) {
    const std::string text(1000, '.');
    for (const std::uint64_t time : times) {
        (void)must(log.append({.type = 1, .timestamp_ns = time}, bytes_of(text)));
        (void)must(log.poll());
    }
}

// Times that climb, with steps back and jumps.
[[nodiscard]] std::vector<std::uint64_t> wandering(std::uint64_t events) {
    std::vector<std::uint64_t> times;
    for (std::uint64_t i = 0; i < events; ++i)
        times.push_back(1000 + i - (i * 7919) % 40 + (i == 333 ? 200 : 0));
    return times;
}

// The first event of that time or later, by reading all.
[[nodiscard]] sequence_number first_at(const std::vector<std::uint64_t>& times,
                                       std::uint64_t since) {
    return static_cast<sequence_number>(
        std::ranges::find_if(times, [&](std::uint64_t time) { return time >= since; }) -
        times.begin());
}

[[nodiscard]] std::vector<sequence_number> read(const std::filesystem::path& directory,
                                                cursor_options options) {
    std::vector<sequence_number> all;
    auto events = must(cursor::open(directory, std::move(options)));
    (void)must(events.for_each([&](const event& e) { all.push_back(e.sequence()); }));
    return all;
}

}  // namespace

TEST_CASE("a cursor from a time begins with the first event that has it or a later one") {
    growing_journal journal;
    const auto times = wandering(600);
    auto log = journal.open();
    append_times(log, times);
    const auto check_all = [&] {
        for (std::uint64_t since = 900; since < 1700; since += 3) {
            INFO(since);
            auto events = must(cursor::open(journal.directory, {.from = from_time{since}}));
            const sequence_number expected = first_at(times, since);
            REQUIRE(events.next_sequence() == expected);
            const event* e = events.next();
            REQUIRE((e == nullptr) == (expected == times.size()));
            if (e != nullptr)
                REQUIRE(e->timestamp_ns() >= since);
        }
    };
    check_all();
    must(log.close());
    check_all();
    // Without an index, the segments are read.
    std::filesystem::remove(journal.directory / "0000000001.idx");
    check_all();
}

TEST_CASE("a cursor from a time waits at the end if no event has it yet") {
    growing_journal journal;
    auto log = journal.open();
    append_times(log, {10, 20});
    auto events = must(cursor::open(journal.directory, {.from = from_time{30}, .follow = true}));
    CHECK(events.next() == nullptr);
    append_times(log, {40});
    const event* e = events.next();
    REQUIRE(e != nullptr);
    CHECK(e->sequence() == 2);
}

TEST_CASE("a cursor from a time of a pruned log begins where the log does") {
    growing_journal journal;
    auto log = journal.open();
    append_times(log, wandering(600));
    must(log.close());
    const auto done = must(prune(journal.directory, {.before = 300}));
    REQUIRE(done.first_sequence > 0);
    auto events = must(cursor::open(journal.directory, {.from = from_time{0}}));
    CHECK(events.next_sequence() == done.first_sequence);
}

TEST_CASE("a cursor from a time in an empty journal is at its beginning") {
    growing_journal journal;
    auto log = journal.open();
    auto events = must(cursor::open(journal.directory, {.from = from_time{1}}));
    CHECK(events.next_sequence() == 0);
    CHECK(events.next() == nullptr);
}

TEST_CASE("a filter admits types and streams, and stream 0 is the firehose") {
    growing_journal journal;
    journal.options.clock = clock_source::system;
    auto log = journal.open();
    std::vector<std::uint16_t> types;
    std::vector<stream_id> streams;
    for (std::uint64_t i = 0; i < 500; ++i) {
        types.push_back(static_cast<std::uint16_t>(1 + i % 7));
        streams.push_back(i % 4);
        const std::string text(500, '.');
        (void)must(log.append({.type = types.back(), .stream = streams.back()}, bytes_of(text)));
        (void)must(log.poll());
    }
    const auto expected = [&](auto&& admits) {
        std::vector<sequence_number> all;
        for (sequence_number i = 0; i < types.size(); ++i) {
            if (admits(types[i], streams[i]))
                all.push_back(i);
        }
        return all;
    };
    const auto check_all = [&] {
        CHECK(read(journal.directory, {.filter = event_selection{.types = {2, 5}}}) ==
              expected([](auto type, auto) { return type == 2 || type == 5; }));
        CHECK(read(journal.directory, {.filter = event_selection{.streams = {no_stream_id}}}) ==
              expected([](auto, auto stream) { return stream == 0; }));
        CHECK(
            read(journal.directory, {.filter = event_selection{.types = {1}, .streams = {0, 3}}}) ==
            expected(
                [](auto type, auto stream) { return type == 1 && (stream == 0 || stream == 3); }));
        CHECK(read(journal.directory, {.stream = 2, .filter = event_selection{.types = {3}}}) ==
              expected([](auto type, auto stream) { return type == 3 && stream == 2; }));
        CHECK(read(journal.directory,
                   {.from = from_sequence{200}, .filter = event_selection{.types = {77}}})
                  .empty());
    };
    check_all();
    auto durable = must(cursor::open(
        journal.directory,
        {.show = visibility::durable, .follow = true, .filter = event_selection{.types = {2}}}));
    while (durable.next() != nullptr) {
    }
    must(log.close());
    check_all();
    CHECK(cursor::open(journal.directory, {.filter = event_selection{}}).error().code ==
          errc::invalid_argument);
}

TEST_CASE("a filtering cursor stands after what it has passed over") {
    growing_journal journal;
    auto log = journal.open();
    append_times(log, {1, 2, 3});
    auto events = must(
        cursor::open(journal.directory, {.follow = true, .filter = event_selection{.types = {9}}}));
    CHECK(events.next() == nullptr);
    CHECK(events.next_sequence() == 3);
    CHECK(events.point().next == 3);
    (void)must(log.append({.type = 9}, {}));
    CHECK(must(events.wait(std::chrono::seconds{60})));
    CHECK(events.next()->sequence() == 3);
}

TEST_CASE("a wait ends at its timeout also while a filter passes over events") {
    const temporary_directory directory;
    constexpr std::uint64_t passed = 20'000;
    auto log = must(writer::open(directory.path(), small_segments()));
    append_numbered(log, passed);
    auto events = must(
        cursor::open(directory.path(), {.follow = true, .filter = event_selection{.types = {2}}}));
    CHECK_FALSE(must(events.wait(std::chrono::nanoseconds{0})));
    CHECK(events.next_sequence() < passed);
    while (events.next_sequence() < passed) {
        const sequence_number before = events.next_sequence();
        REQUIRE_FALSE(must(events.wait(std::chrono::nanoseconds{0})));
        REQUIRE(events.next_sequence() > before);
    }
    (void)must(log.append({.type = 2}, {}));
    CHECK(must(events.wait(std::chrono::seconds{60})));
    CHECK(events.next()->sequence() == passed);
}

TEST_CASE("a name stays until an event is returned, also if a wait ends before") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path(), small_segments()));
    append_numbered(log, 1);
    const stream_id orders = must(log.stream("orders"));
    (void)must(log.append({.type = 2, .stream = orders}, {}));
    auto events = must(
        cursor::open(directory.path(),
                     {.follow = true, .filter = event_selection{.types = {1}}, .names = true}));
    REQUIRE(events.next() != nullptr);
    for (int i = 0; i < 3; ++i)
        REQUIRE_FALSE(must(events.wait(std::chrono::nanoseconds{0})));
    append_numbered(log, 1, orders);
    const event* e = events.next();
    REQUIRE(e != nullptr);
    CHECK(e->sequence() == 2);
    REQUIRE(events.names_before().size() == 1);
    CHECK(events.names_before()[0].name == "orders");
    append_numbered(log, 1, orders);
    REQUIRE(events.next() != nullptr);
    CHECK(events.names_before().empty());
}
