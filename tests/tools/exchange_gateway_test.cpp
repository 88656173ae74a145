#include "gateway.hpp"
#include "order_flow.hpp"
#include "state_bytes.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/cursor.hpp>
#include <pawl/replay/restore.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

using namespace exchange;
using pawl::test::temporary_directory;

namespace {

constexpr std::uint64_t seed = 7;

void run(gateway& books, std::uint64_t commands) {
    const order_flow flow{seed};
    while (books.state().commands < commands)
        REQUIRE(books.take(flow.next(books.state())));
}

// The fingerprint of a run that nothing interrupts.
std::uint64_t uninterrupted(std::uint64_t commands) {
    const temporary_directory place;
    auto books = gateway::open(place.path() / "journal", {.segment_bytes = 1 << 20});
    REQUIRE(books);
    run(*books, commands);
    REQUIRE(books->close());
    return fingerprint(books->state());
}

std::uint64_t from_journal(const std::filesystem::path& journal, bool use_snapshots) {
    const auto restored = pawl::restore<engine>(journal, {}, {.use_snapshots = use_snapshots});
    REQUIRE(restored);
    return fingerprint(restored->state);
}

}  // namespace

TEST_CASE("a gateway that is closed and opened again continues as if it had never stopped") {
    const temporary_directory place;
    const auto journal = place.path() / "journal";
    for (const std::uint64_t commands : {1'000u, 1'001u, 5'000u}) {
        auto books = gateway::open(journal, {.segment_bytes = 1 << 20});
        REQUIRE(books);
        run(*books, commands);
        REQUIRE(books->close());
    }
    CHECK(from_journal(journal, true) == uninterrupted(5'000));
    CHECK(from_journal(journal, false) == uninterrupted(5'000));
}

TEST_CASE("a gateway that dies continues after the last command in its journal") {
    const temporary_directory place;
    const auto journal = place.path() / "journal";
    {
        auto books = gateway::open(journal, {.segment_bytes = 1 << 20});
        REQUIRE(books);
        run(*books, 3'000);
    }
    auto books = gateway::open(journal, {.segment_bytes = 1 << 20});
    REQUIRE(books);
    CHECK(books->recovery().state == pawl::found::torn_tail);
    CHECK(books->state().commands == 3'000);
    run(*books, 5'000);
    REQUIRE(books->close());
    CHECK(fingerprint(books->state()) == uninterrupted(5'000));
}

TEST_CASE("the books are restored from a snapshot and the events after it") {
    const temporary_directory place;
    const auto journal = place.path() / "journal";
    {
        auto books = gateway::open(journal, {.segment_bytes = 1 << 20, .snapshot_every = 500});
        REQUIRE(books);
        // The follower takes snapshots of what is durable while commands go on.
        const order_flow flow{seed};
        while (books->snapshots() < 2 || books->state().commands < 5'000)
            REQUIRE(books->take(flow.next(books->state())));
        REQUIRE(books->close());
    }
    const auto restored = pawl::restore<engine>(journal);
    REQUIRE(restored);
    REQUIRE(restored->report.used);
    CHECK(restored->report.rejected.empty());
    CHECK(restored->report.used->point.next + restored->report.tail_events ==
          restored->state.events);
    CHECK(fingerprint(restored->state) == from_journal(journal, false));
}

TEST_CASE("every fill is sent once, in order, and only when it is durable") {
    const temporary_directory place;
    const auto journal = place.path() / "journal";
    std::vector<filled_data> sent;
    {
        auto books = gateway::open(
            journal, {.segment_bytes = 1 << 20,
                      .send = [&](const filled_data& fill) { sent.push_back(fill); }});
        REQUIRE(books);
        run(*books, 2'000);
        REQUIRE(books->close());
        CHECK(books->fills_sent() == books->state().fills);
    }
    std::size_t next = 0;
    auto events = pawl::cursor::open(journal, {.show = pawl::visibility::durable});
    REQUIRE(events);
    const auto read = events->for_each([&](const pawl::event& event) {
        if (!pawl::is<filled>(event))
            return;
        REQUIRE(next < sent.size());
        const auto& fill = pawl::view<filled>(event);
        CHECK(fill.command() == sent[next].command);
        CHECK(fill.maker() == sent[next].maker);
        CHECK(fill.quantity() == sent[next].quantity);
        ++next;
    });
    REQUIRE(read);
    CHECK(next == sent.size());
    CHECK(next > 100);
}

TEST_CASE("the next run sends the fills that the last run did not send") {
    const temporary_directory place;
    const auto journal = place.path() / "journal";
    std::vector<filled_data> sent;
    const auto open = [&](std::uint64_t arrived) {
        return gateway::open(journal,
                             {.segment_bytes = 1 << 20,
                              .send = [&](const filled_data& fill) { sent.push_back(fill); },
                              .arrived = arrived});
    };
    {
        auto books = open(0);
        REQUIRE(books);
        run(*books, 2'000);
        REQUIRE(books->close());
    }
    const std::vector<filled_data> all = sent;
    REQUIRE(all.size() > 100);

    // The last ten never arrived, because the process died after the append.
    const std::size_t arrived = all.size() - 10;
    sent.clear();
    auto books = open(arrived);
    REQUIRE(books);
    REQUIRE(sent.size() == 10);
    for (std::size_t n = 0; n < sent.size(); ++n) {
        CHECK(sent[n].command == all[arrived + n].command);
        CHECK(sent[n].maker == all[arrived + n].maker);
    }
    REQUIRE(books->close());
    CHECK(sent.size() == 10);

    sent.clear();
    CHECK(open(all.size()));
    CHECK(sent.empty());
    const auto too_many = open(all.size() + 1);
    REQUIRE_FALSE(too_many);
    CHECK(too_many.error().code == pawl::errc::invalid_argument);
}

TEST_CASE("the events of a command are one batch, and every command has some") {
    const temporary_directory place;
    const auto journal = place.path() / "journal";
    {
        auto books = gateway::open(journal, {.segment_bytes = 1 << 20});
        REQUIRE(books);
        run(*books, 2'000);
        REQUIRE(books->close());
    }
    std::uint64_t commands = 0;
    bool batch_is_open = false;
    auto events = pawl::cursor::open(journal);
    REQUIRE(events);
    const auto read = events->for_each([&](const pawl::event& event) {
        std::uint64_t number = 0;
        REQUIRE(pawl::dispatch<engine::events>(
            event, [&](const auto& table) { number = table.command(); }));
        CHECK(number == commands + (batch_is_open ? 0 : 1));
        commands = number;
        batch_is_open = event.more_in_batch();
    });
    REQUIRE(read);
    CHECK_FALSE(batch_is_open);
    CHECK(commands == 2'000);
}
