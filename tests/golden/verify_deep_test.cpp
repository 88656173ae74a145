// Tests verify's findings across files that are each valid by themselves, in journals built by the
// second writer of the format: all checksums and links here are valid.
#include "odd_journal.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/journal.hpp>

#include <functional>

using namespace golden;

namespace {

pawl::verify_report verify(const odd_journal& journal, bool deep = true) {
    auto report = pawl::verify(journal.directory(), {.deep = deep});
    REQUIRE(report.has_value());
    return std::move(*report);
}

// Returns the only finding; fails the test if there is not exactly one.
pawl::finding only_finding(const pawl::verify_report& report) {
    for (const pawl::finding& found : report.findings)
        UNSCOPED_INFO(found.what.message());
    REQUIRE(report.findings.size() == 1);
    return report.findings[0];
}

frame_fields in_stream(std::uint64_t sequence, std::uint64_t stream, std::uint64_t version) {
    frame_fields frame = event_frame(sequence);
    frame.stream = stream;
    frame.version = version;
    frame.back = 0;
    return frame;
}

frame_fields name_frame(std::uint64_t sequence, std::uint64_t stream, std::string name) {
    return {.flags = system_flag,
            .type = stream_name,
            .sequence = sequence,
            .timestamp_ns = created_ns,
            .stream = stream,
            .payload = std::move(name)};
}

// Segments of one frame sequence each: rolled, and the last one closed.
void put_segments(const odd_journal& journal,
                  const std::vector<std::vector<frame_fields>>& segments) {
    std::uint64_t sequence = 0;
    for (std::uint64_t ordinal = 0; ordinal < segments.size(); ++ordinal) {
        const bool last = ordinal + 1 == segments.size();
        segment_image segment{plain_header(ordinal)};
        const std::uint64_t first = sequence;
        for (const frame_fields& frame : segments[ordinal]) {
            segment.add(frame);
            sequence += (frame.flags & system_flag) == 0 ? 1 : 0;
        }
        frame_fields end = end_frame(last ? closed : rolled, sequence, 0);
        end.payload = encode_end({.successor_epoch = last ? 0 : epoch + ordinal + 1,
                                  .first_sequence = first,
                                  .events = sequence - first});
        segment.add(end);
        journal.put(ordinal, segment.whole());
    }
}

// Three events of streams 5, 6 and one with a name, over two segments.
void put_three_events(const odd_journal& journal) {
    put_segments(journal, {{in_stream(0, 5, 1), in_stream(1, 6, 1)},
                           {name_frame(2, first_named, "orders"), in_stream(2, first_named, 1),
                            in_stream(3, 5, 2)}});
}

// The heads of that, which a test may change.
heads_fields right_heads() {
    return {.journal = id,
            .ordinal = 1,
            .epoch = epoch + 1,
            .end_sequence = 4,
            .slots = 64,
            .heads = {{5, 2, 1, 8192 + 64 + 64}, {6, 1, 0, 8256}, {first_named, 1, 1, 8256}},
            .names = {{first_named, "orders"}}};
}

std::uint64_t slot_of(std::uint64_t stream) {
    __extension__ using wide = unsigned __int128;
    return 4096 + static_cast<std::uint64_t>(static_cast<wide>(mix(stream)) * 64 >> 64) * 24;
}

}  // namespace

TEST_CASE("golden journals are sound in depth") {
    struct wanted {
        scene what;
        std::uint64_t streams;
    };
    for (const wanted& expected :
         {wanted{make_rolled(), 2}, wanted{make_cut(), 1}, wanted{make_torn(), 1}}) {
        INFO(expected.what.name);
        const golden_journal journal{expected.what};
        const auto report = pawl::verify(journal.directory(), {.deep = true});
        REQUIRE(report.has_value());
        for (const pawl::finding& found : report->findings)
            CHECK(found.what.message().empty());
        CHECK(report->streams == expected.streams);
        CHECK(report->events == expected.what.events.size());
    }
}

TEST_CASE("a stream that does not continue in the next segment is named") {
    struct wanted {
        const char* what;
        std::uint64_t version;  // of the event in the second segment
        bool wrong;
    };
    for (const wanted& kind : {wanted{"goes on", 2, false}, wanted{"skips one", 3, true},
                               wanted{"repeats one", 1, true}, wanted{"far back", 1000, true}}) {
        INFO(kind.what);
        const odd_journal journal;
        put_segments(journal,
                     {{in_stream(0, 5, 1), in_stream(1, 6, 1)}, {in_stream(2, 5, kind.version)}});
        CHECK(verify(journal, false).findings.empty());
        const auto report = verify(journal);
        CHECK(report.sound() == !kind.wrong);
        CHECK(report.streams == 2);
        if (!kind.wrong)
            continue;
        const pawl::finding found = only_finding(report);
        CHECK(found.damage);
        CHECK(found.what.code == pawl::errc::damaged);
        CHECK(found.what.file == (journal.directory() / "0000000001.seg").string());
        CHECK(found.what.offset == 8192);
        CHECK(found.what.sequence == 2);
        CHECK(found.what.detail == "stream 5 continues with version " +
                                       std::to_string(kind.version) + " after version 1");
    }
}

