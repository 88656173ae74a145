// Where a subscription begins: never beyond what is durable, and never beyond damage.
#include <catch2/catch.hpp>
#include <support/must.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/journal/writer.hpp>
#include <pawl/replay/subscription.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace pawl;
using test::must;
namespace fs = std::filesystem;

[[nodiscard]] writer open_log(const fs::path& directory, std::uint64_t segment_bytes) {
    return must(writer::open(directory, {.segment_bytes = segment_bytes,
                                         .sync = sync_policy::manual(),
                                         .clock = clock_source::caller,
                                         .clock_report_interval_s = 0}));
}

}  // namespace

TEST_CASE("no subscription begins beyond what is durable", "[replay]") {
    const test::temporary_directory home;
    const fs::path directory = home.path() / "j";
    auto log = open_log(directory, 64 << 10);
    const std::vector<std::byte> payload(8, std::byte{7});
    for (std::uint64_t i = 0; i < 10; ++i) {
        must(log.append({.type = 1, .timestamp_ns = 100 + i}, payload));
        if (i == 4)
            must(log.sync());
    }
    const auto begins = [&](const std::string& name, const start& from, visibility show) {
        return must(subscription::open(directory, name, {.from = from, .show = show}))
            .committed()
            .point.next;
    };
    auto events = must(cursor::open(directory, {.from = from_sequence{8}}));
    const event* late = events.next();
    REQUIRE(late != nullptr);
    CHECK(begins("time", from_time{1000}, visibility::durable) == 5);
    CHECK(begins("sequence", from_sequence{9}, visibility::durable) == 5);
    CHECK(begins("point", from_point{.point = late->point()}, visibility::durable) == 5);
    CHECK(begins("position", from_position{late->position(), late->point()}, visibility::durable) ==
          5);
    CHECK(begins("before", from_sequence{3}, visibility::durable) == 3);
    CHECK(begins("published", from_sequence{9}, visibility::published) == 9);
    auto risk = must(subscription::open(directory, "risk"));
    must(risk.reset(from_sequence{9}));
    CHECK(risk.committed().point.next == 5);
    must(log.close());
}

TEST_CASE("damage before the place where a subscription begins is an error", "[replay]") {
    const test::temporary_directory home;
    const fs::path directory = home.path() / "j";
    constexpr std::size_t small = 20'000;
    std::uint64_t damaged_at = 0;
    {
        auto log = open_log(directory, 4 << 20);
        const std::vector<std::byte> payload(small, std::byte{7});
        const std::vector<std::byte> large(20 * small, std::byte{7});
        for (int i = 0; i < 20; ++i)
            must(log.append({.type = 1}, payload));
        damaged_at = must(log.append({.type = 1}, large)).position.offset;
        auto batch = must(log.begin_batch(8, 8 * (small + 1000)));
        for (int i = 0; i < 8; ++i)
            must(batch.append({.type = 2}, payload));
        must(batch.commit());
        must(log.close());
    }
    {
        std::fstream segment{directory / "0000000000.seg",
                             std::ios::binary | std::ios::in | std::ios::out};
        segment.seekp(static_cast<std::streamoff>(damaged_at + 5 * small));
        segment.put('Z');
        REQUIRE(segment.good());
    }
    // Inside the batch, whose beginning cannot be told from what lies before it any more.
    for (const sequence_number at : {24u, 25u, 26u, 27u}) {
        INFO(at);
        const auto refused =
            subscription::open(directory, std::to_string(at), {.from = from_sequence{at}});
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == errc::damaged);
    }
}
