#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"
#include "os/io_hook.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <random>
#include <string>
#include <thread>

using namespace pawl;
using namespace pawl::test;
using namespace std::chrono_literals;

TEST_CASE("a cursor starts at the first event, at a sequence, at the end, or after a point") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    append_numbered(log, 4000);
    CHECK(read_numbered(path) == 4000);
    for (const sequence_number from : {0U, 1U, 523U, 524U, 1500U, 3999U, 4000U}) {
        CHECK(read_numbered(path, {.from = from_sequence{from}}) == 4000 - from);
    }
    CHECK(cursor::open(path, {.from = from_sequence{4001}}).error().code == errc::not_found);

    auto end = must(cursor::open(path, {.from = from_end{}, .follow = true}));
    CHECK(end.next() == nullptr);
    CHECK(end.next_sequence() == 4000);
    append_numbered(log, 1);
    const event* fresh = end.next();
    REQUIRE(fresh != nullptr);
    CHECK(fresh->sequence() == 4000);

    auto part = must(cursor::open(path));
    for (int i = 0; i < 2000; ++i)
        REQUIRE(part.next() != nullptr);
    const log_point stood = part.point();
    CHECK(stood.next == 2000);
    CHECK(read_numbered(path, {.from = from_point{stood}}) == 2001);
    log_point wrong = stood;
    wrong.frame_hash ^= 1;
    CHECK(cursor::open(path, {.from = from_point{wrong}}).error().code == errc::diverged);
    wrong = {.next = 9999, .frame_hash = stood.frame_hash};
    CHECK(cursor::open(path, {.from = from_point{wrong}}).error().code == errc::diverged);
    must(log.close());
    CHECK(read_numbered(path, {.from = from_point{stood}}) == 2001);
    for (const sequence_number from : {0U, 1U, 523U, 2777U, 4000U, 4001U}) {
        CHECK(read_numbered(path, {.from = from_sequence{from}}) == 4001 - from);
    }
}

TEST_CASE("the point of a cursor is that of the event before it, also before its first event") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    append_numbered(log, 1500);
    // Events longer than the distance between two marks of the index.
    const std::string large(20'000, 'x');
    for (int i = 0; i < 8; ++i)
        (void)must(log.append({.type = 1}, bytes_of(large)));

    std::vector<log_point> points{log_point{}};
    auto all = must(cursor::open(path));
    for (const event* e = all.next(); e != nullptr; e = all.next())
        points.push_back(all.point());
    REQUIRE(points.size() == 1509);
    const auto check_all = [&] {
        for (sequence_number from = 0; from < points.size(); ++from) {
            const auto at = must(cursor::open(path, {.from = from_sequence{from}, .follow = true}));
            if (at.point() != points[from])
                FAIL("the point before event " << from);
        }
        const auto end = must(cursor::open(path, {.from = from_end{}, .follow = true}));
        CHECK(end.point() == points.back());
    };
    check_all();
    // What stands last in the log is a name.
    (void)must(log.stream("account-7"));
    check_all();
    must(log.close());
    check_all();

    // Where the event before cannot be read, the point is of no use, rather than of another place.
    const auto second = must(inspect(path)).segments.at(1).first_sequence;
    overwrite(segment(path, 0), (std::uint64_t{60} << 10) + 60, bytes_of("XXXXXXXX"));
    const auto after = must(cursor::open(path, {.from = from_sequence{second}}));
    CHECK(after.point() == log_point{.next = second});
    CHECK_FALSE(cursor::open(path, {.from = from_point{after.point()}}));
}

TEST_CASE("a cursor that has read nothing of a sealed segment yet can be asked for the end") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    append_numbered(log, 1500);
    must(log.close());

    auto events = must(cursor::open(path));
    CHECK(must(events.finish()) == end_of_journal::open);
    std::uint64_t count = 0;
    while (events.next() != nullptr) {
        ++count;
        CHECK(must(events.finish()) == end_of_journal::open);
    }
    CHECK(count == 1500);
    CHECK(must(events.finish()) == end_of_journal::closed);
}

