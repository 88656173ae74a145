// Pawl's own event types: no application appends one, copies preserve them, folds skip them.
#include "bank_journal.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/journal/cursor.hpp>
#include <pawl/replay/fold.hpp>

#include <array>

TEST_CASE("an application cannot append an event of Pawl's own types", "[replay]") {
    const pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path() / "bank");
    const std::array<std::byte, 8> payload{};
    for (const std::uint16_t type : std::initializer_list<std::uint16_t>{0xff00, 0xff01, 0xffff}) {
        const auto appended = log.append({.type = type}, payload);
        REQUIRE_FALSE(appended);
        CHECK(appended.error().code == pawl::errc::invalid_argument);
        const auto reserved = log.reserve({.type = type}, 8);
        REQUIRE_FALSE(reserved);
        CHECK(reserved.error().code == pawl::errc::invalid_argument);
        auto batch = log.begin_batch(1, 8);
        REQUIRE(batch);
        const auto added = batch->append({.type = type}, payload);
        REQUIRE_FALSE(added);
        CHECK(added.error().code == pawl::errc::invalid_argument);
    }
    CHECK(log.append({.type = 0xfeff}, payload));
    CHECK(log.next_sequence() == 1);
}

TEST_CASE("a copy preserves Pawl's own events, and a fold skips them", "[replay]") {
    const pawl::test::temporary_directory home;
    const auto directory = home.path() / "bank";
    {
        auto log = pawl::writer::open(directory, {.segment_bytes = 64 << 10, .origin = {1, 2, 3}});
        REQUIRE(log);
        pawl::encoder encode;
        REQUIRE(encode.append(*log, {.stream = 1}, bank::some_deposit(1, 5)));
        for (const std::uint16_t type : std::initializer_list<std::uint16_t>{0xff00, 0xffff})
            REQUIRE(log->append({.type = type, .schema_version = 9}, {}));
        REQUIRE(encode.append(*log, {.stream = 1}, bank::some_deposit(1, 7)));
        REQUIRE(log->close());
    }
    auto events = pawl::cursor::open(directory);
    REQUIRE(events);
    const bank::ledger by;
    auto state = by.initial();
    pawl::fold_progress progress;
    REQUIRE(pawl::fold(*events, by, state, progress));
    CHECK(progress.events == 4);
    CHECK(state.accounts.at(1).balance == 12);
}
