// Clock reports: when a writer writes one, and that nothing else depends on it.
#include "append/appender.hpp"
#include "format/segment_walk.hpp"
#include "journal_support.hpp"
#include "store/segment_file.hpp"
#include "support/temporary_directory.hpp"
#include "upkeep/clock_reporter.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/journal.hpp>

using namespace pawl;
using namespace pawl::detail;
using namespace pawl::test;

namespace {

// An appender without a background: the test is the background.
struct clock_fixture {
    temporary_directory directory;
    segment_request request{
        .directory = directory.path(), .id = {1}, .segment_bytes = min_segment_bytes};
    live_segment first{must(create_segment(request))};
    segment_supply supply{following(request), 4};
    std::atomic<std::uint32_t> gate_word{gate_value(gate::open)};
    std::atomic<std::uint64_t> durable{0};
    appender log{{.directory = directory.path(),
                  .id = request.id,
                  .gate_word = &gate_word,
                  .durable = &durable,
                  .supply = &supply,
                  .first = &first,
                  .full = when_full::fail,
                  .reports_clock = true},
                 must(head_slots::make(64)),
                 must(head_slots::make(64))};

    clock_fixture() = default;
    clock_fixture(const clock_fixture&) = delete;
    clock_fixture& operator=(const clock_fixture&) = delete;
    // In a writer the flusher frees the segments that the appender has taken.
    ~clock_fixture() {
        for (live_segment* taken = first.next.load(); taken != nullptr;) {
            const std::unique_ptr<live_segment> owned{taken};
            taken = owned->next.load();
        }
    }

    static segment_request following(segment_request request) {
        ++request.ordinal;
        return request;
    }
    void offer(std::uint64_t steps) {
        clock_payload report{};
        report.steps = steps;
        log.offer_clock_report(report);
    }
    [[nodiscard]] gate now() const { return gate_of(gate_word.load()); }
    // "e" for an event, a report by its steps, in the order of the log.
    [[nodiscard]] std::string frames(const live_segment& segment) const {
        std::string text;
        const frame_space space{segment.bytes.data(), segment.bytes.size(), segment.header.epoch};
        const walk_start from{.sequence = load_u64(segment.bytes.data() + first_frame_offset +
                                                   frame_offset::sequence)};
        (void)walk_segment(space, from, [&](std::uint64_t offset, commit_word word) {
            if (!word.is_system()) {
                text += 'e';
                return;
            }
            CHECK(word.type() == static_cast<std::uint16_t>(system_type::clock_report));
            clock_payload said{};
            std::memcpy(&said, space.base + offset + frame_header_bytes, sizeof said);
            text += std::to_string(said.steps);
        });
        return text;
    }
    void append(std::size_t bytes = 8) {
        const std::vector<std::byte> payload(bytes);
        REQUIRE(log.append({.type = 1}, payload));
    }
};

}  // namespace

TEST_CASE_METHOD(clock_fixture,
                 "a report stands before the next event, and the gate is open again") {
    append();
    offer(1);
    CHECK(now() == gate::attend);
    CHECK(frames(first) == "e");
    append();
    CHECK(now() == gate::open);
    append();
    offer(2);
    REQUIRE(log.append_name("orders", 0));
    CHECK(now() == gate::open);
    offer(3);
    {
        REQUIRE(!log.reserve({.type = 1}, 8));
        CHECK(now() == gate::open);
        REQUIRE(log.commit_reservation(8));
    }
    offer(4);
    REQUIRE(log.begin_batch(1, 8));
    CHECK(now() == gate::open);
    REQUIRE(log.add_to_batch({.type = 1}, {}));
    REQUIRE(log.commit_batch());
    const std::string seen = [&] {
        std::string text;
        const frame_space space{first.bytes.data(), first.bytes.size(), first.header.epoch};
        (void)walk_segment(space, {}, [&](std::uint64_t, commit_word word) {
            text += word.is_system() ? (word.type() == 4 ? 'n' : 'c') : 'e';
        });
        return text;
    }();
    CHECK(seen ==
          "ecee"
          "cn"
          "ce"
          "ce");
}

TEST_CASE_METHOD(clock_fixture, "no report is written while a batch or a reservation is open") {
    REQUIRE(log.begin_batch(3, 300));
    REQUIRE(log.add_to_batch({.type = 1}, {}));
    offer(1);
    CHECK(log.append({.type = 1}, {}).error().code == errc::busy);
    REQUIRE(log.add_to_batch({.type = 1}, {}));
    REQUIRE(!log.reserve_in_batch({.type = 1}, 8));
    REQUIRE(log.commit_reservation(8));
    REQUIRE(log.commit_batch());
    CHECK(now() == gate::attend);
    CHECK(frames(first) == "eee");
    append();
    CHECK(frames(first) == "eee1e");

    REQUIRE(!log.reserve({.type = 1}, 8));
    offer(2);
    REQUIRE(log.commit_reservation(8));
    CHECK(frames(first) == "eee1ee");
    REQUIRE(!log.reserve({.type = 1}, 8));
    CHECK(frames(first) == "eee1ee2");
    log.abandon_reservation();
    CHECK(now() == gate::open);
}

