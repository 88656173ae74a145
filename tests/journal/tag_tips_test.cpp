// The writer knows for each tag the last event that names it, whatever happened since.
#include "journal_support.hpp"
#include "reopened_journal.hpp"
#include "store/heads_file.hpp"
#include "store/retained.hpp"
#include "store/segment_index.hpp"
#include "support/rewrite_heads.hpp"

#include <pawl/journal/journal.hpp>
#include <pawl/journal/prune.hpp>
#include <pawl/journal/tags.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

using namespace pawl;
using namespace pawl::test;

namespace {

// A journal, and what its writer must know.
class tipped_journal : public reopened_journal {
  public:
    explicit tipped_journal(const writer_options& options = by_hand())
        : reopened_journal{options} {}

    sequence_number append(const tag_set& tags) {
        const auto placed =
            must(log().append({.type = 1, .stream = 5, .tags = tags}, bytes_of("event")));
        for (const tag_id tag : tags)
            expected_[tag] = placed.sequence;
        must(log().poll());
        return placed.sequence;
    }
    // With events that name no tag.
    void fill_segment() { reopened_journal::fill_segment({.type = 1, .stream = 6}, 4000); }
    void check() {
        for (const auto& [tag, sequence] : expected_)
            CHECK(log().last_named(tag) == sequence);
        CHECK_FALSE(log().last_named(424242));
    }
    void check_sound() {
        const auto report = must(verify(path(), {.deep = true}));
        CHECK(report.findings.empty());
    }

  private:
    std::map<tag_id, sequence_number> expected_;
};

}  // namespace

TEST_CASE("the last event of a tag is known while the writer lives") {
    tipped_journal journal;
    CHECK_FALSE(journal.log().last_named(7));
    journal.append({7});
    journal.append({8, 9});
    journal.append({7, 9});
    journal.append({});
    journal.check();
    // The stream with a tag's number is another thing.
    CHECK_FALSE(journal.log().last_named(5));
    CHECK(journal.log().version(7) == 0);
}

TEST_CASE("the last event of a tag is known after an open") {
    tipped_journal journal;
    journal.append({7, 8});
    SECTION("that finds only the tail of a writer that died") {
        journal.append({7});
        journal.crash();
        journal.open();
        journal.check();
    }
    SECTION("that finds indexes and no heads") {
        journal.fill_segment();
        journal.append({7, 9});
        journal.close();
        std::filesystem::remove(journal.path() / "streams");
        journal.open();
        journal.check();
    }
    SECTION("that finds neither indexes nor heads") {
        journal.fill_segment();
        journal.append({9});
        journal.close();
        std::filesystem::remove(journal.path() / "streams");
        std::filesystem::remove(journal.path() / "0000000000.idx");
        std::filesystem::remove(journal.path() / "0000000001.idx");
        journal.open();
        journal.check();
    }
    SECTION("that finds heads, and later segments") {
        journal.reopen();
        journal.append({8, 10});
        journal.crash();
        journal.open();
        journal.append({10});
        journal.reopen();
        journal.check();
    }
    journal.close();
    journal.check_sound();
}

TEST_CASE("a writer that builds heads again believes the log and not a wrong index of tags") {
    tipped_journal journal;
    journal.append({7});
    journal.append({7, 8});
    journal.close();
    auto index = must(detail::read_index(journal.path(), journal.id(), 0));
    REQUIRE(index.tags.size() == 2);
    REQUIRE(index.postings.size() == 3);
    SECTION("another tag") {
        index.tags[1].tag = 9;
    }
    SECTION("another place") {
        ++index.postings[1];
    }
    SECTION("an event that does not name the tag") {
        index.postings[2] = index.postings[0];
    }
    must(detail::write_index(journal.path(), index));
    std::filesystem::remove(journal.path() / "streams");
    journal.open();
    journal.check();
    CHECK_FALSE(journal.log().last_named(9));
}

TEST_CASE("heads hold the tags at the end of their segment") {
    tipped_journal journal;
    journal.append({7, 8});
    journal.append({8});
    journal.close();
    const auto heads = must(detail::read_heads(journal.path(), journal.id()));
    CHECK(heads.tags.used() == 2);
    REQUIRE(heads.tags.find(8) != nullptr);
    CHECK(heads.tags.find(7)->version == 1);
    CHECK(heads.tags.find(8)->version == 2);
    auto wrong = must(detail::read_heads(journal.path(), journal.id()));
    SECTION("verify finds one that names another event") {
        wrong.tags.find(8)->version = 1;
        must_rewrite_heads(journal.path(), journal.id(), wrong);
        const auto report = must(verify(journal.path(), {.deep = true}));
        REQUIRE(report.findings.size() == 1);
        CHECK(report.findings[0].what.detail ==
              "the events that name tag 8 end before sequence 2 in the log but before 1 in the "
              "heads");
    }
    SECTION("verify finds one that is missing") {
        wrong.tags.erase(7);
        must_rewrite_heads(journal.path(), journal.id(), wrong);
        const auto report = must(verify(journal.path(), {.deep = true}));
        REQUIRE(report.findings.size() == 1);
        CHECK(report.findings[0].what.detail == "tag 7 is in the log but not in the heads");
    }
}

