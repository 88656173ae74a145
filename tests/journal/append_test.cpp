#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"

#include <cstring>

using namespace pawl;
using namespace pawl::test;

TEST_CASE("expected versions decide which append to a stream succeeds") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path() / "j", small_segments()));
    CHECK(log.append({.stream = 9, .expected = expect::exists()}, {}).error().code ==
          errc::conflict);
    CHECK(must(log.append({.stream = 9, .expected = expect::no_stream()}, {})).version == 1);
    CHECK(must(log.append({.stream = 9, .expected = expect::exactly(1)}, {})).version == 2);
    CHECK(must(log.append({.stream = 9, .expected = expect::exists()}, {})).version == 3);
    const auto late = log.append({.stream = 9, .expected = expect::exactly(1)}, {});
    REQUIRE_FALSE(late);
    CHECK(late.error().code == errc::conflict);
    CHECK(late.error().actual_version == 3);
    CHECK(log.next_sequence() == 3);
    CHECK(log.append({.stream = 0, .expected = expect::exactly(0)}, {}).error().code ==
          errc::invalid_argument);
    CHECK(log.append({.stream = first_named_stream + 5}, {}).error().code ==
          errc::invalid_argument);
}

TEST_CASE("a stream's name is assigned once and known after reopening") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    stream_id orders = 0;
    {
        auto log = must(writer::open(path, small_segments()));
        orders = must(log.stream("orders-17"));
        CHECK(orders == first_named_stream);
        CHECK(must(log.stream("orders-17")) == orders);
        CHECK(must(log.stream("orders-18")) != orders);
        (void)must(log.append({.stream = orders, .expected = expect::no_stream()}, {}));
        CHECK(log.stream("").error().code == errc::invalid_argument);
    }
    for (int life = 0; life < 3; ++life) {
        auto log = must(writer::open(path, small_segments()));
        CHECK(must(log.stream("orders-17")) == orders);
        CHECK(log.version(orders) == 1);
        must(log.close());
    }
    CHECK(must(find_stream(path, "orders-17")) == orders);
    CHECK_FALSE(must(find_stream(path, "orders-99")));
}

TEST_CASE("a reservation is built in place, committed shorter or abandoned") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    {
        auto space = must(log.reserve({.type = 3, .stream = 4}, 5000));
        REQUIRE(space.payload().size() == 5000);
        std::memset(space.payload().data(), 0x5a, 5000);
        CHECK(log.append({}, {}).error().code == errc::busy);
        std::memcpy(space.payload().data(), "event 0", 7);
        CHECK(must(space.commit(7)).sequence == 0);
    }
    {
        auto space = must(log.reserve({}, 3000));
        std::memset(space.payload().data(), 0xff, 3000);
        space.abandon();
    }
    {
        auto space = must(log.reserve({}, 100));
        CHECK(space.commit(101).error().code == errc::too_large);
    }
    append_numbered(log, 2000);
    must(log.close());
    CHECK(read_numbered(path) == 2001);
    CHECK(must(verify(path)).findings.empty());
}

TEST_CASE("a batch becomes visible as a whole or not at all") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    append_numbered(log, 3);
    auto reader = must(cursor::open(path, {.follow = true}));
    for (int i = 0; i < 3; ++i)
        REQUIRE(reader.next() != nullptr);
    {
        auto together = must(log.begin_batch(4, 200));
        (void)must(together.append({.type = 1, .stream = 1}, bytes_of("event 3")));
        CHECK(reader.next() == nullptr);
        (void)must(together.append({.type = 1, .stream = 2, .expected = expect::no_stream()},
                                   bytes_of("event 4")));
        CHECK(together.append({.stream = 1, .expected = expect::no_stream()}, {}).error().code ==
              errc::conflict);
        {
            auto space = must(together.reserve({.type = 1, .stream = 1}, 50));
            std::memcpy(space.payload().data(), "event 5", 7);
            CHECK(must(space.commit(7)).version == 2);
        }
        CHECK(together.size() == 3);
        CHECK(log.append({}, {}).error().code == errc::busy);
        CHECK(must(together.commit()).sequence == 5);
    }
    for (std::uint64_t i = 3; i < 6; ++i) {
        const event* e = reader.next();
        REQUIRE(e != nullptr);
        CHECK(e->sequence() == i);
        CHECK(e->more_in_batch() == (i < 5));
        CHECK(text_of(*e) == "event " + std::to_string(i));
    }
    {
        auto dropped = must(log.begin_batch(10, 1000));
        for (int i = 0; i < 5; ++i)
            (void)must(dropped.append({.stream = 7}, bytes_of("gone")));
        CHECK(log.version(1) == 2);
    }
    CHECK(log.version(7) == 0);
    CHECK(log.next_sequence() == 6);
    CHECK(reader.next() == nullptr);
    CHECK(log.begin_batch(1, 1 << 20).error().code == errc::too_large);
    CHECK(must(log.begin_batch(1, 8)).commit().error().code == errc::invalid_argument);
    append_numbered(log, 2000);
    must(log.close());
    CHECK(read_numbered(path) == 2006);
    CHECK(must(verify(path)).findings.empty());
}