TEST_CASE("one stream is read in order from open and sealed segments alike") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    std::mt19937_64 random{7};
    std::vector<std::vector<sequence_number>> expected(9);
    for (int i = 0; i < 6000; ++i) {
        const stream_id stream = random() % 8 + (i > 3000 ? 1U : 0U);
        const auto placed = must(log.append({.stream = stream}, bytes_of("x")));
        expected[stream].push_back(placed.sequence);
    }
    const auto check = [&] {
        for (stream_id stream = 1; stream < expected.size(); ++stream) {
            auto events = must(cursor::open(path, {.stream = stream}));
            std::vector<sequence_number> seen;
            stream_version version = 0;
            (void)must(events.for_each([&](const event& e) {
                REQUIRE(e.stream() == stream);
                REQUIRE(e.version() == ++version);
                seen.push_back(e.sequence());
            }));
            REQUIRE(seen == expected[stream]);
            const sequence_number from = expected[stream][expected[stream].size() / 2];
            auto half = must(cursor::open(path, {.from = from_sequence{from}, .stream = stream}));
            CHECK(must(half.for_each([](const event&) {})) ==
                  expected[stream].size() - expected[stream].size() / 2);
        }
    };
    check();
    must(log.close());
    check();
}

TEST_CASE("a cursor for durable events sees no others") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    append_numbered(log, 10);
    auto events = must(cursor::open(path, {.show = visibility::durable, .follow = true}));
    CHECK(events.next() == nullptr);
    (void)must(log.sync());
    for (int i = 0; i < 10; ++i)
        REQUIRE(events.next() != nullptr);
    append_numbered(log, 1);
    CHECK(events.next() == nullptr);
    CHECK_FALSE(must(events.wait(1ms)));
}

TEST_CASE("a wait without an end waits until there is something", "[concurrency]") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const auto strategy = GENERATE(wait_strategy::spin, wait_strategy::yield, wait_strategy::block);
    auto log = must(writer::open(path, small_segments()));
    auto events = must(cursor::open(path, {.from = from_end{}, .follow = true, .wait = strategy}));
    std::atomic<bool> appended{false};
    std::atomic<bool> waiting{false};
    std::thread later{[&] {
        while (!waiting)
            std::this_thread::yield();
        appended = true;
        append_numbered(log, 1);
    }};
    waiting = true;
    const bool more = must(events.wait(std::chrono::nanoseconds::max()));
    CHECK(more);
    CHECK(appended);
    later.join();
    REQUIRE(events.next() != nullptr);
    CHECK_FALSE(must(events.wait(std::chrono::nanoseconds::min())));
}

TEST_CASE("a reader follows a writer through many rollovers and a restart", "[concurrency]") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const auto strategy = GENERATE(wait_strategy::spin, wait_strategy::yield, wait_strategy::block);
    constexpr sequence_number total = 30'000;
    auto log = must(writer::open(path, small_segments()));
    std::atomic<bool> wrong{false};
    std::atomic<sequence_number> seen{0};
    std::thread reader{[&] {
        auto events = cursor::open(path, {.follow = true, .wait = strategy});
        while (events && seen < total && !wrong) {
            const event* e = events->next();
            if (e != nullptr) {
                wrong = e->sequence() != seen ||
                        text_of(*e) != "event " + std::to_string(e->sequence());
                ++seen;
            } else if (!events->wait(10s)) {
                wrong = true;
            }
        }
        wrong = wrong || !events;
    }};
    append_numbered(log, total / 3);
    must(log.close());
    log = must(writer::open(path, small_segments()));
    append_numbered(log, total / 3);
    {
        const writer died = std::move(log);
    }
    auto last = must(writer::open(path, small_segments()));
    append_numbered(last, total / 3);
    reader.join();
    CHECK_FALSE(wrong);
    CHECK(seen == total);
}

