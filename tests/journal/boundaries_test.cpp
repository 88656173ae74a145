// Every limit that a writer documents, at n - 1, n and n + 1.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"

#include <pawl/journal/detail/frame.hpp>

#include <algorithm>
#include <array>

using namespace pawl;
using namespace pawl::test;

namespace {

constexpr std::size_t header = detail::frame_header_bytes;
// The bytes of a 64 KiB segment between its headers and the space for its end frame.
constexpr std::size_t room = (std::size_t{64} << 10) - 8192 - 96;

[[nodiscard]] std::vector<std::byte> payload_of(std::size_t bytes) {
    return std::vector<std::byte>(bytes, std::byte{7});
}

// Appends until exactly `left` bytes of the first segment are free.
void leave(writer& log, std::size_t left) {
    REQUIRE(log.statistics().rollovers == 0);
    const std::size_t used = log.statistics().appended_bytes;
    (void)must(log.append({.type = 9}, payload_of(room - used - left - header)));
    REQUIRE(log.statistics().appended_bytes == room - left);
}

[[nodiscard]] std::uint64_t count_events(const std::filesystem::path& directory) {
    auto events = must(cursor::open(directory));
    return must(events.for_each([](const event&) {}));
}

}  // namespace

TEST_CASE("the largest payload fills a segment, by append, reservation and batch") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    constexpr std::size_t largest = room - header;
    const auto outcomes = [&](std::size_t bytes) {
        std::array<bool, 3> fits{};
        fits[0] = log.append({}, payload_of(bytes)).has_value();
        if (auto space = log.reserve({}, bytes)) {
            std::ranges::fill(space->payload(), std::byte{7});
            fits[1] = space->payload().size() == bytes && space->commit(bytes).has_value();
        }
        // A batch reserves the padding of its events in advance, whatever their sizes will be.
        constexpr std::size_t padding = 7;
        if (auto together = log.begin_batch(1, bytes - padding)) {
            fits[2] = together->append({}, payload_of(bytes - padding)).has_value() &&
                      together->commit().has_value();
        }
        return fits;
    };
    constexpr std::array all_fit{true, true, true};
    constexpr std::array none_fits{false, false, false};
    CHECK(outcomes(largest - 1) == all_fit);
    CHECK(outcomes(largest) == all_fit);
    CHECK(outcomes(largest + 1) == none_fits);
    must(log.close());
    CHECK(count_events(path) == 6);
    CHECK(must(verify(path)).findings.empty());
}

TEST_CASE("an event that fits the rest of a segment exactly stays in it") {
    for (const std::size_t missing : {0, 1, 8}) {
        INFO("missing " << missing);
        const temporary_directory directory;
        const auto path = directory.path() / "j";
        auto log = must(writer::open(path, small_segments()));
        constexpr std::size_t left = header + 64;
        leave(log, left);
        const auto placed = must(log.append({}, payload_of(64 + missing)));
        CHECK(placed.position.ordinal == (missing == 0 ? 0 : 1));
        CHECK(log.statistics().rollovers == placed.position.ordinal);
        must(log.close());
        CHECK(count_events(path) == 2);
        CHECK(must(verify(path)).findings.empty());
    }
}

TEST_CASE("a reservation holds the requested bytes and not a byte more") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path() / "j", small_segments()));
    for (const std::size_t bytes : {0, 1, 7, 8, 9, 100}) {
        INFO(bytes << " bytes");
        CHECK(must(log.reserve({}, bytes)).commit(bytes).has_value());
        CHECK(must(log.reserve({}, bytes)).commit(bytes + 1).error().code == errc::too_large);
    }
    CHECK(log.next_sequence() == 6);
}

TEST_CASE("a batch holds the requested events and bytes and no more") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    {
        auto two = must(log.begin_batch(2, 64));
        CHECK(two.append({}, payload_of(32)).has_value());
        CHECK(two.append({}, payload_of(32)).has_value());
        CHECK(two.append({}, {}).error().code == errc::too_large);
        CHECK(two.reserve({}, 0).error().code == errc::too_large);
        CHECK(two.size() == 2);
        CHECK(must(two.commit()).sequence == 1);
    }
    // Each event may need seven bytes of padding, and the whole is padded once more.
    for (const std::size_t bytes : {64, 72, 73}) {
        INFO(bytes << " bytes");
        auto one = must(log.begin_batch(1, 64));
        const auto added = one.append({}, payload_of(bytes));
        CHECK(added.has_value() == (bytes <= 72));
        one.abandon();
        auto reserving = must(log.begin_batch(1, 64));
        CHECK(reserving.reserve({}, bytes).has_value() == (bytes <= 72));
    }
    CHECK(log.begin_batch(0, 0).error().code == errc::invalid_argument);
    CHECK(log.next_sequence() == 2);
    must(log.close());
    CHECK(count_events(path) == 2);
}

