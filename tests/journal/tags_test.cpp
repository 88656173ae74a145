// Tags: numbers besides its stream that an event names.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"
#include "store/index_file.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/journal.hpp>
#include <pawl/journal/metadata.hpp>
#include <pawl/journal/tags.hpp>

#include <array>
#include <string>
#include <vector>

using namespace pawl;
using namespace pawl::test;

namespace {

constexpr metadata_tag own_tag{0x8001};

using numbers = std::vector<std::uint64_t>;

[[nodiscard]] numbers tags_of(const event& e) {
    numbers tags;
    for (std::size_t i = 0; i < e.metadata().tags().size(); ++i)
        tags.push_back(e.metadata().tags()[i]);
    return tags;
}

[[nodiscard]] std::vector<std::uint16_t> entries_of(const event& e) {
    std::vector<std::uint16_t> entries;
    e.metadata().for_each([&](const metadata_entry& entry) {
        entries.push_back(static_cast<std::uint16_t>(entry.tag));
    });
    return entries;
}

class tagged_journal {
  public:
    [[nodiscard]] std::filesystem::path path() const { return home_.path() / "j"; }
    [[nodiscard]] result<receipt> append(const tag_set& tags,
                                         std::span<const metadata_entry> metadata = {}) {
        return log.append({.type = 1, .stream = 5, .metadata = metadata, .tags = tags},
                          bytes_of("event"));
    }
    [[nodiscard]] detail::segment_index index() const {
        return must(detail::read_index(path(), id, 0));
    }

  private:
    temporary_directory home_;

  public:
    writer log = must(writer::open(path(), small_segments()));
    journal_id id = log.id();
};

}  // namespace

TEST_CASE("a set of tags ascends and holds each once") {
    constexpr tag_set tags{9, 3, 9, 7};
    STATIC_REQUIRE(tags.size() == 3);
    STATIC_REQUIRE(tags.is_valid());
    STATIC_REQUIRE(tags.contains(7));
    STATIC_REQUIRE_FALSE(tags.contains(8));
    CHECK(numbers(tags.begin(), tags.end()) == numbers{3, 7, 9});
    CHECK(tag_set{}.empty());
    CHECK_FALSE(tag_set{4, 0}.is_valid());
    tag_set many;
    for (tag_id tag = max_tags; tag != 0; --tag)
        many.add(tag);
    CHECK(many.is_valid());
    many.add(1);
    CHECK(many.is_valid());
    many.add(max_tags + 1);
    CHECK_FALSE(many.is_valid());
    many.add(max_tags + 2);
    CHECK(many.size() == max_tags + 1);
}

TEST_CASE("tags come back from every way to append") {
    tagged_journal journal;
    writer& log = journal.log;
    const tag_set tags{9, 7};
    const event_header header{.type = 1, .stream = 5, .tags = tags};
    const auto placed = must(log.append(header, bytes_of("single")));
    CHECK(tags_of(log.appended(placed)) == numbers{7, 9});
    {
        auto room = must(log.reserve(header, 100));
        std::memcpy(room.payload().data(), "reserved", 8);
        (void)must(room.commit(8));
    }
    {
        auto together = must(log.begin_batch(3, 3 * (tag_bytes(2) + 8)));
        (void)must(together.append(header, bytes_of("first")));
        (void)must(together.append({.type = 1, .stream = 5}, bytes_of("second")));
        auto room = must(together.reserve(header, 8));
        std::memcpy(room.payload().data(), "third", 5);
        (void)must(room.commit(5));
        (void)must(together.commit());
    }
    must(log.close());
    auto events = must(cursor::open(journal.path()));
    std::vector<std::string> texts;
    (void)must(events.for_each([&](const event& e) {
        texts.push_back(text_of(e));
        CHECK(tags_of(e) == (text_of(e) == "second" ? numbers{} : numbers{7, 9}));
    }));
    CHECK(texts == std::vector<std::string>{"single", "reserved", "first", "second", "third"});
    CHECK(must(verify(journal.path(), {.deep = true})).findings.empty());
}

TEST_CASE("tags stand among the other metadata where the order of entries wants them") {
    tagged_journal journal;
    const metadata_entry actor{metadata_tag::actor, bytes_of("Ada")};
    const metadata_entry own{own_tag, bytes_of("own")};
    const metadata_entry subjects{metadata_tag::subjects, bytes_of("12345678")};
    const auto placed = [&](std::vector<metadata_entry> metadata) {
        const event e = journal.log.appended(must(journal.append(tag_set{3}, metadata)));
        CHECK(tags_of(e) == numbers{3});
        CHECK(text_of(e) == "event");
        return entries_of(e);
    };
    using order = std::vector<std::uint16_t>;
    CHECK(placed({}) == order{7});
    CHECK(placed({actor}) == order{5, 7});
    CHECK(placed({subjects}) == order{7, 8});
    CHECK(placed({own}) == order{7, 0x8001});
    CHECK(placed({own, actor, own, subjects, own}) == order{0x8001, 5, 7, 0x8001, 8, 0x8001});
}

