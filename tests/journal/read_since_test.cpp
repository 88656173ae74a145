#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"

#include <vector>

using namespace pawl;
using namespace pawl::test;

namespace {

constexpr stream_id rare = 7;
constexpr stream_id busy = 9;
using versions = std::vector<stream_version>;

}  // namespace

TEST_CASE("a writer reads what a conflict missed, in place and from older segments") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    const auto since = [&](stream_version after) {
        versions seen;
        const std::uint64_t count = must(log.read_since(rare, after, [&](const event& e) {
            CHECK(text_of(e) == "rare " + std::to_string(e.version()));
            seen.push_back(e.version());
        }));
        CHECK(count == seen.size());
        return seen;
    };
    const auto append_rare = [&] {
        const std::string text = "rare " + std::to_string(log.version(rare) + 1);
        (void)must(log.append({.type = 1, .stream = rare}, bytes_of(text)));
    };
    CHECK(since(0).empty());
    append_rare();
    append_numbered(log, 10, busy);
    append_rare();
    CHECK(since(0) == versions{1, 2});
    CHECK(since(1) == versions{2});
    CHECK(since(2).empty());
    CHECK(since(9).empty());
    append_numbered(log, 3000, busy);
    CHECK(since(1) == versions{2});
    append_rare();
    append_rare();
    CHECK(since(0) == versions{1, 2, 3, 4});
    CHECK(since(3) == versions{4});
    auto together = must(log.begin_batch(1, 64));
    CHECK(log.read_since(rare, 0, [](const event&) {}).error().code == errc::busy);
    together.abandon();
    must(log.close());
}
