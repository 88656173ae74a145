// The calls that are allowed and refused while a reservation or batch is open.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"

#include <algorithm>

using namespace pawl;
using namespace pawl::test;

TEST_CASE("an abandoned reservation leaves the batch around it open") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    append_numbered(log, 1);
    {
        auto together = must(log.begin_batch(3, 300));
        (void)must(together.append({.type = 1}, bytes_of("event 1")));
        {
            auto space = must(together.reserve({.type = 1, .stream = 4}, 100));
            std::ranges::fill(space.payload(), std::byte{0xab});
            CHECK(together.append({}, {}).error().code == errc::busy);
            CHECK(together.reserve({}, 8).error().code == errc::busy);
            CHECK(log.append({}, {}).error().code == errc::busy);
        }
        CHECK(log.append({}, {}).error().code == errc::busy);
        CHECK(log.reserve({}, 8).error().code == errc::busy);
        CHECK(log.begin_batch(1, 8).error().code == errc::busy);
        CHECK(log.stream("name").error().code == errc::busy);
        CHECK(together.size() == 1);
        auto space = must(together.reserve({.type = 1}, 7));
        std::ranges::copy(bytes_of("event 2"), space.payload().begin());
        CHECK(must(space.commit(7)).sequence == 2);
        CHECK(log.append({}, {}).error().code == errc::busy);
        CHECK(must(together.commit()).sequence == 2);
    }
    CHECK(log.version(4) == 0);
    append_numbered(log, 1);
    must(log.close());
    CHECK(read_numbered(path) == 4);
    CHECK(must(verify(path)).findings.empty());
}

TEST_CASE("a reservation in a batch that was abandoned cannot be committed") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, by_hand()));
    append_numbered(log, 1);
    auto events = must(log.begin_batch(2, 100));
    (void)must(events.append({.type = 1}, bytes_of("first")));
    auto space = must(events.reserve({.type = 1}, 8));
    events.abandon();
    const auto late = space.commit(8);
    REQUIRE_FALSE(late.has_value());
    CHECK(late.error().code == errc::closed);
    append_numbered(log, 1);
    must(log.close());
    CHECK(read_numbered(path) == 2);
}

TEST_CASE("a batch is not committed while a reservation in it is open") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path() / "j", small_segments()));
    auto together = must(log.begin_batch(2, 200));
    (void)must(together.append({.stream = 3}, {}));
    auto space = must(together.reserve({.stream = 3}, 100));
    CHECK(together.commit().error().code == errc::busy);
    // The batch is over then, and its events with it.
    CHECK(log.version(3) == 0);
    CHECK(log.next_sequence() == 0);
    space.abandon();
    CHECK(must(log.append({.stream = 3}, {})).version == 1);
}

TEST_CASE("only a batch that is open when the writer closes is lost") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    for (const bool reserving : {false, true}) {
        INFO("reserving " << reserving);
        auto log = must(writer::open(path, small_segments()));
        const auto before = log.next_sequence();
        append_numbered(log, 3);
        auto together = must(log.begin_batch(3, 300));
        (void)must(together.append({.type = 1, .stream = 4}, bytes_of("gone")));
        std::optional<reservation> space;
        if (reserving)
            space.emplace(must(together.reserve({.type = 1}, 100)));
        must(log.close());
        CHECK_FALSE(log.failure().has_value());
        CHECK(together.append({}, {}).error().code == errc::closed);
        CHECK(together.commit().error().code == errc::closed);
        CHECK(must(inspect(path)).state == journal_state::closed);
        CHECK(read_numbered(path) == before + 3);
        const auto report = must(verify(path));
        CHECK(report.findings.empty());
        CHECK(report.end == end_of_journal::closed);
        auto again = must(writer::open(path, small_segments()));
        CHECK(again.recovery().state == found::closed);
        CHECK(again.version(4) == 0);
        CHECK(again.next_sequence() == before + 3);
        must(again.close());
    }
}

TEST_CASE("a reservation that is open when the writer closes is lost") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    append_numbered(log, 3);
    auto space = must(log.reserve({.type = 1, .stream = 4}, 1000));
    std::ranges::fill(space.payload(), std::byte{0xab});
    must(log.close());
    CHECK(space.commit(5).error().code == errc::closed);
    CHECK(read_numbered(path) == 3);
    CHECK(must(verify(path)).findings.empty());
    CHECK(must(writer::open(path, small_segments())).recovery().state == found::closed);
}

TEST_CASE("expected versions in a batch see the events added before, and are taken back with it") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path() / "j", small_segments()));
    for (const bool commit : {false, true}) {
        auto together = must(log.begin_batch(3, 0));
        (void)must(together.append({.stream = 5, .expected = expect::no_stream()}, {}));
        const auto late = together.append({.stream = 5, .expected = expect::no_stream()}, {});
        REQUIRE_FALSE(late);
        CHECK(late.error().code == errc::conflict);
        CHECK(late.error().actual_version == 1);
        CHECK(late.error().batch_event == 1);
        CHECK(late.error().message() ==
              "conflict: stream 5, actual version 1, expected version 0, event of the batch 1");
        (void)must(together.append({.stream = 5, .expected = expect::exactly(1)}, {}));
        (void)must(together.append({.stream = 5, .expected = expect::exists()}, {}));
        CHECK(log.version(5) == 3);
        if (commit)
            CHECK(must(together.commit()).version == 3);
        else
            together.abandon();
        CHECK(log.version(5) == (commit ? 3 : 0));
        CHECK(log.last_position(5).has_value() == commit);
    }
}

TEST_CASE("all versions and positions are known while the table of streams grows") {
    const temporary_directory directory;
    auto options = small_segments();
    options.segment_bytes = std::uint64_t{1} << 20;
    options.expected_streams = 64;
    options.background_threads = false;
    options.full = when_full::fail;
    auto log = must(writer::open(directory.path() / "j", options));
    std::vector<log_position> last(1);  // by stream
    std::size_t refused = 0;
    while (last.size() <= 3000) {
        const auto placed = log.append({.stream = last.size()}, {});
        if (placed) {
            last.push_back(placed->position);
        } else {
            REQUIRE(placed.error().code == errc::back_pressure);
            ++refused;
            must(log.poll());
        }
        // Each append moves a few entries; query all of them from time to time during the growth.
        if (last.size() % 16 != 0)
            continue;
        for (stream_id stream = 1; stream < last.size(); ++stream) {
            if (log.version(stream) != 1 || log.last_position(stream) != last[stream])
                FAIL("stream " << stream << " of " << last.size() << " is not known");
        }
        CHECK(log.version(last.size()) == 0);
    }
    CHECK(refused != 0);
    CHECK(log.statistics().streams == 3000);
}
