// Tests how a reader treats every kind of bytes in place of a frame: FORMAT.md §13, first table.
#include "odd_journal.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/journal.hpp>
#include <pawl/journal/writer.hpp>

#include <functional>

using namespace golden;

namespace {

// One whole event, then `more`, in a segment of its own.
void put_behind_first(const odd_journal& journal, const std::function<void(segment_image&)>& more) {
    segment_image segment{plain_header()};
    segment.add(event_frame(0));
    more(segment);
    journal.put(0, segment.whole());
}

struct hole {
    const char* what;
    std::function<void(segment_image&)> put;
};

// A frame with one field changed and, if the hash covers the field, the hash recomputed.
hole changed(const char* what, const std::function<void(frame_fields&)>& change) {
    return {what, [change](segment_image& segment) {
                frame_fields frame = event_frame(1);
                change(frame);
                segment.add(frame);
            }};
}

std::vector<hole> all_holes() {
    const auto with_word = [](std::uint64_t word) {
        return [word](segment_image& segment) {
            image frame = encode_frame(event_frame(1), epoch, second);
            frame.u64(0, word);
            segment.scribble(frame.bytes());
        };
    };
    const std::uint64_t type_bits = std::uint64_t{1} << 32;
    return {
        {"no frame", [](segment_image&) {}},
        {"a frame shorter than its header", with_word(55 | type_bits)},
        {"a frame longer than the segment", with_word(0xffffff | type_bits)},
        {"another commit word than the hashed one", with_word(63 | type_bits)},
        {"a wrong hash",
         [](segment_image& segment) {
             image frame = encode_frame(event_frame(1), epoch, second);
             frame.u64(8, frame.u64(8) ^ 1);
             segment.scribble(frame.bytes());
         }},
        {"the frame of another epoch",
         [](segment_image& segment) {
             segment.scribble(encode_frame(event_frame(1), epoch + 1, second).bytes());
         }},
        {"the frame of another place",
         [](segment_image& segment) {
             segment.scribble(encode_frame(event_frame(1), epoch, second + 8).bytes());
         }},
        {"padding that is not what was hashed",
         [](segment_image& segment) {
             frame_fields frame = event_frame(1);
             frame.payload = "odd";
             image bytes = encode_frame(frame, epoch, second);
             bytes.u16(62, 0x100);
             segment.scribble(bytes.bytes());
         }},
        changed("the first sequence again", [](auto& frame) { frame.sequence = 0; }),
        changed("a sequence too far",
                [](auto& frame) {
                    frame.sequence = 2;
                    frame.witness = 1;
                }),
        changed("a watermark that cannot be", [](auto& frame) { frame.witness = 2; }),
        changed("the middle of a batch", [](auto& frame) { frame.flags = batch_middle; }),
        changed("the last of a batch", [](auto& frame) { frame.flags = batch_last; }),
        changed("the first of a batch alone", [](auto& frame) { frame.flags = batch_first; }),
        {"a batch that does not go on as one",
         [](segment_image& segment) {
             frame_fields frame = event_frame(1);
             frame.flags = batch_first;
             segment.add(frame);
             frame_fields next = event_frame(2);
             next.witness = 1;
             segment.add(next);
         }},
    };
}

// Whole frames that version 1 does not have.
std::vector<hole> all_newer() {
    return {
        changed("two batch flags", [](auto& frame) { frame.flags = batch_first | batch_last; }),
        changed("a system frame in a batch",
                [](auto& frame) { frame.flags = system_flag | batch_last; }),
        changed("a system frame with metadata",
                [](auto& frame) { frame.flags = system_flag | 0x10; }),
        changed("an unknown system type",
                [](auto& frame) {
                    frame.flags = system_flag;
                    frame.type = 99;
                }),
        changed("an end of the wrong size",
                [](auto& frame) {
                    frame.flags = system_flag;
                    frame.type = closed;
                }),
        changed("a name without bytes",
                [](auto& frame) {
                    frame.flags = system_flag;
                    frame.type = stream_name;
                    frame.payload = "";
                }),
        changed("a description too short for a name",
                [](auto& frame) {
                    frame.flags = system_flag;
                    frame.type = description;
                    frame.payload = std::string(15, '\0');
                }),
        {"a batch whose second frame has unknown flags",
         [](segment_image& segment) {
             frame_fields frame = event_frame(1);
             frame.flags = batch_first;
             segment.add(frame);
             frame_fields next = event_frame(2);
             next.flags = batch_last | batch_middle;
             segment.add(next);
         }},
    };
}

}  // namespace

TEST_CASE("a hole is a torn tail if nothing proves that more was durable") {
    for (const hole& kind : all_holes()) {
        INFO(kind.what);
        const odd_journal journal{1};
        put_behind_first(journal, kind.put);
        const outcome seen = read_all(journal);
        CHECK(seen.events == 1);
        CHECK(seen.end == "torn");
        const auto report = pawl::verify(journal.directory());
        REQUIRE(report.has_value());
        CHECK(report->sound());
        CHECK(report->end == pawl::end_of_journal::torn);
    }
}

