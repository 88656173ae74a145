// Conditions on streams that an event need not belong to.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"

#include <pawl/journal/metadata.hpp>
#include <pawl/journal/prune.hpp>
#include <pawl/journal/writer.hpp>

#include <array>
#include <initializer_list>
#include <string>
#include <vector>

using namespace pawl;
using namespace pawl::test;

namespace {

using conditions = std::vector<stream_condition>;

// Every way in which an event with a header reaches the log.
enum class way { append, reserve, batch, reserve_in_batch };
constexpr std::array every_way{way::append, way::reserve, way::batch, way::reserve_in_batch};

result<receipt> place(writer& log, way by, const event_header& header) {
    const auto payload = bytes_of("event");
    const auto commit = [&](result<reservation> room) -> result<receipt> {
        if (!room)
            return std::unexpected(room.error());
        std::ranges::copy(payload, room->payload().begin());
        return room->commit(payload.size());
    };
    switch (by) {
        case way::append:
            return log.append(header, payload);
        case way::reserve:
            return commit(log.reserve(header, payload.size()));
        case way::batch:
        case way::reserve_in_batch:
            break;
    }
    auto together = must(log.begin_batch(1, 1024));
    auto placed = by == way::batch ? together.append(header, payload)
                                   : commit(together.reserve(header, payload.size()));
    return placed ? together.commit() : placed;
}

// Appends to stream 1 under these conditions.
result<receipt> under(writer& log, const conditions& all, way by = way::append) {
    return place(log, by, {.type = 1, .stream = 1, .conditions = all});
}

void check_conflict(const result<receipt>& placed, stream_id stream, stream_version actual,
                    std::uint64_t expected) {
    REQUIRE(!placed);
    CHECK(placed.error().code == errc::conflict);
    CHECK(placed.error().stream == stream);
    CHECK(placed.error().actual_version == actual);
    CHECK(placed.error().expected_version == expected);
}

}  // namespace

TEST_CASE("an event is appended if what it says of other streams holds") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path(), small_segments()));
    append_numbered(log, 3, 7);
    for (const way by : every_way) {
        INFO("way " << static_cast<int>(by));
        const auto before = log.next_sequence();
        check_conflict(under(log, {{7, expect::exactly(2)}}, by), 7, 3, 2);
        check_conflict(under(log, {{7, expect::no_stream()}}, by), 7, 3, 0);
        check_conflict(under(log, {{8, expect::exists()}}, by), 8, 0, no_value);
        check_conflict(under(log, {{8, expect::exactly(1)}}, by), 8, 0, 1);
        CHECK(log.next_sequence() == before);
        for (const auto& holds :
             {conditions{{7, expect::exactly(3)}}, conditions{{7, expect::exists()}},
              conditions{{7, expect::any()}}, conditions{{8, expect::no_stream()}},
              conditions{{8, expect::any()}}}) {
            (void)must(under(log, holds, by));
        }
    }
    CHECK(log.version(7) == 3);
    CHECK(log.version(8) == 0);
    CHECK(log.statistics().streams == 2);
}

TEST_CASE("the first of several conditions that does not hold is the conflict") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path(), small_segments()));
    append_numbered(log, 2, 7);
    append_numbered(log, 4, 8);
    for (const way by : every_way) {
        INFO("way " << static_cast<int>(by));
        const conditions good{
            {7, expect::exactly(2)}, {8, expect::exactly(4)}, {7, expect::exists()}};
        (void)must(under(log, good, by));
        check_conflict(under(log, {good[0], {8, expect::exactly(3)}, {7, expect::no_stream()}}, by),
                       8, 4, 3);
        check_conflict(under(log, {good[0], good[1], {7, expect::exactly(1)}}, by), 7, 2, 1);
        // The same stream twice: both must hold.
        check_conflict(under(log, {{8, expect::exists()}, {8, expect::no_stream()}}, by), 8, 4, 0);
    }
}

TEST_CASE("a condition on the event's own stream is met by what came before the event") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path(), small_segments()));
    for (const way by : every_way) {
        INFO("way " << static_cast<int>(by));
        const auto version = log.version(1);
        (void)must(under(log, {{1, expect::exactly(version)}}, by));
        check_conflict(under(log, {{1, expect::exactly(version)}}, by), 1, version + 1, version);
    }
}

