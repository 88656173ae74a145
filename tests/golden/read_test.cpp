// The library reads the golden journals, event by event and as a whole.
#include "golden_journal.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/writer.hpp>

using namespace golden;

namespace {

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void check_event(const pawl::event& e, const placed_frame& placed, std::uint64_t epoch) {
    const frame_fields& fields = placed.fields;
    INFO("sequence " << fields.sequence);
    CHECK(e.sequence() == fields.sequence);
    CHECK(e.timestamp_ns() == fields.timestamp_ns);
    CHECK(e.stream() == fields.stream);
    CHECK(e.version() == fields.version);
    CHECK(e.type() == fields.type);
    CHECK(e.schema_version() == fields.schema_version);
    CHECK(e.more_in_batch() == ((fields.flags & (batch_first | batch_middle)) != 0));
    CHECK(e.metadata().empty());
    CHECK(text_of(e.payload()) == fields.payload);
    CHECK(e.position() == pawl::log_position{placed.ordinal, placed.offset});
    const image frame = encode_frame(fields, epoch, placed.offset);
    CHECK(e.frame_hash() == frame.u64(8));
    CHECK(e.content_hash() == content_hash(frame));
    CHECK(e.point() == pawl::log_point{fields.sequence + 1, content_hash(frame), frame.u64(8)});
}

// Reads from the cursor what the scene holds from `index` on, and no more.
void check_rest(pawl::cursor& events, const scene& what, std::size_t index) {
    for (; index < what.events.size(); ++index) {
        const pawl::event* e = events.next();
        REQUIRE(e != nullptr);
        const placed_frame& placed = what.events[index];
        check_event(*e, placed, what.epochs[placed.ordinal]);
    }
    CHECK(events.next() == nullptr);
}

pawl::cursor open(const golden_journal& journal, pawl::cursor_options options = {}) {
    auto opened = pawl::cursor::open(journal.directory(), options);
    if (!opened)
        throw std::runtime_error(opened.error().message());
    return std::move(*opened);
}

bool is_diverged(const golden_journal& journal, const pawl::from_point& from) {
    const auto opened = pawl::cursor::open(journal.directory(), {.from = from});
    return !opened && opened.error().code == pawl::errc::diverged;
}

std::vector<std::uint64_t> sequences_of(const golden_journal& journal, std::uint64_t stream) {
    auto events = open(journal, {.stream = stream});
    std::vector<std::uint64_t> sequences;
    const auto count =
        events.for_each([&](const pawl::event& e) { sequences.push_back(e.sequence()); });
    REQUIRE(count.has_value());
    return sequences;
}

}  // namespace

TEST_CASE("a cursor yields every event of the golden journals with all its fields") {
    for (const scene& what : {make_rolled(), make_cut(), make_torn()}) {
        INFO(what.name);
        const golden_journal journal{what};
        auto events = open(journal);
        CHECK(std::string_view{reinterpret_cast<const char*>(events.id().data()), 16} ==
              what.journal);
        check_rest(events, what, 0);
        const auto end = events.finish();
        REQUIRE(end.has_value());
        CHECK(*end ==
              (what.name == "torn" ? pawl::end_of_journal::torn : pawl::end_of_journal::closed));
    }
}

TEST_CASE("a cursor that shows durable events only stops at the golden watermark") {
    const scene what = make_torn();
    const golden_journal journal{what};
    auto events = open(journal, {.show = pawl::visibility::durable});
    const pawl::event* e = events.next();
    REQUIRE(e != nullptr);
    CHECK(e->sequence() == 0);
    CHECK(events.next() == nullptr);
}

