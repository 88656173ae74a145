// The files that the background derives from complete segments.

#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"
#include "store/directory.hpp"

#include <filesystem>

using namespace pawl;
using namespace pawl::test;

namespace {

void fill_segment(writer& log, stream_id stream) {
    const std::uint64_t before = log.statistics().rollovers;
    while (log.statistics().rollovers == before)
        append_numbered(log, 1, stream);
}

}  // namespace

// An index that could not be read is rebuilt, perhaps when later segments already have theirs. The
// stream heads must still include the streams of those segments.
TEST_CASE("rebuilding an earlier index does not lose the streams of later sealed segments") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    (void)must(log.stream("early"));
    fill_segment(log, 1);
    const stream_id late = must(log.stream("late"));
    fill_segment(log, 2);
    fill_segment(log, 3);
    const stream_version version = log.version(2);
    must(log.close());
    std::filesystem::remove(detail::index_path(path, 0));

    log = must(writer::open(path, small_segments()));
    CHECK(log.version(2) == version);
    fill_segment(log, 3);
    must(log.close());

    log = must(writer::open(path, small_segments()));
    CHECK(log.version(2) == version);
    CHECK(must(log.stream("late")) == late);
    must(log.close());
    CHECK(must(verify(path, {.deep = true})).findings.empty());
}