TEST_CASE_METHOD(clock_fixture, "the next segment begins with a report") {
    append(50'000);
    offer(1);
    append();
    REQUIRE(must(supply.replenish()));
    append(50'000);
    CHECK(frames(first) == "e1e");
    CHECK(frames(log.newest()) == "1e");
}

TEST_CASE_METHOD(clock_fixture, "a report is left out if the next unit would then not fit") {
    const std::size_t most =
        min_segment_bytes - first_frame_offset - end_frame_bytes - frame_header_bytes;
    offer(1);
    append(most);
    CHECK(now() == gate::open);
    CHECK(frames(first) == "e");
    REQUIRE(must(supply.replenish()));
    append(most);
    CHECK(frames(log.newest()) == "e");
    REQUIRE(must(supply.replenish()));
    append(most - clock_frame_bytes);
    CHECK(frames(log.newest()) == "1e");
}

TEST_CASE_METHOD(clock_fixture, "poison and close end a gate that asks for attention") {
    append();
    for (const std::uint32_t end : {poisoned_gate(errc::io, 5), gate_value(gate::closed)}) {
        gate_word.store(gate_value(gate::attend));
        CHECK(is_open(gate_word.load()));
        CHECK(end_gate(gate_word, end));
        CHECK_FALSE(is_open(gate_word.load()));
        CHECK_FALSE(log.append({.type = 1}, {}));
        CHECK_FALSE(end_gate(gate_word, gate_value(gate::closed)));
        CHECK(gate_word.load() == end);
        offer(7);
        CHECK(gate_word.load() == end);
    }
    CHECK(frames(first) == "e");
    CHECK_FALSE(is_open(gate_value(gate::forked)));
}

TEST_CASE("a writer reports its clock before its first event and before its clean end") {
    const temporary_directory home;
    for (const clock_source source : {clock_source::system, clock_source::tsc}) {
        const auto directory = home.path() / std::to_string(static_cast<int>(source));
        auto options = small_segments();
        options.clock_report_interval_s = 5;
        options.clock = source;
        options.background_threads = false;
        options.full = when_full::fail;
        {
            writer log = must(writer::open(directory, options));
            CHECK_FALSE(must(last_clock_report(directory)));
            append_numbered(log, 3);
            const auto report = must(last_clock_report(directory));
            REQUIRE(report);
            CHECK(report->next_sequence == 0);
            must(log.close());
        }
        const auto report = must(last_clock_report(directory));
        REQUIRE(report);
        CHECK(report->next_sequence == 3);
        const bool counted = report->source == clock_source::tsc;
        CHECK((counted || report->source == clock_source::system));
        CHECK((report->tsc_hz > 1'000'000) == counted);
        CHECK(report->steps == 0);
        const auto whole = must(verify(directory, {.deep = true}));
        CHECK(whole.sound());
        CHECK(whole.events == 3);
        CHECK(read_numbered(directory) == 3);
    }
}

TEST_CASE("a writer that appends nothing, or whose callers give the time stamps, reports nothing") {
    const temporary_directory home;
    auto options = small_segments();
    options.clock_report_interval_s = 5;
    must(must(writer::open(home.path() / "empty", options)).close());
    CHECK_FALSE(must(last_clock_report(home.path() / "empty")));
    const auto write = [&](const std::filesystem::path& directory) {
        writer log = must(writer::open(directory, options));
        append_numbered(log, 3);
        must(log.close());
        CHECK_FALSE(must(last_clock_report(directory)));
    };
    options.clock = clock_source::caller;
    write(home.path() / "caller");
    options.clock = clock_source::system;
    options.clock_report_interval_s = 0;
    write(home.path() / "never");
}

TEST_CASE("clock reports are not listed past damage, but up to a torn tail") {
    const temporary_directory home;
    auto options = by_hand();
    options.clock_report_interval_s = 5;
    const bool closes = GENERATE(false, true);
    receipt last{};
    {
        writer log = must(writer::open(home.path(), options));
        append_numbered(log, 50);
        last = must(log.append({.type = 1}, bytes_of("the last event")));
        if (closes)
            must(log.close());
    }
    CHECK(must(clock_reports(home.path())).size() == (closes ? 2 : 1));
    overwrite(segment(home.path(), 0), last.position.offset + frame_header_bytes,
              bytes_of("XXXXXXXX"));
    const auto found = clock_reports(home.path());
    if (closes) {
        REQUIRE_FALSE(found);
        CHECK(found.error().code == errc::damaged);
        CHECK(found.error().sequence == 50);
        CHECK(found.error().offset == last.position.offset);
    } else {
        CHECK(must(found).size() == 1);
    }
}
