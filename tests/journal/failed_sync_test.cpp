#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"
#include "os/io_hook.hpp"

#include <algorithm>
#include <cerrno>
#include <span>
#include <string>
#include <vector>

using namespace pawl;
using namespace pawl::test;

TEST_CASE("a failed sync reports the segment's final name, not its temporary one") {
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

// Once there is space again, a retry succeeds, but the pages of the failed sync are still lost.
TEST_CASE("a sync that fails on a full disk poisons the writer like any other failed sync") {
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

namespace {

struct synced_range {
    std::string path;
    std::uint64_t end = 0;
};

int note_range(void* context, const detail::io_event& event) {
    auto& noted = *static_cast<synced_range*>(context);
    if (event.operation == detail::io_operation::sync_range && event.path == noted.path)
        noted.end = std::max(noted.end, event.offset + event.bytes);
    return 0;
}

}  // namespace

// The kernel may already have written the bytes of an abandoned reservation. Only a sync overwrites
// them on disk, and once the segment counts as durable, no recovery reads past its end.
TEST_CASE("zeroed bytes after a segment's end are synced with the segment") {
    const temporary_directory directory;
    auto options = small_segments();
    options.background_threads = false;
    options.full = when_full::fail;
    auto log = must(writer::open(directory.path() / "j", options));
    const std::vector<std::byte> payload(options.segment_bytes * 5 / 8, std::byte{0x5a});
    const auto first = must(log.append({}, std::span{payload}.first(options.segment_bytes / 4)));
    const std::size_t abandoned = options.segment_bytes / 2;
    {
        auto space = must(log.reserve({}, abandoned));
        std::ranges::fill(space.payload(), std::byte{0xab});
        space.abandon();
    }
    must(log.poll());
    synced_range noted{.path = segment(directory.path() / "j", 0).string()};
    detail::set_io_hook(note_range, &noted);
    const auto next = must(log.append({}, payload));
    must(log.sync());
    detail::set_io_hook(nullptr, nullptr);
    REQUIRE(first.position.ordinal == 0);
    REQUIRE(next.position.ordinal == 1);
    CHECK(noted.end > first.position.offset + options.segment_bytes / 4 + abandoned);
}
