#include "../support/temporary_directory.hpp"
#include "io_hook.hpp"
#include "journal_support.hpp"

#include <cerrno>

using namespace pawl;
using namespace pawl::test;

TEST_CASE("a failed sync names the segment by the name it has, not the one it was built under") {
    const temporary_directory directory;
    auto options = small_segments();
    options.background_threads = false;
    options.full = when_full::fail;
    auto log = must(writer::open(directory.path() / "j", options));
    append_numbered(log, 1);
    detail::set_io_hook(
        [](void*, const detail::io_event& event) {
            return event.operation == detail::io_operation::sync_range ? EIO : 0;
        },
        nullptr);
    const auto synced = log.sync();
    detail::set_io_hook(nullptr, nullptr);
    REQUIRE_FALSE(synced);
    CHECK(synced.error().code == errc::poisoned);
    CHECK(synced.error().os_error == EIO);
    CHECK(synced.error().file == segment(directory.path() / "j", 0).string());
}

namespace {

struct failing_operation {
    detail::io_operation operation{};
    int with = 0;
    bool armed = false;
};

int fail_operation(void* context, const detail::io_event& event) {
    const auto& failing = *static_cast<const failing_operation*>(context);
    return failing.armed && event.operation == failing.operation ? failing.with : 0;
}

}  // namespace

// With room again a retry would succeed; what the failed sync left in memory would still be lost.
TEST_CASE("a sync that fails for want of room poisons like any other failed sync") {
    const temporary_directory directory;
    failing_operation failing;
    failing.operation =
        GENERATE(detail::io_operation::sync_range, detail::io_operation::sync_directory);
    failing.with = GENERATE(ENOSPC, EDQUOT);
    detail::set_io_hook(fail_operation, &failing);
    {
        auto options = small_segments();
        options.background_threads = false;
        options.full = when_full::fail;
        auto log = must(writer::open(directory.path() / "j", options));
        append_numbered(log, 10);
        failing.armed = true;
        (void)log.poll();
        (void)log.sync();
        failing.armed = false;
        CHECK(log.sync().error().code == errc::poisoned);
        CHECK(log.append({}, {}).error().code == errc::poisoned);
        CHECK(log.durable() == 0);
    }
    detail::set_io_hook(nullptr, nullptr);
}
