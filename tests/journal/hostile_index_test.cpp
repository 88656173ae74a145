// Indexes with valid checksums whose offsets point outside their segment.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"
#include "store/segment_index.hpp"

#include <cstdint>
#include <filesystem>

using namespace pawl;
using namespace pawl::test;

namespace {

constexpr std::uint64_t far_away = std::uint64_t{1} << 34;

// A closed journal of one segment that holds a name and three events of its stream.
class named_journal {
  public:
    named_journal() {
        auto log = must(writer::open(path(), small_segments()));
        stream = must(log.stream("orders"));
        append_numbered(log, 3, stream);
        id = log.id();
        must(log.close());
    }
    [[nodiscard]] std::filesystem::path path() const { return home_.path() / "j"; }
    [[nodiscard]] detail::segment_index index() const {
        return must(detail::read_index(path(), id, 0));
    }
    void replace(const detail::segment_index& index) const {
        must(detail::write_index(path(), index));
        REQUIRE(detail::read_index(path(), id, 0));
    }

    stream_id stream = no_stream_id;
    journal_id id{};

  private:
    temporary_directory home_;
};

}  // namespace

TEST_CASE("find_stream does not follow an index out of its segment") {
    const named_journal journal;
    auto index = journal.index();
    REQUIRE(index.names.size() == 1);
    SECTION("past the end of the file") {
        index.header.end_offset = 2 * far_away;
        index.names[0].offset = far_away;
    }
    SECTION("to where no header fits") {
        index.header.end_offset = 65536;
        index.names[0].offset = 65536 - 8;
    }
    SECTION("to a frame that is not a name") {
        index.names[0].offset = index.streams[0].last_offset();
    }
    journal.replace(index);
    // The log decides: a name that the index lacks is searched in the frames.
    CHECK(must(find_stream(journal.path(), "orders")) == journal.stream);
    CHECK_FALSE(must(find_stream(journal.path(), "trades")));
}

TEST_CASE("a cursor does not follow an index out of its segment") {
    const named_journal journal;
    auto index = journal.index();
    index.header.end_offset = 2 * far_away;
    index.streams[0].last = far_away / 8;
    for (auto& mark : index.marks)
        mark.offset = far_away;
    journal.replace(index);
    const auto by_stream = cursor::open(journal.path(), {.stream = journal.stream});
    REQUIRE_FALSE(by_stream);
    CHECK(by_stream.error().code == errc::damaged);
    CHECK(by_stream.error().offset == far_away);
    CHECK(read_numbered(journal.path(), {.from = from_sequence{2}}) == 1);
}
