// Tests how a reader treats headers, ends and the bytes after them: FORMAT.md §3 and §13, second
// table.
#include "odd_journal.hpp"
#include "open_outcome.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/journal.hpp>

#include <functional>

using namespace golden;
using pawl::verify_at_open;

namespace {

// A cursor and an open of either kind see the same end, and as many events before it.
void all_see(const odd_journal& journal, const std::string& end) {
    const outcome read = read_all(journal);
    CHECK(read.end == end);
    for (const auto verify : {verify_at_open::unsealed, verify_at_open::all}) {
        INFO("opened for writing, " << (verify == verify_at_open::all ? "all" : "unsealed"));
        const outcome opened = open_copy(journal.directory(), verify);
        CHECK(opened.end == end);
        if (end == "closed" || end == "torn")
            CHECK(opened.events == read.events);
    }
}

}  // namespace

TEST_CASE("one bad header copy is only worth a notice, two are damage") {
    for (const bool both : {false, true}) {
        for (const std::size_t bad : {std::size_t{0}, std::size_t{4096}}) {
            const odd_journal journal;
            segment_image segment{plain_header()};
            segment.add(event_frame(0));
            segment.add(end_frame(closed, 1, 0));
            image bytes = segment.whole();
            bytes.u64(bad + 64, 1);
            if (both)
                bytes.u64(4096 - bad + 64, 1);
            journal.put(0, bytes);
            all_see(journal, both ? "damaged" : "closed");
            const auto report = pawl::verify(journal.directory());
            REQUIRE(report.has_value());
            CHECK(report->sound() == !both);
            CHECK_FALSE(report->findings.empty());
        }
    }
}

TEST_CASE("a header with other values than its place asks for is refused") {
    struct wanted {
        const char* what;
        std::function<void(image&)> change;
        std::string end;
    };
    const std::vector<wanted> kinds{
        {"another journal", [](image& header) { header.text(40, "pawl golden-byte"); }, "damaged"},
        {"another ordinal", [](image& header) { header.u64(56, 1); }, "damaged"},
        {"epoch 0", [](image& header) { header.u64(64, 0); }, "damaged"},
        {"a size that is not allowed", [](image& header) { header.u64(72, 4096); }, "damaged"},
        {"a file that is shorter", [](image& header) { header.u64(72, 131072); }, "damaged"},
        {"a predecessor of the first", [](image& header) { header.u64(88, 5); }, "damaged"},
        {"a newer format", [](image& header) { header.u32(8, 2); }, "newer_format"},
        {"an incompatible feature", [](image& header) { header.u64(32, 1); }, "newer_format"},
        {"a compatible feature", [](image& header) { header.u64(16, 1); }, "torn"},
        {"a read-compatible feature", [](image& header) { header.u64(24, 1); }, "torn"},
    };
    for (const wanted& kind : kinds) {
        INFO(kind.what);
        const odd_journal journal;
        image header = encode_header(plain_header());
        kind.change(header);
        header.u64(248, header.hash(0, 248));
        image bytes = segment_image{plain_header()}.whole();
        bytes.text(0, header.bytes());
        bytes.text(4096, header.bytes());
        journal.put(0, bytes);
        all_see(journal, kind.end);
    }
}