TEST_CASE("an event that cannot fit is refused and the largest that can is kept") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    const std::size_t largest = (64 << 10) - 8192 - 96 - 56;
    CHECK(log.append({}, std::vector<std::byte>(largest + 1)).error().code == errc::too_large);
    const std::vector<std::byte> payload(largest, std::byte{7});
    for (int i = 0; i < 3; ++i)
        (void)must(log.append({}, payload));
    (void)must(log.append({}, {}));
    must(log.close());
    auto events = must(cursor::open(path));
    std::uint64_t whole = 0;
    CHECK(must(events.for_each(
              [&](const event& e) { whole += e.payload().size() == largest ? 1U : 0U; })) == 4);
    CHECK(whole == 3);
}

TEST_CASE("the durable watermark moves only with a sync and counts every event below it") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path() / "j", small_segments()));
    append_numbered(log, 2000);
    CHECK(log.published() == 2000);
    CHECK(log.durable() == 0);
    CHECK(must(log.sync()) == 2000);
    CHECK(log.durable() == 2000);
    CHECK(log.wait_durable(5000).error().code == errc::invalid_argument);
    append_numbered(log, 1);
    CHECK(must(log.wait_durable(2000)) == 2001);
}

TEST_CASE("the flusher makes events durable by itself", "[concurrency]") {
    const temporary_directory directory;
    auto options = small_segments();
    SECTION("after a time") {
        options.sync = sync_policy::every_us(500);
    }
    SECTION("after so many bytes") {
        options.sync = sync_policy::every_bytes(64);
    }
    auto log = must(writer::open(directory.path() / "j", options));
    append_numbered(log, 10);
    CHECK(must(log.spin_durable(9)) >= 10);
}

TEST_CASE("a program without background threads drives the work with poll") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto options = small_segments();
    options.background_threads = false;
    CHECK(writer::open(path, options).error().code == errc::invalid_argument);
    options.full = when_full::fail;
    auto log = must(writer::open(path, options));
    std::uint64_t refused = 0;
    while (log.next_sequence() < 5000) {
        const std::string text = "event " + std::to_string(log.next_sequence());
        const auto placed = log.append({.type = 1}, bytes_of(text));
        if (placed)
            continue;
        REQUIRE(placed.error().code == errc::back_pressure);
        ++refused;
        must(log.poll());
    }
    CHECK(refused > 0);
    must(log.close());
    CHECK(read_numbered(path) == 5000);
}

TEST_CASE("every call on a closed writer returns closed") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path() / "j", small_segments()));
    must(log.close());
    CHECK(log.append({}, {}).error().code == errc::closed);
    CHECK(log.reserve({}, 8).error().code == errc::closed);
    CHECK(log.begin_batch(1, 8).error().code == errc::closed);
    CHECK(log.stream("orders").error().code == errc::closed);
    CHECK(log.poll().error().code == errc::closed);
    CHECK(log.sync().error().code == errc::closed);
    CHECK(log.close().error().code == errc::closed);
}

