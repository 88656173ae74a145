// How a cursor finds its place, where something is in the way.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"
#include "os/io_hook.hpp"

#include <cerrno>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

using namespace pawl;
using namespace pawl::test;

namespace fs = std::filesystem;

namespace {

// Refuses one attempt to open or map a file, the one with this number, as for want of descriptors.
struct refusal {
    int number = 0;
    int attempts = 0;
};

int refuse(void* context, const detail::io_event& event) {
    auto& rule = *static_cast<refusal*>(context);
    if (event.operation != detail::io_operation::open &&
        event.operation != detail::io_operation::map)
        return 0;
    return rule.attempts++ == rule.number ? EMFILE : 0;
}

// Several segments of events of a kilobyte: event n has the time 1000 + n.
void make_segments(const fs::path& path) {
    auto options = small_segments();
    options.clock = clock_source::caller;
    auto log = must(writer::open(path, options));
    const std::string text(1000, '.');
    for (std::uint64_t i = 0; i < 250; ++i)
        (void)must(log.append({.type = 1, .timestamp_ns = 1000 + i}, bytes_of(text)));
    must(log.close());
}

void remove_indexes(const fs::path& path) {
    std::vector<fs::path> indexes;
    for (const auto& entry : fs::directory_iterator{path}) {
        if (entry.path().extension() == ".idx")
            indexes.push_back(entry.path());
    }
    REQUIRE_FALSE(indexes.empty());
    for (const auto& index : indexes)
        fs::remove(index);
}

// Of the first event of the segment.
[[nodiscard]] log_point first_point(const fs::path& path, std::uint64_t ordinal) {
    auto events = must(cursor::open(path));
    const event* e = events.next();
    while (e != nullptr && e->position().ordinal != ordinal)
        e = events.next();
    REQUIRE(e != nullptr);
    return e->point();
}

}  // namespace

TEST_CASE("a shortage while a cursor looks for its place is an error and not another place") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    make_segments(path);
    const log_point point = first_point(path, 1);
    if (GENERATE(false, true))
        remove_indexes(path);
    const bool follow = GENERATE(false, true);
    const std::vector<std::pair<start, sequence_number>> places{{from_point{point}, point.next},
                                                                {from_sequence{200}, 200},
                                                                {from_time{1200}, 200},
                                                                {from_end{}, 250}};
    for (const auto& [from, expected] : places) {
        INFO("to " << expected << ", follow " << follow);
        int refused = 0;
        for (refusal rule;; ++rule.number) {
            rule.attempts = 0;
            detail::set_io_hook(refuse, &rule);
            const auto events = cursor::open(path, {.from = from, .follow = follow});
            detail::set_io_hook(nullptr, nullptr);
            INFO("refused attempt " << rule.number);
            if (events) {
                REQUIRE(events->next_sequence() == expected);
            } else {
                REQUIRE(events.error().os_error == EMFILE);
                ++refused;
            }
            if (rule.attempts <= rule.number)
                break;
        }
        CHECK(refused > 0);
    }
}

TEST_CASE("a cursor from a time does not believe the index of another segment") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const auto other = directory.path() / "other";
    const auto append_from = [](const fs::path& journal, std::uint64_t time) {
        auto options = small_segments();
        options.clock = clock_source::caller;
        auto log = must(writer::open(journal, options));
        for (std::uint64_t i = 0; i < 5; ++i)
            (void)must(log.append({.type = 1, .timestamp_ns = time + i}, {}));
        must(log.close());
    };
    append_from(path, 10);
    fs::copy(path, other, fs::copy_options::recursive);
    append_from(path, 2000);
    append_from(other, 100);
    fs::copy_file(other / "0000000001.idx", path / "0000000001.idx",
                  fs::copy_options::overwrite_existing);
    auto events = must(cursor::open(path, {.from = from_time{2000}}));
    CHECK(events.next_sequence() == 5);
    const event* e = events.next();
    REQUIRE(e != nullptr);
    CHECK(e->timestamp_ns() == 2000);
}

TEST_CASE("names of before a damaged event are not given with the event after it") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    std::uint64_t damaged_at = 0;
    {
        auto options = small_segments();
        options.segment_bytes = std::uint64_t{4} << 20;
        auto log = must(writer::open(path, options));
        const std::string text(20'000, '.');
        for (int i = 0; i < 20; ++i)
            (void)must(log.append({.type = 1}, bytes_of(text)));
        (void)must(log.stream("orders"));
        // Long enough for a mark in the index after it.
        damaged_at =
            must(log.append({.type = 1}, bytes_of(std::string(400'000, '.')))).position.offset;
        (void)must(log.append({.type = 1}, bytes_of(text)));
        must(log.close());
    }
    flip_bit(segment(path, 0), damaged_at + 100'000, 0);
    auto events = must(cursor::open(path, {.from = from_sequence{21}, .names = true}));
    const event* e = events.next();
    REQUIRE(e != nullptr);
    CHECK(e->sequence() == 21);
    CHECK(events.names_before().empty());
}

TEST_CASE("before the first event of a stream, the point names no event of another place") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    {
        auto log = must(writer::open(path, small_segments()));
        const std::string text(1000, '.');
        for (std::uint64_t i = 0; i < 250; ++i)
            (void)must(log.append({.type = 1, .stream = i < 200 ? 1U : 2U}, bytes_of(text)));
        must(log.close());
    }
    const auto events = must(cursor::open(path, {.stream = 2}));
    CHECK(events.next_sequence() > 0);
    CHECK(events.next_sequence() <= 200);
    CHECK(events.point().next == events.next_sequence());
    CHECK(cursor::open(path, {.from = from_point{events.point()}}).error().code == errc::diverged);
}
