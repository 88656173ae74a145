// The text of errors: numbers and a sentence, without an allocation on the hot path.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"
#include "os/io_hook.hpp"

#include <cerrno>
#include <cstdint>
#include <limits>
#include <vector>

using namespace pawl;
using namespace pawl::test;

TEST_CASE("a conflict names the stream, its version and the expected one") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path() / "j", by_hand()));
    append_numbered(log, 3, 42);
    const auto wrong = log.append({.stream = 42, .expected = expect::exactly(2)}, {});
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().message() == "conflict: stream 42, actual version 3, expected version 2");
    CHECK(wrong.error().batch_event == no_value);
    const auto none = log.append({.stream = 42, .expected = expect::no_stream()}, {});
    CHECK(none.error().message() == "conflict: stream 42, actual version 3, expected version 0");
    const auto some = log.append({.stream = 7, .expected = expect::exists()}, {});
    CHECK(some.error().message() ==
          "conflict: stream 7, actual version 0: the stream was expected to hold an event");
}

TEST_CASE("no version that a caller can compute disables the version check") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path() / "j", by_hand()));
    append_numbered(log, 3, 42);
    constexpr stream_version largest = std::numeric_limits<stream_version>::max();
    for (const stream_version reserved : {largest, largest - 1, largest - 2, largest - 3}) {
        CAPTURE(reserved);
        const auto kind = expect::exactly(reserved);
        CHECK(log.append({.stream = 42, .expected = kind}, {}).error().code == errc::conflict);
        CHECK(log.append({.stream = 9, .expected = kind}, {}).error().code == errc::conflict);
        CHECK(log.append({.expected = kind}, {}).error().code == errc::invalid_argument);
    }
    CHECK(log.next_sequence() == 3);
}

TEST_CASE("too_large reports the size and the limit") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path() / "j", by_hand()));
    const std::vector<std::byte> large(std::size_t{17} << 20);
    const auto payload = log.append({}, large).error();
    CHECK(payload.code == errc::too_large);
    CHECK(payload.size == large.size());
    CHECK(payload.limit < large.size());
    CHECK(log.append({}, std::span{large}.first(payload.limit)).error().size > payload.limit);
    // One byte more than fits into a segment, and the largest size that fits.
    const auto segment = log.append({}, std::span{large}.first(100'000)).error();
    CHECK(segment.code == errc::too_large);
    const std::size_t fits = segment.limit - detail::frame_header_bytes;
    CHECK(log.append({}, std::span{large}.first(fits + 1)).error().limit == segment.limit);
    CHECK(log.append({}, std::span{large}.first(fits)));

    must(log.poll());
    auto space = must(log.reserve({}, 100));
    const auto longer = space.commit(101).error();
    CHECK(longer.code == errc::too_large);
    CHECK(longer.size == 101);
    CHECK(longer.limit == 100);

    auto batch = must(log.begin_batch(2, 100));
    const auto overfull = batch.append({}, std::span{large}.first(1000)).error();
    CHECK(overfull.code == errc::too_large);
    CHECK(overfull.size > overfull.limit);
    must(batch.append({}, {}));
    must(batch.append({}, {}));
    const auto third = batch.append({}, {}).error();
    CHECK(third.size == 3);
    CHECK(third.limit == 2);
}

TEST_CASE("invalid_argument names the argument") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path() / "j", by_hand()));
    const auto reason_of = [](const auto& refused) {
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == errc::invalid_argument);
        return std::string{refused.error().reason};
    };
    CHECK(reason_of(log.append({.stream = 0, .expected = expect::exists()}, {}))
              .starts_with("event_header::expected"));
    const auto unnamed = log.append({.stream = first_named_stream}, {});
    CHECK(reason_of(unnamed).starts_with("event_header::stream"));
    CHECK(unnamed.error().stream == first_named_stream);
    CHECK(reason_of(log.begin_batch(0, 10)).starts_with("begin_batch: events"));
    CHECK(reason_of(log.stream("")).starts_with("a stream's name"));
    CHECK(reason_of(log.wait_durable(5)).starts_with("no event with this sequence"));
    CHECK(reason_of(must(log.begin_batch(1, 10)).commit()).starts_with("commit: "));
    CHECK(reason_of(writer::open(directory.path() / "k", {.segment_bytes = 100}))
              .starts_with("writer_options::segment_bytes"));
}

TEST_CASE("a poisoned writer names the kind of its first failure, in every call") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path() / "j", by_hand()));
    append_numbered(log, 1);
    detail::set_io_hook(
        [](void*, const detail::io_event& event) {
            return event.operation == detail::io_operation::sync_range ? EIO : 0;
        },
        nullptr);
    const auto first = log.sync();
    detail::set_io_hook(nullptr, nullptr);
    const auto check = [](const error& why) {
        CHECK(why.code == errc::poisoned);
        CHECK(why.cause == errc::io);
        CHECK(why.os_error == EIO);
    };
    check(first.error());
    check(log.append({}, {}).error());
    check(log.reserve({}, 10).error());
    check(log.begin_batch(1, 10).error());
    check(log.stream("name").error());
    check(log.sync().error());
    check(log.wait_durable(0).error());
    check(log.spin_durable(0).error());
    check(log.failure().value());
    CHECK(log.append({}, {}).error().message().starts_with("poisoned: the first failure was io: "));
}

TEST_CASE("a recovery report is one line") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    {
        auto log = must(writer::open(path, small_segments()));
        CHECK(log.recovery().message() == "created, next sequence 0");
        append_numbered(log, 10);
        must(log.close());
    }
    {
        auto log = must(writer::open(path, small_segments()));
        CHECK(log.recovery().message() == "closed cleanly, next sequence 10");
        append_numbered(log, 1);
    }
    auto log = must(writer::open(path, small_segments()));
    CHECK(log.recovery().message().starts_with(
        "the last writer did not close the journal; cut segment 1 at byte "));
    CHECK(log.recovery().message().ends_with("next sequence 11"));
}