TEST_CASE("the same hole is damage if the control file proves that more was durable") {
    for (const hole& kind : all_holes()) {
        INFO(kind.what);
        const odd_journal journal{2};
        put_behind_first(journal, kind.put);
        const outcome seen = read_all(journal);
        CHECK(seen.events == 1);
        CHECK(seen.end == "damaged");
        CHECK(seen.failure.offset == second);
        CHECK(seen.failure.sequence == 1);
        const auto report = pawl::verify(journal.directory());
        REQUIRE(report.has_value());
        CHECK_FALSE(report->sound());
    }
}

TEST_CASE("the same hole is damage if a later frame proves that more was durable") {
    for (const hole& kind : all_holes()) {
        INFO(kind.what);
        const odd_journal journal{1};
        put_behind_first(journal, [&](segment_image& segment) {
            kind.put(segment);
            frame_fields witness = event_frame(9);
            witness.witness = 7;  // 2 was durable
            segment.scribble(encode_frame(witness, epoch, segment.next_offset() + 512).bytes(),
                             512);
        });
        const outcome seen = read_all(journal);
        CHECK(seen.events == 1);
        CHECK(seen.end == "damaged");
        CHECK(seen.failure.offset == second);
    }
}

TEST_CASE("a later frame that proves only the existing events leaves the tail torn") {
    const odd_journal journal{1};
    put_behind_first(journal, [&](segment_image& segment) {
        frame_fields witness = event_frame(9);
        witness.witness = 8;  // 1 was durable
        segment.scribble(encode_frame(witness, epoch, second + 512).bytes(), 512);
    });
    CHECK(read_all(journal).end == "torn");
}

TEST_CASE("an event with an unknown encoding is malformed") {
    const odd_journal journal;
    put_behind_first(journal, [](segment_image& segment) {
        frame_fields frame = event_frame(1);
        frame.flags = 0x20;
        segment.add(frame);
    });
    const outcome seen = read_all(journal);
    CHECK(seen.events == 1);
    CHECK(seen.end == "malformed");
    CHECK(seen.failure.offset == second);
}

TEST_CASE("metadata is skipped unless it is critical or does not fit") {
    const auto entry = [](std::uint16_t flags, std::uint32_t bytes) {
        image made{16};
        made.u16(0, 0x8077);
        made.u16(2, flags);
        made.u32(4, bytes);
        made.text(8, "abc");
        return made.bytes();
    };
    const auto read = [](const std::string& payload) {
        const odd_journal journal;
        put_behind_first(journal, [&](segment_image& segment) {
            frame_fields frame = event_frame(1);
            frame.flags = 0x10;
            frame.payload = payload;
            segment.add(frame);
        });
        return read_all(journal).end;
    };
    CHECK(read(entry(2, 3) + "payload") == "torn");
    CHECK(read(entry(0, 3) + entry(2, 3) + "payload") == "torn");
    CHECK(read(entry(2, 3)) == "torn");
    CHECK(read(entry(1 | 2, 3) + "payload") == "malformed");
    CHECK(read(entry(0, 3) + "payload") == "malformed");
    CHECK(read(entry(2, 100)) == "malformed");
    CHECK(read("") == "malformed");

    const odd_journal journal;
    segment_image segment{plain_header()};
    frame_fields frame = event_frame(0);
    frame.flags = 0x10;
    frame.payload = entry(0, 3) + entry(2, 8) + "payload";
    segment.add(frame);
    journal.put(0, segment.whole());
    auto events = pawl::cursor::open(journal.directory());
    REQUIRE(events.has_value());
    const pawl::event* e = events->next();
    REQUIRE(e != nullptr);
    CHECK(e->metadata().bytes().size() == 32);
    CHECK(e->payload().size() == 7);
}