TEST_CASE("names have 1 to 1024 bytes") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path() / "j", small_segments()));
    CHECK(log.stream("").error().code == errc::invalid_argument);
    CHECK(must(log.stream("n")) == first_named_stream);
    CHECK(must(log.stream(std::string(1024, 'n'))) == first_named_stream + 1);
    CHECK(log.stream(std::string(1025, 'n')).error().code == errc::invalid_argument);
    CHECK(must(log.stream("m")) == first_named_stream + 2);
}

TEST_CASE("a named stream accepts appends only after its name was assigned") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    const auto may = [&](stream_id stream) {
        const auto placed = log.append({.stream = stream}, {});
        return placed.has_value() || placed.error().code != errc::invalid_argument;
    };
    for (stream_id names = 0; names < 3; ++names) {
        INFO(names << " names");
        CHECK(may(first_named_stream - 1));
        for (stream_id known = 0; known < names; ++known)
            CHECK(may(first_named_stream + known));
        CHECK_FALSE(may(first_named_stream + names));
        CHECK_FALSE(may(first_named_stream + names + 1));
        CHECK(log.version(first_named_stream + names) == 0);
        CHECK(must(log.stream("name " + std::to_string(names))) == first_named_stream + names);
    }
    must(log.close());
    auto again = must(writer::open(path, small_segments()));
    CHECK(again.append({.stream = first_named_stream + 2}, {}).has_value());
    CHECK(again.append({.stream = first_named_stream + 3}, {}).error().code ==
          errc::invalid_argument);
}

TEST_CASE("options are accepted up to their limits and refused beyond them") {
    const temporary_directory directory;
    const auto opens = [&](writer_options options) {
        const auto opened = writer::open(directory.path() / "j", options);
        if (!opened)
            CHECK(opened.error().code == errc::invalid_argument);
        return opened.has_value();
    };
    auto options = small_segments();
    options.threads.name = std::string(9, 't');
    CHECK(opens(options));
    options.threads.name = std::string(10, 't');
    CHECK_FALSE(opens(options));
    for (const auto& [bytes, fits] : {std::pair<std::uint64_t, bool>{0, false},
                                      {(64 << 10) - 1, false},
                                      {64 << 10, true},
                                      {(64 << 10) + 1, false},
                                      {(64 << 10) + 4096, false},
                                      {128 << 10, true},
                                      {std::uint64_t{4} << 30, true},
                                      {(std::uint64_t{4} << 30) + (64 << 10), false}}) {
        INFO(bytes << " bytes");
        options = small_segments();
        options.segment_bytes = bytes;
        // The journal already exists, so only the option itself is checked.
        CHECK(opens(options) == fits);
    }
}

TEST_CASE("wait_durable accepts a published sequence and refuses the next one") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path() / "j", small_segments()));
    CHECK(log.wait_durable(0).error().code == errc::invalid_argument);
    append_numbered(log, 5);
    CHECK(log.wait_durable(5).error().code == errc::invalid_argument);
    CHECK(log.statistics().syncs == 0);
    CHECK(must(log.wait_durable(4)) == 5);
    CHECK(log.statistics().syncs == 1);
    // Durable already: no further sync.
    CHECK(must(log.wait_durable(4)) == 5);
    CHECK(must(log.wait_durable(0)) == 5);
    CHECK(must(log.sync()) == 5);
    CHECK(log.statistics().syncs == 1);
    CHECK(log.wait_durable(5).error().code == errc::invalid_argument);
}

TEST_CASE("statistics count the appended events and bytes exactly") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path() / "j", small_segments()));
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < 20; ++i) {
        (void)must(log.append({.stream = 1 + i % 3}, payload_of(i)));
        bytes += detail::padded(header + i);
        CHECK(log.statistics().appended_bytes == bytes);
    }
    CHECK(log.statistics().published == 20);
    CHECK(log.statistics().durable == 0);
    CHECK(log.statistics().streams == 3);
    CHECK(log.statistics().rollovers == 0);
    CHECK(log.statistics().back_pressure == 0);
    (void)must(log.append({}, payload_of(room - header)));
    // The end frame of the first segment counts, its unused rest does not.
    CHECK(log.statistics().rollovers == 1);
    CHECK(log.statistics().appended_bytes == bytes + 96 + room);
}
