// The calls that an observer may make.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"
#include "os/io_hook.hpp"

#include <atomic>
#include <cerrno>
#include <optional>
#include <thread>

using namespace pawl;
using namespace pawl::test;

namespace {

int fail_syncs(void*, const detail::io_event& event) {
    return event.operation == detail::io_operation::sync_range ? EIO : 0;
}

}  // namespace

TEST_CASE("an observer may inspect its writer, and gets busy if it closes or polls it") {
    const temporary_directory directory;
    const bool threads = GENERATE(true, false);
    std::optional<writer> log;
    std::atomic<writer*> observed{nullptr};
    std::optional<error> told;
    std::optional<error> closed;
    std::optional<error> polled;
    std::atomic<bool> done{false};
    auto options = small_segments();
    options.sync = sync_policy::every_us(1000);
    options.background_threads = threads;
    options.full = when_full::fail;
    options.observer = [&](const error& why) {
        writer& here = *observed.load();
        told = why;
        (void)here.statistics();
        CHECK(here.failure());
        CHECK(here.sync().error().code == errc::poisoned);
        CHECK(here.append({}, {}).error().code == errc::poisoned);
        closed = here.close().error();
        polled = here.poll().error();
        done = true;
    };
    log = must(writer::open(directory.path() / "j", options));
    observed = &*log;
    append_numbered(*log, 1);
    detail::set_io_hook(fail_syncs, nullptr);
    while (!done) {
        if (!threads)
            (void)log->poll();
        std::this_thread::yield();
    }
    detail::set_io_hook(nullptr, nullptr);
    CHECK_FALSE(log->close());
    REQUIRE(told);
    CHECK(told->code == errc::poisoned);
    CHECK(closed->code == errc::busy);
    CHECK(polled->code == errc::busy);
}

TEST_CASE("two threads in append get busy, and the journal stays sound", "[concurrency][.debug]") {
#ifdef NDEBUG
    WARN("a release build finds most overlaps, not all");
#else
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    std::atomic<std::uint64_t> appended{0};
    std::atomic<std::uint64_t> busy{0};
    const auto append = [&] {
        for (int i = 0; i < 30'000; ++i) {
            const auto placed = log.append({.type = 1}, {});
            if (placed)
                ++appended;
            else if (placed.error().code == errc::busy)
                ++busy;
        }
    };
    std::thread other{append};
    append();
    other.join();
    CHECK(appended + busy == 60'000);
    must(log.close());
    const auto report = must(verify(path));
    CHECK(report.sound());
    CHECK(report.events == appended);
#endif
}
