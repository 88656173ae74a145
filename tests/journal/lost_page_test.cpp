// Pages lost under a mapping: without the guard, each of these cases kills the process.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"
#include "os/file.hpp"
#include "os/mapping.hpp"
#include "os/sigbus_guard.hpp"

#include <sys/mman.h>

#include <csetjmp>
#include <csignal>
#include <filesystem>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

const std::string kilobyte(1000, 'k');

// Appends until an append is refused, or the end of the segment is near.
result<receipt> append_until_refused(writer& log) {
    result<receipt> last;
    for (int i = 0; i < 50; ++i) {
        last = log.append({.type = 1}, bytes_of(kilobyte));
        if (!last)
            break;
    }
    return last;
}

}  // namespace

TEST_CASE("a segment that is cut short under its writer makes an append fail and names the place") {
    const temporary_directory directory;
    const auto where = directory.path() / "j";
    auto log = must(writer::open(where, by_hand_unpopulated()));
    append_numbered(log, 3);
    REQUIRE(log.sync());
    fs::resize_file(segment(where, 0), 16384);

    const auto refused = append_until_refused(log);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::io);
    CHECK(refused.error().file == segment(where, 0).string());
    CHECK(refused.error().offset == 16384);
    const auto published = log.published();
    CHECK(log.append({.type = 1}, {}).error().code == errc::poisoned);
    CHECK(log.published() == published);
    const auto synced = log.sync();
    REQUIRE_FALSE(synced);
    CHECK(synced.error().file == segment(where, 0).string());
    CHECK(synced.error().offset == 16384);
    CHECK(log.durable() == 3);
    CHECK_FALSE(log.close());
}

TEST_CASE("events on a page that was then lost are not reported as durable") {
    const temporary_directory directory;
    const auto where = directory.path() / "j";
    auto log = must(writer::open(where, by_hand_unpopulated()));
    append_numbered(log, 3);
    REQUIRE(log.sync());
    REQUIRE(append_until_refused(log));
    // No later store touches the missing pages.
    SECTION("with the end of the file") {
        fs::resize_file(segment(where, 0), 16384);
    }
    SECTION("with all of the file") {
        fs::resize_file(segment(where, 0), 0);
    }
    SECTION("and came back as a hole") {
        fs::resize_file(segment(where, 0), 0);
        fs::resize_file(segment(where, 0), 65536);
    }
    const auto synced = log.sync();
    REQUIRE_FALSE(synced);
    CHECK(synced.error().file == segment(where, 0).string());
    CHECK(log.failure());
    CHECK(log.durable() == 3);
}