TEST_CASE("a live cursor beyond a cut fails with rewound") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    log_position torn{};
    {
        auto log = must(writer::open(path, small_segments()));
        append_numbered(log, 5);
        torn = must(log.append({.type = 1}, bytes_of("event 5"))).position;
        append_numbered(log, 5);
    }
    auto events = must(cursor::open(path, {.follow = true}));
    for (int i = 0; i < 11; ++i)
        REQUIRE(events.next() != nullptr);
    // As after a loss of power that kept only part of the pages.
    overwrite(segment(path, torn.ordinal), torn.offset, std::vector<std::byte>(32));
    auto log = must(writer::open(path, small_segments()));
    CHECK(log.next_sequence() == 5);
    const auto waited = events.wait(10s);
    REQUIRE_FALSE(waited);
    CHECK(waited.error().code == errc::rewound);
    CHECK(waited.error().sequence == 5);
}

TEST_CASE("one writer at a time: in this process, in another, in a fork", "[concurrency]") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    append_numbered(log, 3);
    const auto second = writer::open(path, small_segments());
    REQUIRE_FALSE(second);
    CHECK(second.error().code == errc::locked);
    CHECK(second.error().detail.find(std::to_string(::getpid())) != std::string::npos);

    const pid_t child = ::fork();
    if (child == 0) {
        const bool refused = log.append({}, {}).error().code == errc::forked &&
                             log.sync().error().code == errc::forked &&
                             log.close().error().code == errc::forked &&
                             writer::open(path, small_segments()).error().code == errc::locked;
        ::_exit(refused ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    append_numbered(log, 2);

    // A child that outlives the parent's writer does not keep the lock.
    int go[2];
    REQUIRE(::pipe(go) == 0);
    const pid_t lingering = ::fork();
    if (lingering == 0) {
        char byte = 0;
        ::close(go[1]);
        (void)!::read(go[0], &byte, 1);
        ::_exit(0);
    }
    ::close(go[0]);
    must(log.close());
    CHECK(writer::open(path, small_segments()).has_value());
    ::close(go[1]);
    REQUIRE(::waitpid(lingering, &status, 0) == lingering);
    CHECK(read_numbered(path) == 5);
}

TEST_CASE("a directory that is not a journal, or a newer one, is refused and not changed") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    CHECK(cursor::open(path).error().code == errc::not_a_journal);
    std::filesystem::create_directory(path);
    std::ofstream{path / "notes.txt"} << "mine";
    CHECK(writer::open(path, small_segments()).error().code == errc::not_a_journal);
    CHECK_FALSE(std::filesystem::exists(path / "writer.lock"));
    auto no_creation = small_segments();
    no_creation.create = false;
    CHECK(writer::open(directory.path() / "k", no_creation).error().code == errc::not_a_journal);

    const auto other = directory.path() / "newer";
    {
        auto log = must(writer::open(other, small_segments()));
        must(log.close());
    }
    overwrite(other / "journal.pawl", 8, std::vector<std::byte>{std::byte{99}});
    CHECK(writer::open(other, small_segments()).error().code == errc::newer_format);
    CHECK(cursor::open(other).error().code == errc::newer_format);
    CHECK(verify(other).error().code == errc::newer_format);
}

namespace {

struct dropped_segment {
    std::string path;
    int drops = 0;
};

int drop_when_opened(void* context, const detail::io_event& event) {
    auto& dropped = *static_cast<dropped_segment*>(context);
    if (event.operation == detail::io_operation::open && event.path == dropped.path)
        dropped.drops += ::unlink(event.path) == 0 ? 1 : 0;
    return 0;
}

}  // namespace

// A recovery may remove prepared, unused segments while readers look for their place.
TEST_CASE("a cursor does not fail when a segment is removed while it looks for its place") {
    const temporary_directory directory;
    auto options = small_segments();
    options.background_threads = false;
    options.full = when_full::fail;
    auto log = must(writer::open(directory.path() / "j", options));
    append_numbered(log, 10);
    must(log.poll());
    dropped_segment dropped{.path = segment(directory.path() / "j", 1).string()};
    REQUIRE(std::filesystem::exists(dropped.path));
    detail::set_io_hook(drop_when_opened, &dropped);
    auto events = cursor::open(directory.path() / "j", {.from = from_sequence{5}});
    detail::set_io_hook(nullptr, nullptr);
    REQUIRE(events);
    const event* first = events->next();
    REQUIRE(first != nullptr);
    CHECK(first->sequence() == 5);
    CHECK(dropped.drops == 1);
}