TEST_CASE("an end leads to the segment that fits it and to no other") {
    struct wanted {
        const char* what;
        std::uint16_t type;
        std::uint64_t named;  // epoch of the successor in the end frame
        std::function<void(header_fields&, std::uint64_t)> change;  // header, hash of the end
        std::string end;
    };
    const auto nothing = [](header_fields&, std::uint64_t) {};
    const auto names_it = [](header_fields& header, std::uint64_t hash) {
        header.predecessor_epoch = epoch;
        header.predecessor_end_offset = second;
        header.predecessor_end_hash = hash;
        header.start_sequence = 1;
    };
    const auto names_but = [&](void (*change)(header_fields&)) {
        return [=](header_fields& header, std::uint64_t hash) {
            names_it(header, hash);
            change(header);
        };
    };
    const std::vector<wanted> kinds{
        {"rolled over to it", rolled, epoch + 1, nothing, "torn"},
        {"rolled over to another", rolled, epoch + 2, nothing, "damaged"},
        {"closed and opened again", closed, 0, names_it, "torn"},
        {"closed, and only a spare behind it", closed, 0, nothing, "closed"},
        {"closed, and another epoch named", closed, 0,
         names_but([](header_fields& header) { header.predecessor_epoch = 1; }), "damaged"},
        {"closed, and another place named", closed, 0,
         names_but([](header_fields& header) { header.predecessor_end_offset += 8; }), "damaged"},
        {"closed, and another hash named", closed, 0,
         names_but([](header_fields& header) { header.predecessor_end_hash ^= 1; }), "damaged"},
        {"closed, and another sequence named", closed, 0,
         names_but([](header_fields& header) { header.start_sequence = 2; }), "damaged"},
        {"cut and continued", cut, 0,
         names_but([](header_fields& header) { header.predecessor_end_hash = 0; }), "torn"},
        {"cut, and not named", cut, 0, nothing, "damaged"},
    };
    for (const wanted& kind : kinds) {
        INFO(kind.what);
        const odd_journal journal;
        segment_image first{plain_header()};
        first.add(event_frame(0));
        const auto end = first.add(end_frame(kind.type, 1, kind.named));
        REQUIRE(end == second);
        journal.put(0, first.whole());
        header_fields header = plain_header(1);
        kind.change(header, first.hash_at(end));
        journal.put(1, segment_image{header}.whole());
        const outcome seen = read_all(journal);
        CHECK(seen.events == 1);
        all_see(journal, kind.end);
    }
}

TEST_CASE("a required segment that does not exist is reported as missing") {
    for (const std::uint16_t type : {rolled, cut, closed}) {
        INFO("type " << type);
        const odd_journal journal;
        segment_image first{plain_header()};
        first.add(event_frame(0));
        first.add(end_frame(type, 1, type == rolled ? epoch + 1 : 0));
        journal.put(0, first.whole());
        const outcome seen = read_all(journal);
        CHECK(seen.events == 1);
        all_see(journal, type == closed ? "closed" : "missing_segment");
        const auto report = pawl::verify(journal.directory());
        REQUIRE(report.has_value());
        CHECK(report->sound() == (type == closed));
    }
}

TEST_CASE(
    "bytes after a cut are not part of the journal, after a close they are damage once sealed") {
    for (const std::uint16_t type : {closed, cut}) {
        INFO("type " << type);
        const odd_journal journal;
        segment_image first{plain_header()};
        first.add(event_frame(0));
        const auto end = first.add(end_frame(type, 1, 0));
        first.scribble("left behind", 4000);
        journal.put(0, first.whole());
        if (type == cut) {
            header_fields header = plain_header(1);
            header.predecessor_epoch = epoch;
            header.predecessor_end_offset = end;
            header.start_sequence = 1;
            segment_image next{header};
            next.add(end_frame(closed, 1, 0));
            journal.put(1, next.whole());
        }
        all_see(journal, "closed");
        CHECK(pawl::verify(journal.directory())->sound());
        journal.put("0000000000.idx",
                    encode_index({.journal = id,
                                  .ordinal = 0,
                                  .epoch = epoch,
                                  .first_sequence = 0,
                                  .end_sequence = 1,
                                  .end_offset = end,
                                  .end_hash = first.hash_at(end),
                                  .end_type = type,
                                  .min_timestamp_ns = created_ns,
                                  .max_timestamp_ns = created_ns,
                                  .marks = {{0, 8192, 0}},
                                  .streams = {{5, 1, 8192}},
                                  .types = {{1, 0, 1, 0, 0, created_ns, created_ns}}}));
        CHECK(pawl::verify(journal.directory())->sound() == (type == cut));
    }
}