TEST_CASE("a batch that meets a lost page is not published") {
    const temporary_directory directory;
    const auto where = directory.path() / "j";
    auto log = must(writer::open(where, by_hand_unpopulated()));
    append_numbered(log, 1);
    auto batch = must(log.begin_batch(20, 20'000));
    const bool cut_early = GENERATE(true, false);
    if (cut_early)
        fs::resize_file(segment(where, 0), 12288);
    for (int i = 0; i < 20; ++i) {
        REQUIRE(batch.append({.type = 1, .stream = 7}, bytes_of(kilobyte)));
        if (!cut_early && i == 10)
            fs::resize_file(segment(where, 0), 12288);
    }
    const auto committed = batch.commit();
    REQUIRE_FALSE(committed);
    CHECK(committed.error().code == errc::io);
    CHECK(log.published() == 1);
    CHECK(log.version(7) == 0);
    CHECK(log.append({.type = 1}, {}).error().code == errc::poisoned);
}

TEST_CASE("a reservation built over a lost page is not published") {
    const temporary_directory directory;
    const auto where = directory.path() / "j";
    auto log = must(writer::open(where, by_hand_unpopulated()));
    fs::resize_file(segment(where, 0), 8192);
    auto space = must(log.reserve({.type = 1}, 10'000));
    std::memset(space.payload().data(), 'x', 10'000);
    const auto committed = space.commit(10'000);
    REQUIRE_FALSE(committed);
    CHECK(committed.error().code == errc::io);
    CHECK(committed.error().offset == 8192);
    CHECK(log.published() == 0);
}

TEST_CASE("a clock report over a lost page keeps the event after it from being published") {
    const temporary_directory directory;
    const auto where = directory.path() / "j";
    auto options = by_hand_unpopulated();
    options.clock_report_interval_s = 5;
    auto log = must(writer::open(where, options));
    fs::resize_file(segment(where, 0), 8192);
    const auto refused = log.append({.type = 1}, {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::io);
    CHECK(refused.error().offset == 8192);
    CHECK(log.published() == 0);
    CHECK(log.append({.type = 1}, {}).error().code == errc::poisoned);
}

TEST_CASE("a prepared segment that lost its pages before its use is an error, not a crash") {
    const temporary_directory directory;
    const auto where = directory.path() / "j";
    auto options = by_hand_unpopulated();
    options.clock_report_interval_s = GENERATE(0U, 5U);
    auto log = must(writer::open(where, options));
    REQUIRE(log.poll());
    REQUIRE(fs::exists(segment(where, 1)));
    fs::resize_file(segment(where, 1), 8192);
    REQUIRE(append_until_refused(log));
    const auto refused = append_until_refused(log);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::io);
    CHECK(refused.error().file == segment(where, 1).string());
}

TEST_CASE("the file of stream heads may be truncated once the journal is open") {
    const temporary_directory directory;
    const auto where = directory.path() / "j";
    auto options = by_hand_unpopulated();
    options.expected_streams = 4096;
    {
        auto log = must(writer::open(where, options));
        append_numbered(log, 1, 7);
        REQUIRE(log.close());
    }
    auto log = must(writer::open(where, options));
    REQUIRE(log.version(7) == 1);
    fs::resize_file(where / "streams", 0);
    for (stream_id stream = 7; stream < 2000; ++stream) {
        const auto placed = log.append({.type = 1, .stream = stream}, {});
        REQUIRE(placed);
        REQUIRE(log.poll());
        CHECK(placed->version == (stream == 7 ? 2 : 1));
    }
    CHECK(log.poll());
}

// Left by a writer that died, because sealed segments are read through a copy.
TEST_CASE("a segment that is cut short under a reader is an error that names the place") {
    const temporary_directory directory;
    const auto where = directory.path() / "j";
    {
        auto log = must(writer::open(where, small_segments()));
        append_numbered(log, 400);
    }
    const bool verified = GENERATE(true, false);
    auto events = must(cursor::open(where, {.verify = verified}));
    REQUIRE(events.next() != nullptr);
    SECTION("by next") {
        fs::resize_file(segment(where, 0), 12288);
        sequence_number seen = 1;
        while (const event* e = events.next()) {
            CHECK(e->sequence() == seen);
            ++seen;
        }
        CHECK(seen > 30);
        CHECK(seen < 100);
    }
    SECTION("by wait") {
        fs::resize_file(segment(where, 0), 8192);
        while (events.wait(std::chrono::seconds{10}) && events.next() != nullptr) {
        }
        CHECK(events.next() == nullptr);
    }
    const auto end = events.finish();
    REQUIRE_FALSE(end);
    CHECK(end.error().code == errc::io);
    CHECK(end.error().file == segment(where, 0).string());
    CHECK(end.error().offset <= 12288);
}

TEST_CASE("reading one stream notices a lost page") {
    const temporary_directory directory;
    const auto where = directory.path() / "j";
    {
        auto log = must(writer::open(where, small_segments()));
        append_numbered(log, 400, 7);
        REQUIRE(log.close());
    }
    auto events = must(cursor::open(where, {.stream = 7}));
    REQUIRE(events.next() != nullptr);
    fs::resize_file(segment(where, 0), 12288);
    while (events.next() != nullptr) {
    }
    REQUIRE_FALSE(events.finish());
    CHECK(events.finish().error().code == errc::io);
}

TEST_CASE("a page lost under a returned event stops the cursor at the next call") {
    const temporary_directory directory;
    const auto where = directory.path() / "j";
    {
        auto log = must(writer::open(where, small_segments()));
        REQUIRE(log.append({.type = 1}, bytes_of(std::string(20'000, 'a'))));
        append_numbered(log, 4);
    }
    auto events = must(cursor::open(where));
    const event* e = events.next();
    REQUIRE(e != nullptr);
    fs::resize_file(segment(where, 0), 12288);
    CHECK(e->payload()[19'999] == std::byte{0});
    CHECK(events.next() == nullptr);
    CHECK(events.finish().error().code == errc::io);
}

// The guard's table grows by 64 entries at a time.
TEST_CASE("a page lost under the last of a hundred cursors is an error of that cursor") {
    const temporary_directory directory;
    const auto where = directory.path() / "j";
    const auto other = directory.path() / "other";
    for (const auto& path : {where, other}) {
        auto log = must(writer::open(path, small_segments()));
        append_numbered(log, 400);
    }
    std::vector<cursor> many;
    for (int i = 0; i < 100; ++i)
        many.push_back(must(cursor::open(other)));
    auto last = must(cursor::open(where));
    fs::resize_file(segment(where, 0), 12288);
    while (last.next() != nullptr) {
    }
    REQUIRE_FALSE(last.finish());
    CHECK(last.finish().error().code == errc::io);
    CHECK(last.finish().error().file == segment(where, 0).string());
    for (cursor& events : many)
        CHECK(must(events.for_each([](const event&) {})) == 400);
}

TEST_CASE("a writer continues when a mapping of another journal loses a page") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path() / "a", by_hand_unpopulated()));
    {
        auto other = must(writer::open(directory.path() / "b", by_hand_unpopulated()));
        fs::resize_file(segment(directory.path() / "b", 0), 8192);
        REQUIRE_FALSE(other.append({.type = 1}, bytes_of(kilobyte)));
    }
    append_numbered(log, 3);
    CHECK(log.sync() == 3U);
    REQUIRE(log.close());
    CHECK(read_numbered(directory.path() / "a") == 3);
}

namespace {

sigjmp_buf escape;
volatile std::sig_atomic_t may_escape = 0;

void on_foreign_bus_error(int signal) {
    if (may_escape != 0)
        ::siglongjmp(escape, 1);
    ::signal(signal, SIG_DFL);
}

// Runs before main, and so before the first mapping installs the guard.
const bool was_there_before = [] {
    struct sigaction action{};
    action.sa_handler = on_foreign_bus_error;
    return ::sigaction(SIGBUS, &action, nullptr) == 0;
}();

}  // namespace

TEST_CASE("a bus error elsewhere goes to the handler that was there before") {
    REQUIRE(was_there_before);
    const temporary_directory directory;
    const fs::path path = directory.path() / "plain";
    const auto file = must(detail::file::open(path, detail::file::access::create));
    REQUIRE(file.allocate(16384));
    const auto guarded = must(detail::mapping::of(file, detail::mapping::access::read, 16384));
    void* foreign = ::mmap(nullptr, 16384, PROT_READ, MAP_SHARED, file.descriptor(), 0);
    REQUIRE(foreign != MAP_FAILED);
    fs::resize_file(path, 0);
    const auto load = [](const void* at) { return *static_cast<const volatile char*>(at); };

    may_escape = 1;
    volatile bool passed_on = false;
    if (sigsetjmp(escape, 1) == 0)
        (void)load(foreign);
    else
        passed_on = true;
    CHECK(passed_on);
    passed_on = false;
    if (sigsetjmp(escape, 1) == 0)
        ::raise(SIGBUS);
    else
        passed_on = true;
    CHECK(passed_on);
    may_escape = 0;

    CHECK_FALSE(guarded.faulted());
    const auto before = detail::count_guarded_faults();
    CHECK(load(guarded.data() + 8192) == 0);
    CHECK(guarded.faulted());
    CHECK(detail::count_guarded_faults() == before + 1);
    REQUIRE_FALSE(guarded.whole());
    CHECK(guarded.whole().error().offset == 8192);
    ::munmap(foreign, 16384);
}
