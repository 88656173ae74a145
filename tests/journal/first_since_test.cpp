// Where to begin to read a segment for events of some time or later.
#include "prune_support.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

using namespace pawl;
using namespace pawl::test;

namespace {

// Segments of 512 KiB, whose times wander up and down by up to 40 while they climb. Returns the
// times.
std::vector<std::uint64_t> write_wandering_times(growing_journal& journal) {
    journal.options.segment_bytes = 512 << 10;
    std::vector<std::uint64_t> times;
    auto log = journal.open();
    std::string text(1000, '.');
    for (std::uint64_t i = 0; i < 1500; ++i) {
        times.push_back(1000 + i - (i * 7919) % 40);
        (void)must(log.append({.type = 1, .timestamp_ns = times.back()}, bytes_of(text)));
        (void)must(log.poll());
    }
    must(log.close());
    return times;
}

}  // namespace

TEST_CASE("no event before the first since a time has that time or a later one") {
    growing_journal journal;
    const auto times = write_wandering_times(journal);
    const auto info = must(inspect(journal.directory));
    REQUIRE(info.segments.size() > 2);
    std::uint64_t skipped = 0;
    for (const segment_info& segment : info.segments) {
        REQUIRE(segment.sealed);
        for (std::uint64_t since = 900; since < 2600; since += 7) {
            const auto first = must(first_since(journal.directory, segment.ordinal, since));
            REQUIRE(first);
            REQUIRE(*first >= segment.first_sequence);
            REQUIRE(*first <= segment.end_sequence);
            const auto begin = times.begin() + static_cast<std::ptrdiff_t>(segment.first_sequence);
            const auto end = times.begin() + static_cast<std::ptrdiff_t>(*first);
            REQUIRE(std::none_of(begin, end, [&](std::uint64_t time) { return time >= since; }));
            // An event of the time lies within the stride of marks, or the segment has none left.
            const auto stride = std::min<std::uint64_t>(*first + 80, segment.end_sequence);
            const auto last = times.begin() + static_cast<std::ptrdiff_t>(stride);
            REQUIRE((stride == segment.end_sequence ||
                     std::any_of(end, last, [&](std::uint64_t time) { return time >= since; })));
            skipped += *first - segment.first_sequence;
        }
    }
    CHECK(skipped > 0);
}

TEST_CASE("a segment without a valid index says nothing about its times") {
    growing_journal journal;
    (void)write_wandering_times(journal);
    REQUIRE(must(first_since(journal.directory, 0, 1300)));
    std::filesystem::resize_file(journal.directory / "0000000000.idx", 100);
    CHECK_FALSE(must(first_since(journal.directory, 0, 1300)));
    CHECK(must(first_since(journal.directory, 1, 3000)));
    CHECK(first_since(journal.directory, 99, 1300).error().code == errc::missing_segment);
}
