// Cursors that return the events that name a tag.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/prune.hpp>
#include <pawl/journal/tags.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

using namespace pawl;
using namespace pawl::test;
using namespace std::chrono_literals;

namespace {

constexpr tag_id rare = 7;
constexpr tag_id busy = 9;

using sequences = std::vector<sequence_number>;

// A journal of small segments whose events all name `busy`, and the first of some segments `rare`
// as well. The last segment is open.
class tagged_log {
  public:
    explicit tagged_log(std::vector<std::uint64_t> holding, std::uint64_t segments = 12) {
        auto next = holding.begin();
        while (log.statistics().rollovers < segments) {
            const bool both = next != holding.end() && log.statistics().rollovers == *next;
            if (both) {
                named.push_back(log.next_sequence());
                ++next;
            }
            append(both ? tag_set{rare, busy} : tag_set{busy});
        }
    }
    [[nodiscard]] std::filesystem::path path() const { return home_.path() / "j"; }
    [[nodiscard]] std::filesystem::path index_of(std::uint64_t ordinal) const {
        return segment(path(), ordinal).replace_extension(".idx");
    }
    void append(const tag_set& tags, std::uint16_t type = 1) {
        (void)must(
            log.append({.type = type, .timestamp_ns = 1000 + log.next_sequence(), .tags = tags},
                       bytes_of(std::string(500, '.'))));
        must(log.poll());
    }
    void close() { must(log.close()); }
    [[nodiscard]] sequences read(cursor_options options = {}) const {
        if (options.tag == 0)
            options.tag = rare;
        auto events = must(cursor::open(path(), std::move(options)));
        sequences found;
        must(events.for_each([&](const event& e) {
            CHECK(e.metadata().tags().contains(options.tag));
            found.push_back(e.sequence());
        }));
        return found;
    }
    [[nodiscard]] sequences all() const {
        sequences every(log.next_sequence());
        for (sequence_number i = 0; i < every.size(); ++i)
            every[i] = i;
        return every;
    }

  private:
    temporary_directory home_;
    static writer_options options() {
        auto made = by_hand();
        made.clock = clock_source::caller;
        return made;
    }

  public:
    writer log = must(writer::open(path(), options()));
    sequences named;  // the events that name `rare`
};

}  // namespace

TEST_CASE("a cursor by tag returns the events that name it, wherever they lie") {
    tagged_log journal{{0, 1, 6, 11}};
    journal.append({rare, 11});
    journal.named.push_back(journal.log.next_sequence() - 1);
    CHECK(journal.read() == journal.named);
    auto every = journal.all();
    every.pop_back();
    CHECK(journal.read({.tag = busy}) == every);
    CHECK(journal.read({.tag = 11}) == sequences{journal.named.back()});
    CHECK(journal.read({.tag = 12}).empty());

    SECTION("from a place") {
        const auto from = [&](std::size_t at) {
            return sequences(journal.named.begin() + static_cast<std::ptrdiff_t>(at),
                             journal.named.end());
        };
        const sequence_number second = journal.named[1];
        CHECK(journal.read({.from = from_sequence{second}}) == from(1));
        CHECK(journal.read({.from = from_sequence{second + 1}}) == from(2));
        CHECK(journal.read({.from = from_time{1000 + second}}) == from(1));
        CHECK(journal.read({.from = from_time{1001 + second}}) == from(2));
        CHECK(journal.read({.from = from_end{}}).empty());
    }
    SECTION("together with a filter") {
        journal.append({rare}, 2);
        const event_selection of_type{.types = {2}};
        CHECK(journal.read({.filter = of_type}) == sequences{journal.log.next_sequence() - 1});
        const event_selection also{.tags = {11}};
        CHECK(journal.read({.filter = also}) == sequences{journal.named.back()});
        const event_selection both{.tags = {rare, busy}};
        CHECK(journal.read({.tag = busy, .filter = both}) ==
              sequences(journal.named.begin(), journal.named.end() - 1));
    }
    SECTION("after a restart") {
        journal.close();
        CHECK(journal.read() == journal.named);
    }
    SECTION("without an index") {
        for (const std::uint64_t gone : {1U, 2U, 11U})
            std::filesystem::remove(journal.index_of(gone));
        CHECK(journal.read() == journal.named);
    }
    SECTION("durable ones only") {
        CHECK(journal.read({.show = visibility::durable}).size() < journal.named.size());
        must(journal.log.sync());
        CHECK(journal.read({.show = visibility::durable}) == journal.named);
    }
}

TEST_CASE("reading a tag touches no sealed segment that does not hold it") {
    tagged_log journal{{1, 6, 11}};
    journal.close();
    for (const std::uint64_t between : {2U, 3U, 4U, 5U, 7U, 8U, 9U, 10U})
        std::filesystem::remove(segment(journal.path(), between));
    // The list of segments no longer has them, so their indexes are not asked either.
    CHECK(journal.read() == journal.named);
}

TEST_CASE("where an index leads to an event that does not name the tag, the segment is read") {
    tagged_log journal{{1, 6, 11}};
    journal.close();
    const journal_id id = must(inspect(journal.path())).id;
    auto index = must(detail::read_index(journal.path(), id, 6));
    const auto of_rare = std::ranges::find(index.tags, rare, &detail::index_tag::tag);
    const auto of_busy = std::ranges::find(index.tags, busy, &detail::index_tag::tag);
    REQUIRE(of_rare != index.tags.end());
    REQUIRE(of_busy != index.tags.end());
    // The second event of the segment names `busy` alone.
    index.postings[of_rare->first] = index.postings[of_busy->first + 1];
    must(detail::write_index(journal.path(), index));
    CHECK(journal.read() == journal.named);
}

TEST_CASE("a cursor by tag follows the writer") {
    tagged_log journal{{0}, 2};
    auto events = must(cursor::open(journal.path(), {.follow = true, .tag = rare}));
    REQUIRE(events.next() != nullptr);
    CHECK(events.next() == nullptr);
    CHECK_FALSE(must(events.wait(0ms)));
    for (int i = 0; i < 200; ++i)
        journal.append({busy});
    CHECK_FALSE(must(events.wait(0ms)));
    journal.append({rare});
    REQUIRE(must(events.wait(1s)));
    CHECK(events.next()->sequence() == journal.log.next_sequence() - 1);
}

TEST_CASE("after a prune a cursor by tag begins where the log does") {
    tagged_log journal{{0, 6, 11}};
    must(journal.log.sync());
    (void)must(journal.log.prune({.before = journal.named[1]}));
    CHECK(journal.read() == sequences(journal.named.begin() + 1, journal.named.end()));
    CHECK(cursor::open(journal.path(), {.from = from_sequence{0}, .tag = rare}).error().code ==
          errc::pruned);
}

TEST_CASE("a tag goes with neither a stream nor names") {
    const tagged_log journal{{}, 0};
    for (cursor_options options : {cursor_options{.stream = 5}, cursor_options{.names = true},
                                   cursor_options{.from = from_version{1}}}) {
        options.tag = rare;
        CHECK(cursor::open(journal.path(), options).error().code == errc::invalid_argument);
    }
}
