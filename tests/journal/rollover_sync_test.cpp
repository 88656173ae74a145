// A sync that runs while the appending thread is in the middle of a rollover.
#include "../support/temporary_directory.hpp"
#include "faults/support/stepped_writer.hpp"
#include "journal_support.hpp"

using namespace pawl;
using namespace pawl::test;
using namespace pawl::detail;

namespace {

constexpr std::uint64_t rolled_at = 60'000;
constexpr std::uint64_t end_of_first = rolled_at + end_frame_bytes;

}  // namespace

TEST_CASE(
    "a sync after a segment is linked and before its first frame does not poison the writer") {
    const temporary_directory directory;
    const auto started = must(stepped_writer::start(directory.path(), rolled_at));
    stepped_writer& writer = *started;
    writer.fill_first_segment();
    writer.link();
    CHECK(must(writer.sync()) == 100);
    CHECK_FALSE(writer.log().failure());
    CHECK(writer.newest().synced == first_frame_offset);
    CHECK(writer.covered() == 0);
}

TEST_CASE("no event counts as durable before a sync covered it, however a rollover meets it") {
    const temporary_directory directory;
    const auto started = must(stepped_writer::start(directory.path(), rolled_at));
    stepped_writer& writer = *started;
    writer.fill_first_segment();
    writer.link();
    // If that sync mistook the old position for one in the new segment, the frame that arrives
    // during it would make the position look valid, and everything before 60,000 synced.
    writer.during_sync = [&] { writer.append(1, first_frame_offset + 80); };
    REQUIRE(must(writer.sync()) == 100);
    writer.during_sync = nullptr;
    writer.enter();
    constexpr std::uint64_t end = first_frame_offset + 20 * std::uint64_t{80};
    writer.append(20, end);
    CHECK(must(writer.sync()) == 120);
    CHECK(writer.covered() >= end);
    CHECK(writer.newest().synced == end);
}

TEST_CASE("unsynced bytes are counted across a rollover") {
    const temporary_directory directory;
    const auto started = must(stepped_writer::start(directory.path(), rolled_at));
    stepped_writer& writer = *started;
    writer.fill_first_segment();
    CHECK(writer.log().unsynced_bytes() == rolled_at - first_frame_offset);
    writer.link();
    CHECK(writer.log().unsynced_bytes() == rolled_at - first_frame_offset);
    writer.enter();
    CHECK(writer.log().unsynced_bytes() == end_of_first - first_frame_offset);
    writer.append(1, first_frame_offset + 80);
    CHECK(writer.log().unsynced_bytes() == end_of_first - first_frame_offset + 80);
    must(writer.sync());
    CHECK(writer.log().unsynced_bytes() == 0);
}
