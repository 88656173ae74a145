// Descriptions of event types: recorded once for each content, read back by people and copies.
#include "journal_support.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/journal.hpp>

#include <filesystem>

using namespace pawl;
using namespace pawl::test;

namespace {

struct describe_fixture {
    temporary_directory home;
    std::filesystem::path directory = home.path() / "journal";
    writer_options options{.segment_bytes = 64 << 10,
                           .sync = sync_policy::manual(),
                           .clock = clock_source::caller,
                           .background_threads = false};

    describe_fixture() { options.full = when_full::fail; }

    [[nodiscard]] writer open() const { return must(writer::open(directory, options)); }
    static bool describe(writer& log, std::uint16_t type, std::string_view name,
                         std::string_view text) {
        return must(log.describe({type, 1, name, std::as_bytes(std::span{text})}, 11));
    }
    static void append(writer& log, std::uint16_t type = 7) {
        must(log.append({.type = type, .timestamp_ns = 12}, {}));
    }
    // "type name text next_sequence", in log order.
    [[nodiscard]] std::vector<std::string> recorded() const {
        std::vector<std::string> lines;
        for (const recorded_description& each : must(descriptions(directory))) {
            CHECK(each.schema_version == 1);
            CHECK(each.timestamp_ns == 11);
            lines.push_back(
                std::to_string(each.type) + " " + each.name + " " +
                std::string{reinterpret_cast<const char*>(each.bytes.data()), each.bytes.size()} +
                " " + std::to_string(each.next_sequence));
        }
        return lines;
    }
};

using lines = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(describe_fixture, "the names of all streams are listed in log order") {
    CHECK_FALSE(stream_names(directory));
    writer log = open();
    CHECK(must(stream_names(directory)).empty());
    const stream_id first = must(log.stream("orders/EUR", 21));
    append(log);
    const stream_id second = must(log.stream("orders/USD", 22));
    (void)must(log.stream("orders/EUR", 23));
    must(log.close());
    const auto names = must(stream_names(directory));
    REQUIRE(names.size() == 2);
    CHECK(names[0].stream == first);
    CHECK(names[0].name == "orders/EUR");
    CHECK(names[0].timestamp_ns == 21);
    CHECK(names[1].stream == second);
    CHECK(names[1].name == "orders/USD");
}

TEST_CASE_METHOD(describe_fixture, "a description is recorded once for each distinct content") {
    writer log = open();
    CHECK(describe(log, 7, "placed", "first"));
    CHECK_FALSE(describe(log, 7, "placed", "first"));
    append(log);
    CHECK(describe(log, 8, "filled", "first"));
    CHECK(describe(log, 7, "placed", "second"));
    CHECK_FALSE(describe(log, 7, "placed", "second"));
    // The last one counts, so going back is a change.
    CHECK(describe(log, 7, "placed", "first"));
    CHECK(describe(log, 7, "accepted", "first"));
    CHECK(recorded() == lines{"7 placed first 0", "8 filled first 1", "7 placed second 1",
                              "7 placed first 1", "7 accepted first 1"});
    CHECK(log.next_sequence() == 1);
    REQUIRE(log.close());
    CHECK(must(verify(directory, {.deep = true})).findings.empty());
}

TEST_CASE_METHOD(describe_fixture, "a writer knows what an earlier one described") {
    const auto write = [&](bool wanted) {
        writer log = open();
        CHECK(describe(log, 7, "placed", "text") == wanted);
        append(log);
        return log;
    };
    {
        const writer killed = write(true);
    }
    must(write(false).close());
    // From sealed segments after a rollover, by the index or, if that is gone, by the frames.
    {
        writer log = write(false);
        const std::vector<std::byte> large(40'000);
        must(log.append({.type = 7}, large));
        must(log.poll());
        must(log.append({.type = 7}, large));
        must(log.close());
    }
    must(write(false).close());
    for (const auto& entry : std::filesystem::directory_iterator{directory}) {
        if (entry.path().extension() == ".idx")
            std::filesystem::remove(entry.path());
    }
    CHECK(recorded() == lines{"7 placed text 0"});
    must(write(false).close());
}

TEST_CASE_METHOD(describe_fixture, "a description may be as large as a segment allows, or empty") {
    writer log = open();
    CHECK(describe(log, 1, "empty", ""));
    const std::string longest(1024, 'n');
    CHECK(describe(log, 2, longest, std::string(50'000, 'x')));
    const std::vector<std::byte> large(70'000);
    CHECK(log.describe({3, 1, "large", large}).error().code == errc::too_large);
    CHECK(log.describe({3, 1, "", {}}).error().code == errc::invalid_argument);
    CHECK(log.describe({3, 1, std::string(1025, 'n'), {}}).error().code == errc::invalid_argument);
    CHECK(log.describe({first_reserved_type, 1, "erased", {}}).error().code ==
          errc::invalid_argument);
    // It was refused and not recorded, so now it can be.
    CHECK(describe(log, 3, "large", "small"));
    const auto found = must(descriptions(directory));
    REQUIRE(found.size() == 3);
    CHECK(found[0].bytes.empty());
    CHECK(found[1].name == longest);
    CHECK(found[1].bytes.size() == 50'000);
}

TEST_CASE_METHOD(describe_fixture, "nothing is described inside a batch or reservation") {
    writer log = open();
    {
        auto batch = must(log.begin_batch(1, 8));
        CHECK(log.describe({7, 1, "placed", {}}).error().code == errc::busy);
    }
    {
        auto space = must(log.reserve({.type = 7}, 8));
        CHECK(log.describe({7, 1, "placed", {}}).error().code == errc::busy);
    }
    CHECK(recorded().empty());
    CHECK(describe(log, 7, "placed", ""));
}

TEST_CASE_METHOD(describe_fixture, "descriptions are not events and no part of the digest") {
    writer log = open();
    must(log.stream("orders", 11));
    CHECK(describe(log, 7, "placed", "text"));
    append(log);
    CHECK(describe(log, 8, "filled", "text"));
    REQUIRE(log.close());
    auto events = must(cursor::open(directory, {.names = true}));
    const event* first = events.next();
    REQUIRE(first != nullptr);
    CHECK(first->sequence() == 0);
    REQUIRE(events.descriptions_before().size() == 1);
    CHECK(events.descriptions_before()[0].name == "placed");
    CHECK(events.descriptions_before()[0].next_sequence == 0);
    CHECK(events.names_before().size() == 1);
    const std::uint64_t with_description = first->names_digest();
    CHECK(events.next() == nullptr);
    REQUIRE(events.descriptions_before().size() == 1);
    CHECK(events.descriptions_before()[0].name == "filled");

    const auto other = home.path() / "other";
    writer plain = must(writer::open(other, options));
    must(plain.stream("orders", 11));
    append(plain);
    REQUIRE(plain.close());
    auto without = must(cursor::open(other, {.names = true}));
    const event* same = without.next();
    REQUIRE(same != nullptr);
    CHECK(without.descriptions_before().empty());
    CHECK(same->names_digest() == with_description);
    CHECK(same->content_hash() == first->content_hash());
    // Descriptions are gathered only if they are asked for.
    auto quiet = must(cursor::open(directory));
    REQUIRE(quiet.next() != nullptr);
    CHECK(quiet.descriptions_before().empty());
}