TEST_CASE("a stream that begins above version 1 lacks its first events") {
    const odd_journal journal;
    put_segments(journal, {{in_stream(0, 5, 2)}});
    CHECK(verify(journal, false).sound());
    const pawl::finding found = only_finding(verify(journal));
    CHECK(found.damage);
    CHECK(found.what.offset == 8192);
    CHECK(found.what.detail == "stream 5 continues with version 2 after version 0");
}

TEST_CASE("many streams that do not continue are one finding per segment, with their number") {
    const odd_journal journal;
    put_segments(journal, {{in_stream(0, 5, 1)},
                           {in_stream(1, 7, 4), in_stream(2, 8, 4), in_stream(3, 9, 4)},
                           {in_stream(4, 7, 5), in_stream(5, 5, 3)}});
    const auto report = verify(journal);
    REQUIRE(report.findings.size() == 2);
    CHECK(report.findings[0].what.detail ==
          "stream 7 continues with version 4 after version 0; and 2 more like it");
    CHECK(report.findings[1].what.offset == 8256);
    CHECK(report.findings[1].what.detail == "stream 5 continues with version 3 after version 1");
}

TEST_CASE("a version that jumps inside a segment is reported once, in a torn one too") {
    for (const bool torn : {false, true}) {
        INFO("torn " << torn);
        const odd_journal journal;
        segment_image segment{plain_header()};
        segment.add(event_frame(0));
        frame_fields jumps = event_frame(1);
        jumps.version = 7;
        segment.add(jumps);
        if (!torn)
            segment.add(end_frame(closed, 2, 0));
        journal.put(0, segment.whole());
        CHECK(verify(journal, false).sound() == torn);
        const pawl::finding found = only_finding(verify(journal));
        CHECK(found.damage);
        CHECK(found.what.offset == second);
    }
}

TEST_CASE("names that are not given in order are damage") {
    struct wanted {
        const char* what;
        std::vector<frame_fields> frames;
        std::uint64_t offset;
        std::string detail;
    };
    const std::string number = std::to_string(first_named);
    const std::string next = std::to_string(first_named + 1);
    const std::vector<wanted> kinds{
        {"an event of a stream without a name",
         {in_stream(0, first_named, 1)},
         8192,
         "stream " + number + " has an event before its name"},
        {"a number left out",
         {name_frame(0, first_named + 1, "orders")},
         8192,
         "a name for stream " + next + ", but the next number is " + number},
        {"one name for two numbers",
         {name_frame(0, first_named, "orders"), name_frame(0, first_named + 1, "orders")},
         8256,
         "the name of stream " + number + " is assigned again, to stream " + next},
    };
    for (const wanted& kind : kinds) {
        INFO(kind.what);
        const odd_journal journal;
        put_segments(journal, {kind.frames});
        CHECK(verify(journal, false).sound());
        const pawl::finding found = only_finding(verify(journal));
        CHECK(found.damage);
        CHECK(found.what.offset == kind.offset);
        CHECK(found.what.sequence == 0);
        CHECK(found.what.detail == kind.detail);
    }
}

TEST_CASE("stream heads that disagree with the log are a notice") {
    struct wanted {
        const char* what;
        std::function<void(heads_fields&)> change;
        std::uint64_t offset;
        std::string detail;
    };
    const std::uint64_t names_at = 4096 + 64 * 24;
    const std::vector<wanted> kinds{
        {"another version", [](heads_fields& heads) { heads.heads[0].version = 3; }, slot_of(5),
         "stream 5 is at version 2 in the log but at 3 in the heads"},
        {"another place", [](heads_fields& heads) { heads.heads[1].offset = 8192; }, slot_of(6),
         "the last event of stream 6 is in segment 0, byte 8256, not in segment 0, byte 8192"},
        {"another segment", [](heads_fields& heads) { heads.heads[1].ordinal = 1; }, slot_of(6),
         "the last event of stream 6 is in segment 0, byte 8256, not in segment 1, byte 8256"},
        {"a stream too many", [](heads_fields& heads) { heads.heads.push_back({9, 1, 0, 8192}); },
         slot_of(9), "stream 9 is not in the log"},
        {"a stream too few", [](heads_fields& heads) { heads.heads.pop_back(); }, 4096,
         "stream " + std::to_string(first_named) + " is in the log but not in the heads"},
        {"a name too few", [](heads_fields& heads) { heads.names.clear(); }, names_at,
         "the name of stream " + std::to_string(first_named) +
             " is in the log but not in the heads"},
        {"a name too many",
         [](heads_fields& heads) { heads.names.push_back({first_named + 1, "payments"}); },
         names_at,
         "the heads have a name for stream " + std::to_string(first_named + 1) +
             " that is not in the log"},
        {"a name with another number", [](heads_fields& heads) { heads.names[0].stream = 1; },
         names_at,
         "the name of stream " + std::to_string(first_named) + " belongs to stream 1 in the heads"},
        {"a segment that is not there", [](heads_fields& heads) { heads.ordinal = 2; }, 32,
         "the heads are as of an end of segment 2 that is not in this log"},
        {"another life", [](heads_fields& heads) { heads.epoch = 1; }, 32,
         "the heads are as of an end of segment 1 that is not in this log"},
        {"another end", [](heads_fields& heads) { heads.end_sequence = 3; }, 32,
         "the heads are as of an end of segment 1 that is not in this log"},
    };
    {
        const odd_journal journal;
        put_three_events(journal);
        journal.put("streams", encode_heads(right_heads()));
        const auto report = verify(journal);
        CHECK(report.findings.empty());
        CHECK(report.streams == 3);
    }
    for (const wanted& kind : kinds) {
        INFO(kind.what);
        const odd_journal journal;
        put_three_events(journal);
        heads_fields heads = right_heads();
        kind.change(heads);
        journal.put("streams", encode_heads(heads));
        CHECK(verify(journal, false).findings.empty());
        const auto report = verify(journal);
        CHECK(report.sound());
        const pawl::finding found = only_finding(report);
        CHECK_FALSE(found.damage);
        CHECK(found.what.code == pawl::errc::damaged);
        CHECK(found.what.file == (journal.directory() / "streams").string());
        CHECK(found.what.offset == kind.offset);
        CHECK(found.what.sequence == heads.end_sequence);
        CHECK(found.what.detail == kind.detail);
    }
}

