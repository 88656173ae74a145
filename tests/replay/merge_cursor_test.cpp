// Several journals as one: the order, what a silent journal does to it, and where reading stops.
#include <catch2/catch.hpp>
#include <support/must.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/journal/writer.hpp>
#include <pawl/replay/merge_cursor.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace {

using namespace pawl;
using test::must;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

class venues {
  public:
    explicit venues(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            directories_.push_back(home_.path() / std::to_string(i));
            logs_.push_back(
                must(writer::open(directories_.back(), {.segment_bytes = 64 << 10,
                                                        .sync = sync_policy::manual(),
                                                        .clock = clock_source::caller})));
        }
    }
    void append(std::size_t venue, std::uint64_t time) {
        (void)must(logs_[venue].append({.type = 1, .timestamp_ns = time}, {}));
    }
    [[nodiscard]] std::vector<merge_source> sources() const {
        std::vector<merge_source> all;
        for (const fs::path& directory : directories_)
            all.push_back({.directory = directory});
        return all;
    }
    [[nodiscard]] const fs::path& directory(std::size_t venue) const { return directories_[venue]; }
    writer& log(std::size_t venue) { return logs_[venue]; }

  private:
    test::temporary_directory home_;
    std::vector<fs::path> directories_;
    std::vector<writer> logs_;
};

// "0:5" is the event of journal 0 with the merged time 5; "late" follows with a !.
std::string read_all(merge_cursor& merged) {
    std::string text;
    while (const merged_event* next = merged.next())
        text += std::to_string(next->journal) + ":" + std::to_string(next->time_ns) +
                (next->late ? "! " : " ");
    return text;
}

}  // namespace

TEST_CASE("journals merge by time, then as they were given, and keep their own order") {
    venues all{3};
    for (const std::uint64_t time : {10U, 30U, 20U, 30U})  // a clock that ran back
        all.append(0, time);
    for (const std::uint64_t time : {5U, 30U, 40U})
        all.append(1, time);
    auto merged = must(merge_cursor::open(all.sources()));
    CHECK(read_all(merged) == "1:5 0:10 0:30 0:30 0:30 1:30 1:40 ");
    CHECK(must(merged.finish()).size() == 3);
    CHECK(merge_cursor::open({}).error().code == errc::invalid_argument);
}

TEST_CASE("a merge of random journals is their sorted events, and goes on from its points") {
    std::mt19937_64 random{20261127};
    for (int round = 0; round < 20; ++round) {
        venues all{1 + random() % 4};
        const std::size_t count = all.sources().size();
        std::vector<std::tuple<std::uint64_t, std::size_t, sequence_number>> expected;
        std::vector<std::uint64_t> latest(count);
        std::vector<sequence_number> next(count);
        for (std::uint64_t i = 0; i < 500; ++i) {
            const std::size_t venue = random() % count;
            const std::uint64_t time = 1000 + 3 * i - random() % 40;
            all.append(venue, time);
            latest[venue] = std::max(latest[venue], time);
            expected.emplace_back(latest[venue], venue, next[venue]++);
        }
        std::ranges::sort(expected);
        auto sources = all.sources();
        auto merged = must(merge_cursor::open(sources));
        const std::uint64_t stop = random() % 500;
        for (std::size_t i = 0; i < expected.size(); ++i) {
            if (i == stop) {
                // Another reader goes on there; times of journals that ran back are not carried.
                for (std::size_t venue = 0; venue < count; ++venue)
                    sources[venue].options.from = from_point{merged.point(venue)};
                merged = must(merge_cursor::open(sources));
            }
            const merged_event* got = merged.next();
            REQUIRE(got != nullptr);
            const auto [time, venue, sequence] = expected[i];
            if (i < stop) {
                REQUIRE(got->time_ns == time);
                REQUIRE(got->journal == venue);
                REQUIRE(got->what.sequence() == sequence);
            }
            CHECK_FALSE(got->late);
        }
        CHECK(merged.next() == nullptr);
        (void)must(merged.finish());
    }
}

TEST_CASE("a silent journal holds back the others until patience ends, and is late then") {
    venues all{2};
    all.append(0, 100);
    auto patient = must(
        merge_cursor::open(all.sources(), {.follow = true, .patience = std::chrono::hours{1000}}));
    auto hasty = must(
        merge_cursor::open(all.sources(), {.follow = true, .patience = std::chrono::seconds{0}}));
    CHECK(patient.next() == nullptr);
    CHECK_FALSE(must(patient.wait(5ms)));
    CHECK(read_all(hasty) == "0:100 ");
    all.append(1, 50);
    CHECK(must(patient.wait(60s)));
    CHECK(must(hasty.wait(60s)));
    const merged_event* first = patient.next();
    REQUIRE(first != nullptr);
    CHECK(first->journal == 1);
    CHECK(first->time_ns == 50);
    CHECK(patient.next() == nullptr);  // journal 1 may still get an event before 100
    CHECK(read_all(hasty) == "1:100! ");
    all.append(1, 150);
    CHECK(read_all(patient) == "0:100 ");
}

TEST_CASE("a merge notices what is appended while it waits", "[concurrency]") {
    venues all{2};
    auto merged = must(merge_cursor::open(all.sources(), {.follow = true, .patience = 0s}));
    constexpr std::uint64_t count = 200;
    std::thread appender{[&] {
        for (std::uint64_t i = 0; i < count; ++i)
            all.append(i % 2, i);
    }};
    std::uint64_t seen = 0;
    while (seen < count) {
        CHECK(must(merged.wait(60s)));
        while (merged.next() != nullptr)
            ++seen;
    }
    appender.join();
    CHECK(merged.next() == nullptr);
}

TEST_CASE("a merge stops at damage in one journal, and names it") {
    venues all{2};
    for (std::uint64_t i = 0; i < 10; ++i) {
        all.append(0, 100 * i);
        all.append(1, 100 * i + 50);
    }
    must(all.log(0).close());
    must(all.log(1).close());
    const fs::path file = all.directory(1) / "0000000000.seg";
    {
        std::fstream bytes{file, std::ios::in | std::ios::out | std::ios::binary};
        bytes.seekp(8192 + 5 * 56 + 20);  // of its sixth event
        bytes.put('x');
    }
    auto merged = must(merge_cursor::open(all.sources()));
    CHECK(read_all(merged) == "0:0 1:50 0:100 1:150 0:200 1:250 0:300 1:350 0:400 1:450 ");
    CHECK(merged.next() == nullptr);
    const auto end = merged.finish();
    REQUIRE_FALSE(end);
    CHECK(end.error().code == errc::damaged);
    CHECK(end.error().file == file.string());
}
