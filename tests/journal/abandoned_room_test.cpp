// The bytes that an abandoned reservation wrote after a segment's end must be zero on disk, not
// only in memory, before an index marks the segment as complete.
#include "../support/temporary_directory.hpp"
#include "io_record.hpp"
#include "journal_support.hpp"
#include "store/directory.hpp"

#include <algorithm>
#include <cerrno>

using namespace pawl;
using namespace pawl::test;
using detail::io_operation;

namespace {

constexpr std::size_t scribbled_bytes = 16'000;

// Leaves space for one reservation of scribbled_bytes, fills it and abandons it. Returns the offset
// after the scribbled bytes.
std::uint64_t scribble_behind_the_last_event(writer& log) {
    const std::vector<std::byte> large(40'000, std::byte{1});
    const auto last = must(log.append({.type = 1}, large));
    auto space = must(log.reserve({.type = 1}, scribbled_bytes));
    std::ranges::fill(space.payload(), std::byte{0xab});
    space.abandon();
    return last.position.offset + large.size() + scribbled_bytes;
}

}  // namespace

TEST_CASE("a close that could not sync the bytes after a segment's end does not seal the segment") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, by_hand()));
    (void)scribble_behind_the_last_event(log);
    (void)must(log.sync());
    {
        const io_record record{[](const io_call& call) {
            return call.operation == io_operation::sync_file &&
                           call.path.filename() == "0000000000.seg"
                       ? EIO
                       : 0;
        }};
        const auto closed = log.close();
        REQUIRE_FALSE(closed);
        CHECK(closed.error().code == errc::io);
        CHECK(record.calls(io_operation::rename, "0000000000.idx.tmp").empty());
    }
    CHECK_FALSE(std::filesystem::exists(detail::index_path(path, 0)));

    log = must(writer::open(path, by_hand()));
    CHECK(log.next_sequence() == 1);
    must(log.close());
    CHECK(std::filesystem::exists(detail::index_path(path, 0)));
    CHECK(must(verify(path, {.deep = true})).findings.empty());
}

TEST_CASE("recovery syncs the zeros after a clean end that a dead writer left only in memory") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    std::uint64_t scribbled_to = 0;
    {
        auto log = must(writer::open(path, by_hand()));
        scribbled_to = scribble_behind_the_last_event(log);
        must(log.poll());  // creates the next segment
        // Does not fit any more, so the segment ends before the scribbled bytes.
        (void)must(log.append({.type = 1}, std::vector<std::byte>(scribbled_bytes + 10'000)));
        REQUIRE(log.statistics().rollovers == 1);
    }
    const io_record record;
    auto log = must(writer::open(path, by_hand()));
    CHECK(log.next_sequence() == 2);
    const auto synced = record.calls(io_operation::sync_range, "0000000000.seg");
    CHECK(std::ranges::any_of(
        synced, [&](const io_call& call) { return call.offset + call.bytes >= scribbled_to; }));
    must(log.close());
    CHECK(must(verify(path, {.deep = true})).findings.empty());
}