TEST_CASE(
    "an event whose standard metadata breaks a rule is malformed, and is sealed all the same") {
    const std::string id(16, 'i');
    const std::string one{"\x01\0\0\0\0\0\0\0", 8};
    const std::string two{"\x02\0\0\0\0\0\0\0", 8};
    std::string seventeen;
    for (char i = 1; i <= 17; ++i)
        seventeen += std::string{i} + std::string(7, '\0');
    struct attempt {
        std::vector<metadata_fields> entries;
        bool sound;
    };
    const std::vector<attempt> attempts{
        {{{1, id + one}, {2, id}, {3, id}, {6, one}, {7, one + two}, {8, two + one}}, true},
        {{{2, id, true}}, true},
        {{{77, "kept for later"}, {0x8000, "own"}, {78, ""}, {0x8000, "own"}}, true},
        {{{7, seventeen.substr(0, 16 * 8)}}, true},
        {{{2, id}, {2, id}}, false},
        {{{3, id}, {2, id}}, false},
        {{{3, id}, {0x8001, ""}, {2, id}}, false},
        {{{0, ""}}, false},
        {{{77, "", true}}, false},
        {{{0x8001, "", true}}, false},
        {{{1, id}}, false},
        {{{2, one}}, false},
        {{{3, id + "x"}}, false},
        {{{4, id + one}}, false},
        {{{6, ""}}, false},
        {{{7, ""}}, false},
        {{{7, one + one}}, false},
        {{{7, two + one}}, false},
        {{{7, std::string(8, '\0')}}, false},
        {{{7, one + "x"}}, false},
        {{{7, seventeen}}, false},
        {{{8, ""}}, false},
        {{{8, "seven b"}}, false},
    };
    for (const attempt& each : attempts) {
        INFO("attempt " << &each - attempts.data());
        const odd_journal journal;
        put_behind_first(journal, [&](segment_image& segment) {
            frame_fields frame = event_frame(1);
            frame.flags = 0x10;
            frame.metadata = encode_metadata(each.entries);
            segment.add(frame);
            frame_fields next = event_frame(2);
            next.back = static_cast<std::uint32_t>(8 + frame.metadata.size() / 8);
            segment.add(next);
        });
        const outcome seen = read_all(journal);
        CHECK(seen.end == (each.sound ? "torn" : "malformed"));
        CHECK(seen.events == (each.sound ? 3 : 1));
        // What an application or a newer program got wrong must not keep the journal from opening.
        REQUIRE(pawl::recover(journal.directory()).has_value());
        const auto info = pawl::inspect(journal.directory());
        REQUIRE(info.has_value());
        CHECK(info->segments.front().sealed);
        CHECK(info->segments.front().end_sequence == 3);
    }
}

TEST_CASE("a whole frame that this version does not know is never a hole") {
    for (const hole& kind : all_newer()) {
        INFO(kind.what);
        const odd_journal journal{1};
        put_behind_first(journal, kind.put);
        const outcome seen = read_all(journal);
        CHECK(seen.events == 1);
        CHECK(seen.end == "newer_format");
        CHECK(seen.failure.offset == second);
        CHECK(seen.failure.sequence == 1);
        auto unverified = pawl::cursor::open(journal.directory(), {.verify = false});
        REQUIRE(unverified.has_value());
        if (std::string_view{kind.what}.starts_with("a batch"))
            continue;  // a cursor that does not verify looks at one frame at a time
        CHECK(unverified->next() != nullptr);
        CHECK(unverified->next() == nullptr);
        CHECK(unverified->finish().error().code == pawl::errc::newer_format);
        const auto report = pawl::verify(journal.directory());
        REQUIRE(report.has_value());
        CHECK_FALSE(report->sound());
        REQUIRE(report->findings.size() == 1);
        CHECK(report->findings.front().what.code == pawl::errc::newer_format);
        const std::string before = read_whole(journal.directory() / "0000000000.seg");
        const auto opened = pawl::writer::open(journal.directory());
        REQUIRE_FALSE(opened.has_value());
        CHECK(opened.error().code == pawl::errc::newer_format);
        CHECK(read_whole(journal.directory() / "0000000000.seg") == before);
    }
}

TEST_CASE("a whole frame of an unknown kind proves what was durable") {
    const odd_journal journal{1};
    put_behind_first(journal, [&](segment_image& segment) {
        frame_fields witness = event_frame(9);
        witness.flags = system_flag;
        witness.type = 99;
        witness.witness = 7;  // 2 was durable
        segment.scribble(encode_frame(witness, epoch, second + 512).bytes(), 512);
    });
    CHECK(read_all(journal).end == "damaged");
}

TEST_CASE("readers, verify and recovery skip system frames of the skippable class") {
    const odd_journal journal{1};
    put_behind_first(journal, [&](segment_image& segment) {
        for (const std::uint16_t type :
             std::initializer_list<std::uint16_t>{0x8000, 0x8001, 0xffff})
            segment.add({.flags = system_flag,
                         .type = type,
                         .sequence = 1,
                         .timestamp_ns = created_ns,
                         .payload = type == 0xffff ? "" : "not known to this version"});
        segment.add({.type = 1, .sequence = 1, .timestamp_ns = created_ns, .payload = "one more"});
    });
    const outcome seen = read_all(journal);
    CHECK(seen.events == 2);
    CHECK(seen.end == "torn");
    const auto report = pawl::verify(journal.directory(), {.deep = true});
    REQUIRE(report.has_value());
    CHECK(report->sound());
    CHECK(report->events == 2);
    {
        auto opened = pawl::writer::open(journal.directory());
        REQUIRE(opened.has_value());
        CHECK(opened->next_sequence() == 2);
        REQUIRE(opened->close().has_value());
    }
    // Sealed, with an index that lists no name.
    CHECK(read_all(journal).events == 2);
    const auto sealed = pawl::verify(journal.directory(), {.deep = true});
    REQUIRE(sealed.has_value());
    CHECK(sealed->sound());
    CHECK(sealed->findings.empty());
    const auto found = pawl::find_stream(journal.directory(), "not known to this version");
    REQUIRE(found.has_value());
    CHECK_FALSE(found->has_value());
}
