// The events of one stream form a chain through the segments that hold it.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"
#include "store/index_file.hpp"
#include "store/segment_index.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

using namespace pawl;
using namespace pawl::test;

namespace {

constexpr stream_id rare = 7;
constexpr stream_id busy = 9;

// A closed journal with one event of the rare stream at the start of some of its segments.
class sparse_journal {
  public:
    explicit sparse_journal(std::vector<std::uint64_t> holding, std::uint64_t segments = 12) {
        auto log = must(writer::open(path(), small_segments()));
        auto next = holding.begin();
        while (log.statistics().rollovers < segments) {
            if (next != holding.end() && log.statistics().rollovers == *next) {
                places.push_back(must(log.append({.type = 1, .stream = rare}, bytes_of("rare"))));
                ++next;
            }
            append_numbered(log, 1, busy);
        }
        id = log.id();
        must(log.close());
    }
    [[nodiscard]] std::filesystem::path path() const { return home_.path() / "j"; }
    [[nodiscard]] std::filesystem::path index_of(std::uint64_t ordinal) const {
        return segment(path(), ordinal).replace_extension(".idx");
    }
    [[nodiscard]] std::vector<stream_version> read(cursor_options options = {}) const {
        options.stream = rare;
        auto events = must(cursor::open(path(), options));
        std::vector<stream_version> versions;
        must(events.for_each([&](const event& e) { versions.push_back(e.version()); }));
        return versions;
    }

    std::vector<receipt> places;
    journal_id id{};

  private:
    temporary_directory home_;
};

using versions = std::vector<stream_version>;

}  // namespace

TEST_CASE("reading a stream touches no segment that does not hold it") {
    const sparse_journal journal{{1, 6, 11}};
    for (const std::uint64_t between : {2U, 3U, 4U, 5U, 7U, 8U, 9U, 10U}) {
        std::filesystem::remove(segment(journal.path(), between));
        std::filesystem::remove(journal.index_of(between));
    }
    CHECK(journal.read() == versions{1, 2, 3});
    CHECK(journal.read({.from = from_version{2}}) == versions{2, 3});
}

TEST_CASE("a segment whose index is gone is read in full for a stream that it may hold") {
    const sparse_journal journal{{1, 4, 6, 11}};
    for (const std::uint64_t gone : {4U, 5U, 6U, 11U})
        std::filesystem::remove(journal.index_of(gone));
    CHECK(journal.read() == versions{1, 2, 3, 4});
    SECTION("the next writer rebuilds the indexes, with the same links") {
        auto log = must(writer::open(journal.path(), small_segments()));
        must(log.close());
        const auto link = [&](std::uint64_t ordinal) {
            return must(detail::read_index(journal.path(), journal.id, ordinal))
                .find_stream(rare)
                ->segments_back;
        };
        CHECK(link(1) == 0);
        CHECK(link(4) == 3);
        CHECK(link(6) == 2);
        CHECK(link(11) == 5);
        CHECK(must(verify(journal.path(), {.deep = true})).findings.empty());
        CHECK(journal.read() == versions{1, 2, 3, 4});
    }
}

TEST_CASE("where a chain skips a segment, the segments are read in full") {
    const sparse_journal journal{{1, 6, 11}};
    auto index = must(detail::read_index(journal.path(), journal.id, 11));
    auto& stream = *std::ranges::find(index.streams, rare, &detail::index_stream::stream);
    REQUIRE(stream.segments_back == 5);
    SECTION("one that holds the stream") {
        stream.segments_back = 10;
    }
    SECTION("all of them") {
        stream.segments_back = 0;
    }
    SECTION("as if the last event had another version") {
        stream.version = 1;
    }
    must(detail::write_index(journal.path(), index));

    CHECK(journal.read() == versions{1, 2, 3});
    CHECK(journal.read({.from = from_version{2}}) == versions{2, 3});
    const auto report = must(verify(journal.path(), {.deep = true}));
    CHECK(report.sound());
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].what.file == journal.index_of(11).string());
}

TEST_CASE("a version that no segment holds is a missing segment") {
    const sparse_journal journal{{1, 6, 11}};
    for (const std::uint64_t ordinal : {5U, 6U, 7U}) {
        std::filesystem::remove(segment(journal.path(), ordinal));
        std::filesystem::remove(journal.index_of(ordinal));
    }
    auto index = must(detail::read_index(journal.path(), journal.id, 11));
    std::ranges::find(index.streams, rare, &detail::index_stream::stream)->segments_back = 10;
    must(detail::write_index(journal.path(), index));
    auto events = must(cursor::open(journal.path(), {.stream = rare}));
    REQUIRE(events.next() != nullptr);
    CHECK(events.next() == nullptr);
    CHECK(events.finish().error().code == errc::missing_segment);
}

