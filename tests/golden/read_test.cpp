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
    CHECK(text_of(e.metadata().bytes()) == fields.metadata);
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
    for (const scene& what : all_scenes()) {
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
    for (const scene& what : closed_scenes()) {
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
        pawl::end_of_journal end;
        std::uint64_t torn_bytes;
    };
    for (const wanted& expected : {wanted{make_rolled(), 2, pawl::end_of_journal::closed, 0},
                                   wanted{make_cut(), 3, pawl::end_of_journal::closed, 0},
                                   wanted{make_torn(), 2, pawl::end_of_journal::torn, 25}}) {
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
    CHECK(info->state == pawl::journal_state::closed);
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
        CHECK(segment.end ==
              (i == 0 ? pawl::segment_end_type::rolled : pawl::segment_end_type::closed));
        CHECK(segment.first_sequence == (i == 0 ? 0 : 5));
        CHECK(segment.end_sequence == (i == 0 ? 5 : 6));
    }
}

TEST_CASE("the golden descriptions are read in log order") {
    const golden_journal journal{make_described()};
    const auto found = pawl::descriptions(journal.directory());
    REQUIRE(found.has_value());
    REQUIRE(found->size() == 2);
    const pawl::recorded_description& first = found->front();
    CHECK(first.type == 7);
    CHECK(first.schema_version == 2);
    CHECK(first.next_sequence == 0);
    CHECK(first.timestamp_ns == created_ns + 1);
    CHECK(first.name == "order placed");
    CHECK(text_of(first.bytes) == "schema 72");
    CHECK(found->back().type == 7);
    CHECK(found->back().next_sequence == 1);
    CHECK(found->back().name == "placed");
    CHECK(found->back().bytes.empty());
}

TEST_CASE("the golden clock report is read") {
    const golden_journal journal{make_described()};
    const auto found = pawl::last_clock_report(journal.directory());
    REQUIRE(found.has_value());
    REQUIRE(found->has_value());
    const pawl::recorded_clock& report = **found;
    CHECK(report.source == pawl::clock_source::tsc);
    CHECK(report.synchronised);
    CHECK(report.estimated_error_ns == 1000);
    CHECK(report.maximum_error_ns == 250'000);
    CHECK(report.tsc_hz == 2'100'000'000);
    CHECK(report.drift_ns == -42);
    CHECK(report.steps == 3);
    CHECK(report.timestamp_ns == created_ns);
    CHECK(report.next_sequence == 0);
    const golden_journal without{make_rolled()};
    const auto none = pawl::last_clock_report(without.directory());
    REQUIRE(none.has_value());
    CHECK_FALSE(none->has_value());
}

TEST_CASE("every standard entry of the golden metadata is read") {
    const golden_journal journal{make_described()};
    auto events = open(journal, {.from = pawl::from_sequence{1}});
    const pawl::event* e = events.next();
    REQUIRE(e != nullptr);
    const pawl::metadata_view said = e->metadata();
    REQUIRE(said.command());
    CHECK(text_of(said.command()->id) == "command id 16 by");
    CHECK(said.command()->hash == 0x0102030405060708);
    REQUIRE(said.correlation());
    CHECK(text_of(*said.correlation()) == "correlation 16 b");
    REQUIRE(said.causation());
    CHECK(text_of(*said.causation()) == "causation 16 byt");
    REQUIRE(said.trace());
    CHECK(text_of(said.trace()->trace) == "trace id 16 byte");
    CHECK(said.trace()->parent[0] == std::byte{8});
    CHECK(said.trace()->flags == 1);
    CHECK(said.trace()->state == "a=b");
    CHECK(said.actor() == "Zoë");
    CHECK(said.source_time_ns() == 0x0102030405060708);
    REQUIRE(said.tags().size() == 2);
    CHECK(said.tags()[1] == 0x0202030405060708);
    REQUIRE(said.subjects().size() == 2);
    CHECK(said.subjects()[0] == 0x0202030405060708);
    std::vector<std::string> own;
    said.for_each([&](const pawl::metadata_entry& entry) {
        CHECK(entry.critical == (entry.tag == pawl::metadata_tag::causation));
        if (entry.tag == pawl::metadata_tag{0x8001})
            own.push_back(text_of(entry.value));
    });
    CHECK(own == std::vector<std::string>{"", "the application's"});
    CHECK_FALSE(said.find(pawl::metadata_tag{0x8002}));
}
