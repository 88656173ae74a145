#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/sealed_segment.hpp>
#include <pawl/journal/writer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace {

pawl::writer journal_of(const pawl::test::temporary_directory& directory, std::uint64_t events) {
    auto log = pawl::writer::open(directory.path(),
                                  {.segment_bytes = 64 << 10, .sync = pawl::sync_policy::manual()});
    REQUIRE(log);
    std::array<std::byte, 100> payload{};
    for (std::uint64_t i = 0; i < events; ++i) {
        payload[0] = static_cast<std::byte>(i);
        REQUIRE(log->append({.type = 1, .stream = i % 3}, payload));
    }
    return std::move(*log);
}

}  // namespace

TEST_CASE("the sealed segments of a journal hold the events that a cursor yields", "[journal]") {
    pawl::test::temporary_directory directory;
    auto log = journal_of(directory, 2000);
    REQUIRE(log.close());

    auto all = pawl::cursor::open(directory.path(), {});
    REQUIRE(all);
    std::vector<pawl::sealed_segment> segments;
    std::uint64_t events = 0;
    for (std::uint64_t ordinal = 0; events < 2000; ++ordinal) {
        auto segment = pawl::sealed_segment::open(directory.path(), ordinal);
        REQUIRE(segment);
        CHECK(segment->first_sequence() == events);
        while (const pawl::event* e = segment->next()) {
            const pawl::event* same = all->next();
            REQUIRE(same != nullptr);
            CHECK(e->point() == same->point());
            CHECK(e->position() == same->position());
            CHECK(segment->at(e->position().offset).sequence() == e->sequence());
            ++events;
        }
        CHECK(segment->finish());
        CHECK(segment->end_sequence() == events);
        CHECK(segment->check_follows(segments.empty() ? nullptr : &segments.back()));
        segments.push_back(std::move(*segment));
    }
    CHECK(segments.size() > 3);
    CHECK_FALSE(segments[2].check_follows(&segments[0]));
    CHECK_FALSE(segments[1].check_follows(nullptr));
    CHECK_FALSE(segments[0].check_follows(&segments[1]));
}

TEST_CASE("the current segment is reported as not sealed, an absent one as missing", "[journal]") {
    pawl::test::temporary_directory directory;
    auto log = journal_of(directory, 10);
    const auto open = pawl::sealed_segment::open(directory.path(), 0);
    REQUIRE_FALSE(open);
    CHECK(open.error().code == pawl::errc::not_found);
    const auto none = pawl::sealed_segment::open(directory.path(), 99);
    REQUIRE_FALSE(none);
    CHECK(none.error().code == pawl::errc::missing_segment);
    REQUIRE(log.close());
    CHECK(pawl::sealed_segment::open(directory.path(), 0));
}