TEST_CASE("tags that break a rule are refused before anything changes") {
    tagged_journal journal;
    const auto refusal = [&](const tag_set& tags, std::span<const metadata_entry> metadata = {}) {
        const auto placed = journal.append(tags, metadata);
        REQUIRE_FALSE(placed);
        CHECK(
            journal.log.reserve({.type = 1, .metadata = metadata, .tags = tags}, 8).error().code ==
            placed.error().code);
        return placed.error().code;
    };
    tag_set many;
    for (tag_id tag = 1; tag <= max_tags; ++tag)
        many.add(tag);
    CHECK(journal.append(many).has_value());
    many.add(max_tags + 1);
    CHECK(refusal(many) == errc::invalid_argument);
    CHECK(refusal(tag_set{0}) == errc::invalid_argument);
    CHECK(refusal(tag_set{0, 1}) == errc::invalid_argument);
    for (const numbers& wrong : {numbers{2, 1}, numbers{2, 2}, numbers(17, 1), numbers{0}}) {
        const metadata_entry as_entry{metadata_tag::tags, std::as_bytes(std::span{wrong})};
        CHECK(refusal({}, std::span{&as_entry, 1}) == errc::invalid_argument);
    }
    const numbers raw{4, 8};
    const std::array entries{metadata_entry{metadata_tag::tags, std::as_bytes(std::span{raw})}};
    CHECK(refusal(tag_set{4}, entries) == errc::invalid_argument);
    CHECK(tags_of(journal.log.appended(must(journal.append({}, entries)))) == raw);
    CHECK(journal.log.next_sequence() == 2);
}

TEST_CASE("an index lists the events that name a tag") {
    tagged_journal journal;
    std::vector<std::uint64_t> with_seven;
    std::vector<std::uint64_t> with_nine;
    const auto note = [](std::vector<std::uint64_t>& list, const result<receipt>& placed) {
        list.push_back(must(placed).position.offset);
    };
    note(with_seven, journal.append(tag_set{7}));
    (void)must(journal.append({}));
    note(with_nine, journal.append(tag_set{9, 7}));
    with_seven.push_back(with_nine.back());
    const numbers raw{7};
    const std::array entries{metadata_entry{metadata_tag::tags, std::as_bytes(std::span{raw})}};
    note(with_seven, journal.append({}, entries));
    must(journal.log.close());
    auto index = must(detail::index_file::open(journal.path(), journal.id, 0));
    CHECK(must(index.find_tag(7)) == with_seven);
    CHECK(must(index.find_tag(9)) == with_nine);
    for (const tag_id other : {tag_id{1}, tag_id{8}, tag_id{10}, ~tag_id{0}})
        CHECK(must(index.find_tag(other)).empty());
    CHECK(must(verify(journal.path(), {.deep = true})).findings.empty());
}

TEST_CASE("an index of a segment without tags has no section for them") {
    tagged_journal journal;
    (void)must(journal.append({}));
    must(journal.log.close());
    CHECK(journal.index().header.sections == 4);
    auto index = must(detail::index_file::open(journal.path(), journal.id, 0));
    CHECK(must(index.find_tag(7)).empty());
}

TEST_CASE("verify finds an index whose tags are not those of the log") {
    tagged_journal journal;
    (void)must(journal.append(tag_set{7}));
    (void)must(journal.append(tag_set{7, 9}));
    must(journal.log.close());
    auto index = journal.index();
    REQUIRE(index.tags.size() == 2);
    REQUIRE(index.postings.size() == 3);
    SECTION("another tag") {
        index.tags[1].tag = 10;
    }
    SECTION("a tag less") {
        index.tags.pop_back();
        index.postings.pop_back();
    }
    SECTION("no tags") {
        index.tags.clear();
        index.postings.clear();
    }
    SECTION("another posting") {
        index.postings[2] = index.postings[0];
    }
    SECTION("postings in another order") {
        std::swap(index.postings[0], index.postings[1]);
    }
    SECTION("more postings than there are") {
        index.tags[1].postings = 2;
    }
    SECTION("a tag without a posting") {
        index.tags[0].postings = 3;
        index.tags[1] = {9, 3, 0};
    }
    SECTION("a posting behind the end of the segment") {
        index.postings[2] = 1 << 20;
    }
    must(detail::write_index(journal.path(), index));
    const auto report = must(verify(journal.path(), {.deep = true}));
    REQUIRE_FALSE(report.findings.empty());
    CHECK(report.findings[0].what.file.ends_with(".idx"));
}

TEST_CASE("a lookup does not follow a tag out of its index") {
    tagged_journal journal;
    (void)must(journal.append(tag_set{7}));
    (void)must(journal.append(tag_set{7, 9}));
    must(journal.log.close());
    auto index = journal.index();
    tag_id wrong = 9;
    SECTION("to postings that are not there") {
        index.tags[1].first = 0xffffffff;
    }
    SECTION("to more postings than there are") {
        index.tags[1].postings = 0xffffffff;
    }
    SECTION("to the headers") {
        index.postings[2] = 8;
    }
    SECTION("to a place behind the end") {
        index.postings[2] = 1 << 20;
    }
    SECTION("backwards") {
        index.postings[1] = index.postings[0];
        wrong = 7;
    }
    must(detail::write_index(journal.path(), index));
    auto file = must(detail::index_file::open(journal.path(), journal.id, 0));
    const auto found = file.find_tag(wrong);
    REQUIRE_FALSE(found);
    CHECK(found.error().code == errc::damaged);
}
