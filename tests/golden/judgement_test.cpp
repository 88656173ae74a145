// Torn tail, damage or a missing segment: tests what recovery must not cut and must not ignore.
#include "odd_journal.hpp"
#include "open_outcome.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/journal.hpp>

using namespace golden;
using pawl::verify_at_open;

namespace {

constexpr std::array both_ways{verify_at_open::unsealed, verify_at_open::all};

[[nodiscard]] image complete_segment(std::uint64_t ordinal, std::uint64_t successor) {
    segment_image segment{plain_header(ordinal)};
    segment.add(event_frame(0));
    segment.add(successor == 0 ? end_frame(closed, 1, 0) : end_frame(rolled, 1, successor));
    return segment.whole();
}

}  // namespace

TEST_CASE("a used segment after an empty spare one counts as missing and is not deleted") {
    const odd_journal journal;
    journal.put(0, complete_segment(0, 0));
    journal.put(1, segment_image{plain_header(1)}.whole());
    // Whatever lies in the later segment: a whole event, or the rest of one.
    SECTION("with an event") {
        segment_image used{plain_header(2)};
        used.add(event_frame(0));
        journal.put(2, used.whole());
    }
    SECTION("with a scribble at its end") {
        segment_image used{plain_header(2)};
        used.scribble("x", 50'000);
        journal.put(2, used.whole());
    }
    for (const auto verify : both_ways) {
        const outcome opened = open_copy(journal.directory(), verify);
        CHECK(opened.end == "missing_segment");
        CHECK(opened.failure.file.ends_with("0000000001.seg"));
        const auto report = pawl::recover(journal.directory(), {.dry_run = true, .verify = verify});
        REQUIRE_FALSE(report.has_value());
        CHECK(report.error().code == pawl::errc::missing_segment);
    }
    CHECK_FALSE(pawl::verify(journal.directory())->sound());
}

TEST_CASE("spare segments after a clean end are removed, with or without a gap between them") {
    for (const std::uint64_t second_spare : {2, 3}) {
        const odd_journal journal;
        journal.put(0, complete_segment(0, 0));
        journal.put(1, segment_image{plain_header(1)}.whole());
        journal.put(second_spare, segment_image{plain_header(second_spare)}.whole());
        for (const auto verify : both_ways) {
            const outcome opened = open_copy(journal.directory(), verify);
            CHECK(opened.end == "closed");
            CHECK(opened.events == 1);
        }
        CHECK(pawl::verify(journal.directory())->sound());
    }
}

TEST_CASE("a cleanly closed journal that the control file proves longer lacks a segment") {
    // The watermark itself, and one above and below it.
    for (const std::uint64_t watermark : {0, 1, 2, 200}) {
        INFO("watermark " << watermark);
        const odd_journal journal{watermark};
        journal.put(0, complete_segment(0, 0));
        const std::string end = watermark <= 1 ? "closed" : "missing_segment";
        const outcome read = read_all(journal);
        CHECK(read.events == 1);
        CHECK(read.end == end);
        if (watermark > 1)
            CHECK(read.failure.sequence == 1);
        for (const auto verify : both_ways) {
            const outcome opened = open_copy(journal.directory(), verify);
            CHECK(opened.end == end);
            if (watermark > 1) {
                CHECK(opened.failure.file.ends_with("0000000001.seg"));
                CHECK(opened.failure.sequence == 1);
            }
        }
        CHECK(pawl::verify(journal.directory())->sound() == (watermark <= 1));
    }
}

TEST_CASE("a journal without any segment lacks them if the control file proves an event") {
    for (const std::uint64_t watermark : {0, 1}) {
        const odd_journal journal{watermark};
        const std::string missing = "missing_segment";
        CHECK(read_all(journal).end == (watermark == 0 ? "open" : missing));
        for (const auto verify : both_ways)
            CHECK(open_copy(journal.directory(), verify).end ==
                  (watermark == 0 ? "closed" : missing));
        CHECK(pawl::verify(journal.directory())->sound() == (watermark == 0));
    }
}

TEST_CASE("a segment further on that is sealed proves that a hole is damage") {
    for (const bool sealed : {false, true}) {
        INFO("sealed " << sealed);
        const odd_journal journal;
        // No event: nothing here or there proves a watermark by itself.
        segment_image holed{plain_header(0)};
        holed.scribble("no frame", 8192);
        journal.put(0, holed.whole());
        segment_image later{plain_header(1)};
        const auto end = later.add(end_frame(closed, 0, 0));
        journal.put(1, later.whole());
        if (sealed) {
            journal.put("0000000001.idx", encode_index({.journal = id,
                                                        .ordinal = 1,
                                                        .epoch = epoch + 1,
                                                        .first_sequence = 0,
                                                        .end_sequence = 0,
                                                        .end_offset = end,
                                                        .end_hash = later.hash_at(end),
                                                        .end_type = closed,
                                                        .min_timestamp_ns = created_ns,
                                                        .max_timestamp_ns = created_ns,
                                                        .marks = {{0, 8192, 0}},
                                                        .streams = {},
                                                        .types = {}}));
        }
        const outcome opened = open_copy(journal.directory(), verify_at_open::all);
        CHECK(opened.end == (sealed ? "damaged" : "torn"));
        if (sealed)
            CHECK(opened.failure.detail.find("an index proves") != std::string::npos);
    }
}