TEST_CASE("a cursor begins at any sequence and log point of the golden journals") {
    for (const scene& what : {make_rolled(), make_cut()}) {
        INFO(what.name);
        const golden_journal journal{what};
        for (std::size_t i = 0; i < what.events.size(); ++i) {
            const placed_frame& placed = what.events[i];
            auto events = open(journal, {.from = pawl::from_sequence{placed.fields.sequence}});
            check_rest(events, what, i);

            const image frame =
                encode_frame(placed.fields, what.epochs[placed.ordinal], placed.offset);
            const pawl::log_point behind{placed.fields.sequence + 1, content_hash(frame),
                                         frame.u64(8)};
            auto resumed = open(journal, {.from = pawl::from_point{behind}});
            check_rest(resumed, what, i + 1);

            pawl::log_point other_content = behind;
            other_content.content_hash ^= 1;
            CHECK(is_diverged(journal, {other_content}));
            // Elsewhere in the log, which only the journal that took the point can know.
            pawl::log_point other_place = behind;
            other_place.frame_hash ^= 1;
            CHECK(is_diverged(journal, {other_place, events.id()}));
            CHECK_FALSE(is_diverged(journal, {other_place, {1}}));
            CHECK(is_diverged(journal, {other_place}) == (what.name != "cut"));
        }
    }
}

TEST_CASE("one stream of a golden journal is found through links and indexes") {
    const golden_journal rolled{make_rolled()};
    CHECK(sequences_of(rolled, 42) == std::vector<std::uint64_t>{0, 3, 4});
    CHECK(sequences_of(rolled, first_named) == std::vector<std::uint64_t>{2, 5});
    CHECK(sequences_of(rolled, 43).empty());
    const golden_journal cut{make_cut()};
    CHECK(sequences_of(cut, 1) == std::vector<std::uint64_t>{0, 1, 2});
}

TEST_CASE("a name in a golden journal leads to its stream") {
    const golden_journal journal{make_rolled()};
    const auto known = pawl::find_stream(journal.directory(), "orders/Z\u00fcrich");
    REQUIRE(known.has_value());
    REQUIRE(known->has_value());
    CHECK(**known == first_named);
    const auto unknown = pawl::find_stream(journal.directory(), "orders/Basel");
    REQUIRE(unknown.has_value());
    CHECK_FALSE(unknown->has_value());
}

TEST_CASE("verification finds nothing in the golden journals") {
    struct wanted {
        scene what;
        std::uint64_t segments;
        std::string end;
        std::uint64_t torn_bytes;
    };
    for (const wanted& expected :
         {wanted{make_rolled(), 2, "closed", 0}, wanted{make_cut(), 3, "closed", 0},
          wanted{make_torn(), 2, "torn", 25}}) {
        INFO(expected.what.name);
        const golden_journal journal{expected.what};
        const auto report = pawl::verify(journal.directory());
        REQUIRE(report.has_value());
        CHECK(report->sound());
        for (const pawl::finding& found : report->findings)
            CHECK(found.what.message().empty());
        CHECK(report->segments == expected.segments);
        CHECK(report->events == expected.what.events.size());
        CHECK(report->first_sequence == 0);
        CHECK(report->next_sequence == expected.what.events.size());
        CHECK(report->end == expected.end);
        CHECK(report->torn_bytes == expected.torn_bytes);
    }
}

TEST_CASE("inspection says what stands in the golden headers, indexes and control page") {
    const scene what = make_rolled();
    const golden_journal journal{what};
    const auto info = pawl::inspect(journal.directory());
    REQUIRE(info.has_value());
    CHECK(std::string_view{reinterpret_cast<const char*>(info->id.data()), 16} == what.journal);
    CHECK(info->format_version == 1);
    CHECK(info->created_ns == created_ns);
    CHECK(info->segment_bytes == segment_bytes);
    CHECK(info->state == "closed");
    CHECK_FALSE(info->locked);
    CHECK(info->owner ==
          "process 4711 (make_golden) on golden.example, boot "
          "01234567-89ab-cdef-0123-456789abcdef");
    CHECK(info->heartbeat_ns == created_ns + 9);
    CHECK(info->published == 6);
    CHECK(info->durable == 6);
    REQUIRE(info->segments.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
        const pawl::segment_info& segment = info->segments[i];
        CHECK(segment.ordinal == i);
        CHECK(segment.epoch == what.epochs[i]);
        CHECK(segment.bytes == segment_bytes);
        CHECK(segment.created_ns == created_ns + i);
        CHECK(segment.sealed);
        CHECK(segment.end == (i == 0 ? "rolled" : "closed"));
        CHECK(segment.first_sequence == (i == 0 ? 0 : 5));
        CHECK(segment.end_sequence == (i == 0 ? 5 : 6));
    }
}