TEST_CASE("a batch moves its tags when it is committed, and not before") {
    tipped_journal journal;
    journal.append({7});
    writer& log = journal.log();
    const tag_set tags{7, 8};
    const event_header header{.type = 1, .tags = tags};
    {
        auto together = must(log.begin_batch(2, 200));
        (void)must(together.append(header, bytes_of("first")));
        CHECK(log.last_named(7) == 0);
        CHECK_FALSE(log.last_named(8));
        SECTION("committed") {
            (void)must(together.append({.type = 1, .tags = tag_set{8}}, bytes_of("second")));
            (void)must(together.commit());
            CHECK(log.last_named(7) == 1);
            CHECK(log.last_named(8) == 2);
        }
        SECTION("abandoned") {
            together.abandon();
            CHECK(log.last_named(7) == 0);
            CHECK_FALSE(log.last_named(8));
        }
        SECTION("an event that is refused after its tags were admitted") {
            const auto refused = together.append(
                {.type = 1, .stream = 9, .expected = expect::exactly(3), .tags = tag_set{8, 10}},
                bytes_of("second"));
            CHECK(refused.error().code == errc::conflict);
            (void)must(together.commit());
            CHECK(log.last_named(8) == 1);
            CHECK_FALSE(log.last_named(10));
        }
    }
    const auto placed = must(log.append(header, bytes_of("later")));
    CHECK(log.last_named(8) == placed.sequence);
}

TEST_CASE("a reservation moves its tags when it is committed, and not before") {
    tipped_journal journal;
    writer& log = journal.log();
    {
        auto room = must(log.reserve({.type = 1, .tags = tag_set{7, 8}}, 8));
        CHECK_FALSE(log.last_named(7));
        SECTION("abandoned") {
            room.abandon();
            CHECK_FALSE(log.last_named(7));
            (void)must(log.append({.type = 1, .tags = tag_set{8}}, {}));
            CHECK(log.last_named(8) == 0);
        }
        SECTION("committed") {
            (void)must(room.commit(3));
            CHECK(log.last_named(7) == 0);
            CHECK(log.last_named(8) == 0);
        }
    }
    auto together = must(log.begin_batch(2, 200));
    (void)must(together.append({.type = 1, .tags = tag_set{11}}, {}));
    {
        auto room = must(together.reserve({.type = 1, .tags = tag_set{11, 12}}, 8));
        room.abandon();
    }
    const auto last = must(together.commit());
    CHECK(log.last_named(11) == last.sequence);
    CHECK_FALSE(log.last_named(12));
}

TEST_CASE("tags keep their last events while their table grows") {
    auto options = by_hand();
    options.segment_bytes = std::uint64_t{4} << 20;
    SECTION("one event at a time") {
        tipped_journal journal{options};
        for (tag_id tag = 1; tag <= 6000; ++tag)
            journal.append({tag, tag / 2 + 1, tag + 100'000});
        journal.check();
        journal.reopen();
        journal.check();
        journal.close();
        journal.check_sound();
    }
    SECTION("inside a batch, abandoned and again") {
        tipped_journal journal{options};
        writer& log = journal.log();
        for (const bool commits : {false, true}) {
            auto together = must(log.begin_batch(2000, 100'000));
            for (tag_id tag = 1; tag <= 2000; ++tag) {
                auto added = together.append({.type = 1, .tags = tag_set{tag, 2500 - tag}}, {});
                while (!added) {
                    REQUIRE(added.error().code == errc::back_pressure);
                    CHECK(added.error().reason == "the table of tags is growing");
                    must(log.poll());
                    added = together.append({.type = 1, .tags = tag_set{tag, 2500 - tag}}, {});
                }
            }
            CHECK_FALSE(log.last_named(1));
            if (commits)
                (void)must(together.commit());
        }
        for (tag_id tag = 1; tag < 2500; ++tag) {
            const tag_id other = 2500 - tag;
            const auto last = std::max(tag <= 2000 ? tag : 0, other <= 2000 ? other : 0);
            CHECK(log.last_named(tag) == last - 1);
        }
    }
}

TEST_CASE("the last event of a tag outlives a prune") {
    tipped_journal journal;
    journal.append({7, 8});
    journal.fill_segment();
    journal.append({8, 9});
    journal.fill_segment();
    journal.append({10});
    journal.close();
    const auto report = must(prune(journal.path(), {.keep_bytes = 0}));
    REQUIRE(report.segments >= 2);
    const auto kept = must(detail::read_retained(journal.path(), journal.id()));
    REQUIRE(kept);
    CHECK(kept->tags.size() == 3);
    SECTION("with the heads there were") {}
    SECTION("without") {
        std::filesystem::remove(journal.path() / "streams");
    }
    SECTION("and a second prune") {
        journal.open();
        journal.append({11});
        journal.fill_segment();
        journal.fill_segment();
        journal.close();
        REQUIRE(must(prune(journal.path(), {.keep_bytes = 0})).segments != 0);
    }
    journal.open();
    journal.check();
    journal.close();
    journal.check_sound();
}

TEST_CASE("a copy keeps the tags of its original") {
    tipped_journal journal;
    journal.append({7, 8});
    journal.append({8});
    const journal_id origin = journal.log().id();
    journal.close();
    const auto copied = journal.path().parent_path() / "copy";
    auto options = by_hand();
    options.origin = origin;
    options.clock = clock_source::caller;
    auto copy = must(writer::open(copied, options));
    auto events = must(cursor::open(journal.path()));
    (void)must(events.for_each([&](const event& e) {
        std::vector<metadata_entry> entries;
        e.metadata().for_each([&](const metadata_entry& entry) { entries.push_back(entry); });
        (void)must(copy.append({.type = e.type(),
                                .stream = e.stream(),
                                .timestamp_ns = e.timestamp_ns(),
                                .metadata = entries},
                               e.payload()));
    }));
    CHECK(copy.last_named(7) == 0);
    CHECK(copy.last_named(8) == 1);
    must(copy.close());
    CHECK(must(writer::open(copied, options)).last_named(8) == 1);
}
