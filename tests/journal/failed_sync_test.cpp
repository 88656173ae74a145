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
