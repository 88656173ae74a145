#include "store/writer_lock.hpp"

#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"
#include "store/directory.hpp"

using namespace pawl;
using namespace pawl::test;

TEST_CASE("a second writer is refused although somebody deleted the lock file") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    REQUIRE(std::filesystem::remove(detail::lock_path(path)));
    CHECK(must(detail::writer_lock::is_held(path)));
    CHECK(writer::open(path, small_segments()).error().code == errc::locked);
    // And although another one lies there by now.
    CHECK(writer::open(path, small_segments()).error().code == errc::locked);
    append_numbered(log, 10);
    must(log.close());
    CHECK_FALSE(must(detail::writer_lock::is_held(path)));
    auto next = must(writer::open(path, small_segments()));
    CHECK(next.next_sequence() == 10);
}
