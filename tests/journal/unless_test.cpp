// Conditions on the events that name tags.
#include "journal_support.hpp"
#include "reopened_journal.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/journal.hpp>
#include <pawl/journal/prune.hpp>
#include <pawl/journal/tags.hpp>

#include <array>
#include <optional>
#include <string>
#include <vector>

using namespace pawl;
using namespace pawl::test;

namespace {

using after = std::variant<log_point, writer_point>;

struct item {
    std::vector<tag_id> tags;
    std::vector<std::uint16_t> types{};
};

class judged_journal : public reopened_journal {
  public:
    judged_journal() : reopened_journal{options()} {}

    sequence_number append(const tag_set& tags, std::uint16_t type = 1) {
        const auto placed = must(log().append({.type = type, .tags = tags}, bytes_of("event")));
        must(log().poll());
        return placed.sequence;
    }
    void fill_segment() {
        reopened_journal::fill_segment({.type = 9}, 60'000);
        must(log().sync());
        must(log().poll());
    }
    // The point of the log's end, as a reader takes it.
    [[nodiscard]] log_point read_point() {
        auto events = must(cursor::open(path()));
        log_point point{};
        (void)must(events.for_each([&](const event& e) { point = e.point(); }));
        return point;
    }

    // Appends an event, unless one of the items was appended after the point.
    result<receipt> unless(const std::vector<item>& items, const after& point,
                           const tag_set& tags = {}) {
        std::vector<tag_query> queries;
        for (const item& each : items)
            queries.push_back({.types = each.types, .tags = each.tags});
        const unless_condition condition{.items = queries, .after = point};
        auto placed = log().append({.type = 2, .tags = tags, .unless = &condition}, {});
        must(log().poll());
        return placed;
    }
    void admits(const std::vector<item>& items, const after& point) {
        const sequence_number next = log().next_sequence();
        CHECK(must(unless(items, point)).sequence == next);
    }
    error refuses(const std::vector<item>& items, const after& point) {
        const sequence_number next = log().next_sequence();
        auto placed = unless(items, point, {777});
        REQUIRE_FALSE(placed);
        CHECK(log().next_sequence() == next);
        CHECK_FALSE(log().last_named(777));
        return std::move(placed.error());
    }
    void conflicts(const std::vector<item>& items, const after& point, sequence_number with) {
        const error why = refuses(items, point);
        CHECK(why.code == errc::conflict);
        CHECK(why.sequence == with);
        CHECK(why.reason == "an event after unless_condition::after matches");
    }

  private:
    [[nodiscard]] static writer_options options() {
        auto made = by_hand();
        made.segment_bytes = std::uint64_t{1} << 20;
        return made;
    }
};

}  // namespace

TEST_CASE("a condition without an event since holds") {
    judged_journal journal;
    journal.admits({{{7}}}, journal.log().point());
    journal.admits({{{7}}}, log_point{});
    journal.append({7});
    journal.admits({{{7}}}, journal.log().point());
    journal.admits({}, log_point{});
    journal.admits({{{}, {1}}}, journal.log().point());
    journal.append({7});
    journal.admits({{{7}}}, journal.read_point());
}

TEST_CASE("an event of the tag conflicts after the point and not before it") {
    judged_journal journal;
    const auto before = journal.log().point();
    const auto seven = journal.append({7});
    const auto behind = journal.log().point();
    journal.append({8});
    journal.conflicts({{{7}}}, before, seven);
    journal.conflicts({{{9}}, {{7}}}, before, seven);
    journal.admits({{{7}}}, behind);
    journal.admits({{{9}}}, before);
    const error why = journal.refuses({{{7}}}, before);
    CHECK(why.stream == 7);
    CHECK(why.batch_event == no_value);
}

TEST_CASE("every tag and one of the types must match") {
    judged_journal journal;
    const after start = GENERATE(false, true) ? after{journal.log().point()} : after{};
    journal.append({7, 9}, 3);
    journal.append({8}, 4);
    const auto both = journal.append({7, 8}, 4);
    journal.append({7}, 5);
    journal.append({8}, 5);
    journal.conflicts({{{7, 8}}}, start, both);
    journal.conflicts({{{7, 8}, {3, 4}}}, start, both);
    journal.admits({{{7, 8}, {3}}}, start);
    journal.admits({{{8, 9}}}, start);
    journal.conflicts({{{9}, {2, 3}}}, start, 0);
    journal.admits({{{9}, {4}}}, start);
    journal.conflicts({{{}, {4}}}, start, 1);
    journal.admits({{{}, {6}}}, start);
    journal.conflicts({{{}, {}}}, start, 0);
}

TEST_CASE("a tag that no event named before has one empty entry") {
    judged_journal journal;
    journal.append({7});
    journal.admits({{{8}}}, log_point{});
    journal.conflicts({{{7}}}, log_point{}, 0);
    SECTION("also after an open") {
        journal.reopen();
    }
    SECTION("also after a prune") {
        journal.fill_segment();
        journal.fill_segment();
        journal.close();
        REQUIRE(must(prune(journal.path(), {.keep_bytes = 0})).segments != 0);
        journal.open();
    }
    journal.conflicts({{{7}}}, log_point{}, 0);
    journal.admits({{{8}}}, log_point{});
}

TEST_CASE("events of earlier segments are looked at") {
    judged_journal journal;
    const auto start = journal.log().point();
    const auto both = journal.append({7, 8}, 3);
    const auto behind = journal.log().point();
    const log_point read = journal.read_point();
    journal.append({7}, 4);
    journal.append({8}, 5);
    journal.fill_segment();
    journal.append({7}, 4);
    journal.append({8}, 5);
    SECTION("through their indexes") {}
    SECTION("without them") {
        REQUIRE(std::filesystem::remove(journal.path() / "0000000000.idx"));
    }
    SECTION("although one is wrong") {
        auto index = must(detail::read_index(journal.path(), journal.log().id(), 0));
        REQUIRE(index.postings.size() == 4);
        ++index.postings[0];
        must(detail::write_index(journal.path(), index));
    }
    journal.conflicts({{{7, 8}}}, start, both);
    journal.conflicts({{{7}, {3}}}, log_point{}, both);
    journal.conflicts({{{}, {3}}}, start, both);
    journal.admits({{{7, 8}}}, behind);
    journal.admits({{{7, 8}}}, read);
    journal.admits({{{7}, {3}}}, read);
    journal.admits({{{}, {3}}}, behind);
    journal.conflicts({{{}, {4}}}, behind, both + 1);
}

TEST_CASE("more events than are looked at conflict") {
    judged_journal journal;
    const auto start = journal.log().point();
    const bool too_many = GENERATE(false, true);
    // One more is admitted in between.
    const std::uint64_t between = too_many ? most_events_judged + 1 : most_events_judged - 1;
    for (std::uint64_t i = 0; i < between; ++i)
        (void)must(journal.log().append({.type = 1, .tags = tag_set{7}}, {}));
    if (!too_many)
        journal.admits({{{}, {5}}}, start);
    journal.append({8});
    journal.append({7});
    // Events that name 8 lie no further on than the last of them.
    if (!too_many) {
        journal.admits({{{7, 8}}}, start);
        return;
    }
    for (const item& asked : {item{{7, 8}}, item{{}, {5}}}) {
        const error why = journal.refuses({asked}, start);
        CHECK(why.code == errc::conflict);
        CHECK(why.sequence == no_value);
        CHECK(why.limit == most_events_judged);
        CHECK(why.reason.find("too many events") != std::string_view::npos);
    }
    // One tag needs no look.
    journal.admits({{{9}}}, start);
    journal.conflicts({{{7}}}, start, between + 1);
}

TEST_CASE("events that were pruned conflict where they would have to be looked at") {
    judged_journal journal;
    journal.append({7}, 3);
    const log_point early = journal.read_point();
    journal.append({7}, 4);
    journal.append({8}, 4);
    journal.fill_segment();
    journal.fill_segment();
    journal.append({9});
    const log_point late = journal.read_point();
    journal.close();
    REQUIRE(must(prune(journal.path(), {.keep_bytes = 0})).segments != 0);
    journal.open();
    const error why = journal.refuses({{{7}, {5}}}, log_point{});
    CHECK(why.code == errc::conflict);
    CHECK(why.reason.find("pruned") != std::string_view::npos);
    CHECK(journal.refuses({{{7, 8}}}, log_point{}).code == errc::conflict);
    const error gone = journal.refuses({{{11}}}, early);
    CHECK(gone.code == errc::conflict);
    CHECK(gone.reason.find("pruned") != std::string_view::npos);
    journal.admits({{{7, 8}}, {{7}, {5}}}, late);
}

TEST_CASE("a point that is not in the log is diverged") {
    judged_journal journal;
    journal.append({7});
    const auto old = journal.log().point();
    const log_point read = journal.read_point();
    SECTION("of an earlier writer") {
        journal.reopen();
        CHECK(journal.refuses({{{8}}}, old).code == errc::diverged);
        journal.admits({{{8}}}, read);
    }
    SECTION("of no writer") {
        CHECK(journal.refuses({{{8}}}, writer_point{}).code == errc::diverged);
    }
    SECTION("behind the end") {
        auto later = read;
        ++later.next;
        CHECK(journal.refuses({{{8}}}, later).code == errc::diverged);
        CHECK(journal.refuses({}, later).code == errc::diverged);
    }
    SECTION("of other events") {
        auto other = read;
        other.frame_hash ^= 1;
        CHECK(journal.refuses({{{8}}}, other).code == errc::diverged);
        CHECK(journal.refuses({{{8}}}, log_point{0, 1, 1}).code == errc::diverged);
        // One that was looked up stands for itself alone.
        journal.admits({{{8}}}, read);
        CHECK(journal.refuses({{{8}}}, other).code == errc::diverged);
    }
    SECTION("of an event that was lost and whose sequence was given again") {
        journal.close();
        std::filesystem::remove_all(journal.path());
        journal.open();
        journal.append({7});
        CHECK(journal.refuses({{{8}}}, read).code == errc::diverged);
    }
}

TEST_CASE("conditions on tags are judged against the log before the batch") {
    judged_journal journal;
    const std::array<tag_id, 1> tag{7};
    const std::array items{tag_query{.tags = tag}};
    const unless_condition never{.items = items, .after = log_point{}};
    const tag_set tags{7};
    const event_header header{.type = 1, .tags = tags, .unless = &never};
    {
        auto together = must(journal.log().begin_batch(2, 200));
        (void)must(together.append(header, {}));
        CHECK(journal.log().point().next() == 0);
        (void)must(together.append(header, {}));
        (void)must(together.commit());
    }
    auto together = must(journal.log().begin_batch(2, 200));
    (void)must(together.append({.type = 1}, {}));
    const auto refused = together.append(header, {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::conflict);
    CHECK(refused.error().sequence == 1);
    CHECK(refused.error().batch_event == 1);
    CHECK(together.size() == 1);
    CHECK(together.reserve(header, 8).error().code == errc::conflict);
    together.abandon();
    CHECK(journal.log().reserve(header, 8).error().code == errc::conflict);
}

TEST_CASE("a point taken beside an open batch is before it") {
    judged_journal journal;
    journal.append({8});
    std::optional<writer_point> point;
    {
        auto together = must(journal.log().begin_batch(1, 100));
        (void)must(together.append({.type = 3, .tags = tag_set{7, 8}}, {}));
        point = journal.log().point();
        (void)must(together.commit());
    }
    journal.append({7});
    journal.append({8});
    journal.conflicts({{{7, 8}}}, *point, 1);
    journal.conflicts({{{7}, {3}}}, *point, 1);
}

TEST_CASE("a condition that asks for tag 0 is an invalid argument") {
    judged_journal journal;
    CHECK(journal.refuses({{{7}}, {{0}}}, log_point{}).code == errc::invalid_argument);
}