TEST_CASE("conditions in a batch see the log as it was before the batch") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path(), small_segments()));
    append_numbered(log, 2, 7);
    const conditions before{{7, expect::exactly(2)}, {8, expect::no_stream()}, {9, expect::any()}};
    auto together = must(log.begin_batch(8, 1024));
    (void)must(together.append({.type = 1, .stream = 7}, bytes_of("a")));
    (void)must(together.append({.type = 1, .stream = 7}, bytes_of("b")));
    (void)must(together.append({.type = 1, .stream = 8}, bytes_of("c")));
    (void)must(together.append({.type = 1, .stream = 8, .conditions = before}, bytes_of("d")));
    // The expected version of the event's own stream counts the batch.
    (void)must(together.append(
        {.type = 1, .stream = 7, .expected = expect::exactly(4), .conditions = before},
        bytes_of("e")));

    const conditions counted{{7, expect::exactly(5)}};
    const auto refused =
        together.append({.type = 1, .stream = 8, .conditions = counted}, bytes_of("f"));
    check_conflict(refused, 7, 2, 5);
    CHECK(refused.error().batch_event == 5);
    CHECK(refused.error().message().find("event of the batch 5") != std::string::npos);
    // The batch is as it was, and may go on.
    CHECK(together.size() == 5);
    (void)must(together.append({.type = 1, .stream = 8, .conditions = before}, bytes_of("g")));
    (void)must(together.commit());
    CHECK(log.version(7) == 5);
    CHECK(log.version(8) == 3);

    const conditions after{{7, expect::exactly(5)}, {8, expect::exactly(3)}};
    (void)must(under(log, after));
}

TEST_CASE("an abandoned batch does not count in later conditions") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path(), small_segments()));
    append_numbered(log, 2, 7);
    {
        auto together = must(log.begin_batch(2, 1024));
        (void)must(together.append({.type = 1, .stream = 7}, bytes_of("a")));
        (void)must(together.append({.type = 1, .stream = 8}, bytes_of("b")));
    }
    (void)must(under(log, {{7, expect::exactly(2)}, {8, expect::no_stream()}}));
}

TEST_CASE("a command's id is looked at before its conditions") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path(), small_segments()));
    append_numbered(log, 1, 7);
    const auto command = reference_to(message_id{std::byte{1}}, bytes_of("pay 5"));
    const std::array entries{entry_of(command)};
    const conditions seen{{7, expect::exactly(1)}};
    const event_header header{.type = 1, .stream = 1, .metadata = entries, .conditions = seen};
    (void)must(log.append(header, bytes_of("first")));
    append_numbered(log, 1, 7);
    for (const way by : every_way) {
        const auto again = place(log, by, header);
        REQUIRE(!again);
        CHECK(again.error().code == errc::repeated);
    }
}

TEST_CASE("conditions hold across a crash, a close and a prune") {
    const temporary_directory directory;
    const conditions seen{{7, expect::exactly(40)}, {8, expect::no_stream()}};
    {
        auto log = must(writer::open(directory.path(), small_segments()));
        append_numbered(log, 40, 7);
    }
    {
        auto log = must(writer::open(directory.path(), small_segments()));
        (void)must(under(log, seen));
        check_conflict(under(log, {{7, expect::exactly(39)}}), 7, 40, 39);
        while (log.statistics().rollovers < 3)
            append_numbered(log, 10);
        must(log.close());
    }
    auto log = must(writer::open(directory.path(), small_segments()));
    CHECK(must(log.prune({.before = log.next_sequence()})).events > 40);
    (void)must(under(log, seen));
    check_conflict(under(log, {{7, expect::exactly(41)}}), 7, 40, 41);
}

TEST_CASE("a condition on a stream that cannot exist is refused") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path(), small_segments()));
    const auto named = must(log.stream("limits"));
    (void)must(under(log, {{named, expect::no_stream()}}));
    for (const stream_id impossible : {no_stream_id, named + 1}) {
        const auto placed = under(log, {{impossible, expect::any()}});
        REQUIRE(!placed);
        CHECK(placed.error().code == errc::invalid_argument);
        CHECK(placed.error().stream == impossible);
    }
}

TEST_CASE("conditions stay right while the table of streams grows") {
    const temporary_directory directory;
    auto options = by_hand();
    options.segment_bytes = std::uint64_t{16} << 20;
    options.expected_streams = 1;
    auto log = must(writer::open(directory.path(), options));
    for (stream_id stream = 1; stream <= 20'000; ++stream) {
        if (stream % 16 == 0)
            must(log.poll());
        const stream_id other = stream / 2 + 1;
        const conditions seen{{other, expect::exactly(other < stream ? 1 : 0)},
                              {stream + 1, expect::no_stream()}};
        const event_header header{.type = 1, .stream = stream, .conditions = seen};
        (void)must(log.append(header, bytes_of("one")));
        const conditions wrong{{stream, expect::no_stream()}};
        check_conflict(
            log.append({.type = 1, .stream = other, .conditions = wrong}, bytes_of("no")), stream,
            1, 0);
    }
}