TEST_CASE("many streams outgrow their table and every version stays right", "[concurrency]") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto options = small_segments();
    options.segment_bytes = 1 << 20;
    options.expected_streams = 64;
    auto log = must(writer::open(path, options));
    constexpr stream_id streams = 30'000;
    for (stream_version round = 1; round <= 3; ++round) {
        for (stream_id stream = 1; stream <= streams; ++stream) {
            auto placed =
                log.append({.stream = stream, .expected = expect::exactly(round - 1)}, {});
            while (!placed && placed.error().code == errc::back_pressure) {
                placed = log.append({.stream = stream, .expected = expect::exactly(round - 1)}, {});
            }
            REQUIRE(must(std::move(placed)).version == round);
        }
    }
    CHECK(log.statistics().streams == streams);
    must(log.close());
    auto again = must(writer::open(path, options));
    for (stream_id stream = 1; stream <= streams; ++stream)
        REQUIRE(again.version(stream) == 3);
}

TEST_CASE("an append that spins also waits while the table of streams grows") {
    const temporary_directory directory;
    auto options = small_segments();
    options.segment_bytes = std::uint64_t{4} << 20;
    auto log = must(writer::open(directory.path() / "j", options));
    std::uint64_t refused = 0;
    constexpr std::uint64_t streams = 100'000;
    for (stream_id stream = 1; stream <= streams; ++stream)
        refused += log.append({.stream = stream, .expected = expect::no_stream()}, {}) ? 0U : 1U;
    CHECK(refused == 0);
    CHECK(log.next_sequence() == streams);
}

TEST_CASE("an append that does not spin fails while the table of streams grows") {
    const temporary_directory directory;
    auto options = small_segments();
    options.background_threads = false;
    options.full = when_full::fail;
    options.expected_streams = 1;
    auto log = must(writer::open(directory.path() / "j", options));
    stream_id stream = 1;
    auto refused = log.append({.stream = stream}, {});
    while (refused)
        refused = log.append({.stream = ++stream}, {});
    CHECK(refused.error().code == errc::back_pressure);
    CHECK(refused.error().stream == stream);
    CHECK(refused.error().reason == "the table of streams is growing");
    must(log.poll());
    CHECK(log.append({.stream = stream}, {}));
}

TEST_CASE("a refused append to an unknown stream leaves no trace") {
    const temporary_directory directory;
    auto options = small_segments();
    options.expected_streams = 64;
    auto log = must(writer::open(directory.path() / "j", options));
    (void)must(log.append({.type = 1, .stream = 1}, bytes_of("known")));
    for (stream_id stream = 2; stream < 50'000; ++stream) {
        for (const expect expected : {expect::exists(), expect::exactly(3)}) {
            const auto refused =
                log.append({.type = 1, .stream = stream, .expected = expected}, bytes_of("x"));
            REQUIRE_FALSE(refused);
            REQUIRE(refused.error().code == errc::conflict);
            REQUIRE(refused.error().actual_version == 0);
        }
    }
    CHECK(log.statistics().streams == 1);
}

TEST_CASE("an abandoned batch or reservation leaves no stream behind") {
    const temporary_directory directory;
    auto options = small_segments();
    options.expected_streams = 64;
    auto log = must(writer::open(directory.path() / "j", options));
    (void)must(log.append({.type = 1, .stream = 1}, bytes_of("known")));
    for (stream_id stream = 2; stream < 20'000; ++stream) {
        {
            auto space = must(log.reserve({.type = 1, .stream = stream}, 8));
        }
        auto together = must(log.begin_batch(4, 64));
        (void)must(together.append({.type = 1, .stream = 1}, bytes_of("x")));
        (void)must(together.append({.type = 1, .stream = stream}, bytes_of("x")));
        (void)must(together.append({.type = 1, .stream = stream}, bytes_of("y")));
        REQUIRE_FALSE(
            together.append({.stream = stream, .expected = expect::no_stream()}, bytes_of("z")));
    }
    CHECK(log.statistics().streams == 1);
    CHECK(log.version(1) == 1);
    CHECK(log.version(2) == 0);
    CHECK(must(log.append({.type = 1, .stream = 2}, bytes_of("x"))).version == 1);
    CHECK(log.statistics().streams == 2);
}