TEST_CASE("a head in a slot where no lookup finds it is named") {
    const odd_journal journal;
    put_segments(journal, {{in_stream(0, 5, 1)}});
    heads_fields fields{.journal = id,
                        .ordinal = 0,
                        .epoch = epoch,
                        .end_sequence = 1,
                        .slots = 64,
                        .heads = {{5, 1, 0, 8192}}};
    image heads = encode_heads(fields);
    const std::uint64_t right = slot_of(5);
    const std::uint64_t wrong = right == 4096 ? 4096 + 63 * 24 : right - 24;
    for (const std::uint64_t field : {0u, 8u, 16u}) {
        heads.u64(wrong + field, heads.u64(right + field));
        heads.u64(right + field, 0);
    }
    seal_heads(heads);
    journal.put("streams", heads);
    const pawl::finding found = only_finding(verify(journal));
    CHECK_FALSE(found.damage);
    CHECK(found.what.offset == wrong);
    CHECK(found.what.detail ==
          "stream 5 is in a slot where a search does not find it; and 1 more like it");
}

TEST_CASE("heads of an earlier segment are judged there and not at the end") {
    for (const std::uint64_t version : {1u, 2u}) {
        const odd_journal journal;
        put_three_events(journal);
        journal.put("streams", encode_heads({.journal = id,
                                             .ordinal = 0,
                                             .epoch = epoch,
                                             .end_sequence = 2,
                                             .slots = 64,
                                             .heads = {{5, version, 0, 8192}, {6, 1, 0, 8256}}}));
        CHECK(verify(journal).findings.size() == version - 1);
    }
}

TEST_CASE("after damage streams are followed from scratch, and only the damage is reported") {
    for (const std::uint64_t version : {3u, 4u}) {
        INFO("version " << version);
        const odd_journal journal{3};
        put_segments(journal, {{in_stream(0, 5, 1)},
                               {in_stream(1, 5, 2), in_stream(2, 6, 1)},
                               {in_stream(3, 5, 3)},
                               {in_stream(4, 5, 4)}});
        journal.put("streams", encode_heads({.journal = id,
                                             .ordinal = 2,
                                             .epoch = epoch + 2,
                                             .end_sequence = 4,
                                             .slots = 64,
                                             .heads = {{5, version, 2, 8192}, {6, 1, 1, 8256}}}));
        CHECK(verify(journal).findings.size() == (version == 3 ? 0 : 1));

        std::filesystem::remove(journal.directory() / "0000000001.seg");
        const auto report = verify(journal);
        REQUIRE_FALSE(report.findings.empty());
        CHECK(report.findings[0].what.code == pawl::errc::missing_segment);
        // Of stream 6 nothing is known any more, of stream 5 everything that counts.
        CHECK(report.findings.size() == (version == 3 ? 1 : 2));
        CHECK(report.findings.back().damage == (version == 3));
    }
}

TEST_CASE("the visitor gets every whole event in the order of the log") {
    const odd_journal journal;
    put_three_events(journal);
    for (const bool deep : {false, true}) {
        std::vector<pawl::log_position> places;
        std::uint64_t next = 0;
        const auto look = [&](const pawl::event& each) {
            CHECK(each.sequence() == next++);
            CHECK(each.payload().size() == 8);
            places.push_back(each.position());
        };
        REQUIRE(pawl::verify(journal.directory(), {.deep = deep, .visit = look}).has_value());
        CHECK(places ==
              std::vector<pawl::log_position>{{0, 8192}, {0, 8256}, {1, 8256}, {1, 8320}});
    }
}