TEST_CASE("a chain is linked past the index of another life of a segment") {
    const sparse_journal journal{{1, 6, 11}};
    auto index = must(detail::read_index(journal.path(), journal.id, 6));
    ++index.header.epoch;
    std::erase_if(index.streams, [](const auto& each) { return each.stream == rare; });
    must(detail::write_index(journal.path(), index));
    std::filesystem::remove(journal.index_of(11));
    std::filesystem::remove(journal.path() / "streams");
    must(must(writer::open(journal.path(), small_segments())).close());
    const auto made = must(detail::read_index(journal.path(), journal.id, 11));
    CHECK(made.find_stream(rare)->segments_back == 5);
    CHECK(journal.read() == versions{1, 2, 3});
}

TEST_CASE("a cursor starts at a version of a stream, or waits until it exists") {
    const sparse_journal journal{{1, 6, 11}};
    CHECK(journal.read({.from = from_version{0}}) == versions{1, 2, 3});
    CHECK(journal.read({.from = from_version{1}}) == versions{1, 2, 3});
    CHECK(journal.read({.from = from_version{3}}) == versions{3});
    CHECK(journal.read({.from = from_version{4}}).empty());
    CHECK(cursor::open(journal.path(), {.from = from_version{2}}).error().code ==
          errc::invalid_argument);

    auto later = must(
        cursor::open(journal.path(), {.from = from_version{4}, .follow = true, .stream = rare}));
    CHECK(later.next() == nullptr);
    auto log = must(writer::open(journal.path(), small_segments()));
    (void)must(log.append({.type = 1, .stream = rare}, bytes_of("rare")));
    const event* fresh = later.next();
    REQUIRE(fresh != nullptr);
    CHECK(fresh->version() == 4);
    CHECK(journal.read({.from = from_version{3}}) == versions{3, 4});
}

TEST_CASE("a cursor starts at the event at a position") {
    const sparse_journal journal{{1, 6, 11}};
    for (const receipt& placed : journal.places) {
        auto events = must(cursor::open(journal.path(), {.from = from_position{placed.position}}));
        const event* first = events.next();
        REQUIRE(first != nullptr);
        CHECK(first->sequence() == placed.sequence);
        const log_point point = events.point();
        CHECK(cursor::open(journal.path(), {.from = from_position{placed.position, point}})
                  .has_value());
        log_point wrong = point;
        ++wrong.next;
        CHECK(cursor::open(journal.path(), {.from = from_position{placed.position, wrong}})
                  .error()
                  .code == errc::diverged);
    }
    CHECK(journal.read({.from = from_position{journal.places[1].position}}) == versions{2, 3});
    auto inside = journal.places[0].position;
    inside.offset += 8;
    CHECK(cursor::open(journal.path(), {.from = from_position{inside}}).error().code ==
          errc::not_found);
}

TEST_CASE("a position inside a batch is valid only if the batch was committed") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    append_numbered(log, 3);
    auto together = must(log.begin_batch(2, 64));
    (void)must(together.append({.type = 1}, bytes_of("event 3")));
    const receipt second = must(together.append({.type = 1}, bytes_of("event 4")));
    CHECK(cursor::open(path, {.from = from_position{second.position}}).error().code ==
          errc::not_found);
    (void)must(together.commit());
    CHECK(read_numbered(path, {.from = from_position{second.position}}) == 1);
    must(log.close());
    CHECK(read_numbered(path, {.from = from_position{second.position}}) == 1);
}

TEST_CASE("an index left beside an older copy of its segment is not trusted") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const auto copy = directory.path() / "older.seg";
    auto log = must(writer::open(path, small_segments()));
    append_numbered(log, 5);
    must(log.sync());
    std::filesystem::copy_file(segment(path, 0), copy);
    append_numbered(log, 5);
    must(log.close());
    std::filesystem::copy_file(copy, segment(path, 0),
                               std::filesystem::copy_options::overwrite_existing);
    const auto opened = writer::open(path, small_segments());
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == errc::damaged);
    CHECK(opened.error().sequence == 5);
}
