#include "clients.hpp"
#include "gateway.hpp"
#include "state_bytes.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch.hpp>

#include <pawl/codec/decode.hpp>
#include <pawl/codec/dispatch.hpp>
#include <pawl/journal/cursor.hpp>
#include <pawl/replay/restore.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <future>
#include <map>
#include <thread>
#include <variant>
#include <vector>

using namespace exchange;
using pawl::test::temporary_directory;

namespace {

constexpr session_id sessions = 3;

gateway open(const std::filesystem::path& journal, gateway_options options = {}) {
    options.segment_bytes = 1 << 20;
    auto opened = gateway::open(journal, std::move(options));
    REQUIRE(opened);
    return std::move(*opened);
}

// All clients together send this many commands, with those of earlier runs.
client_report run(gateway& books, std::uint64_t commands, std::uint64_t sent_again = 0) {
    const auto done = run_clients(
        books, {.seed = 7, .sessions = sessions, .commands = commands, .sent_again = sent_again});
    REQUIRE(done);
    return *done;
}

// The fingerprint of a run that nothing interrupts.
std::uint64_t uninterrupted(std::uint64_t commands) {
    const temporary_directory place;
    gateway books = open(place.path() / "journal");
    (void)run(books, commands);
    REQUIRE(books.close());
    return fingerprint(books.state());
}

std::uint64_t from_journal(const std::filesystem::path& journal, bool use_snapshots) {
    const auto restored = pawl::restore<engine>(journal, {}, {.use_snapshots = use_snapshots});
    REQUIRE(restored);
    return fingerprint(restored->state);
}

gateway::outcome answer_to(gateway& books, const command& c) {
    std::promise<gateway::outcome> answered;
    auto answer = answered.get_future();
    REQUIRE(books.submit(c, [&](const gateway::outcome& outcome) { answered.set_value(outcome); }));
    return answer.get();
}

command buy(std::uint64_t number, std::int64_t price) {
    return {.id = number, .price = price, .quantity = 1};
}

reason why(const gateway::outcome& outcome) {
    REQUIRE_FALSE(outcome);
    REQUIRE(std::holds_alternative<reason>(outcome.error()));
    return std::get<reason>(outcome.error());
}

}  // namespace

TEST_CASE("a gateway that is closed and opened again continues as if it had never stopped") {
    const temporary_directory place;
    const auto journal = place.path() / "journal";
    for (const std::uint64_t commands : {1'000u, 1'001u, 6'000u}) {
        gateway books = open(journal);
        (void)run(books, commands);
        REQUIRE(books.close());
    }
    CHECK(from_journal(journal, true) == uninterrupted(6'000));
    CHECK(from_journal(journal, false) == uninterrupted(6'000));
}

TEST_CASE("a gateway that dies continues after the last commands in its journal") {
    const temporary_directory place;
    const auto journal = place.path() / "journal";
    {
        gateway books = open(journal);
        (void)run(books, 3'000);
    }
    gateway books = open(journal);
    CHECK(books.recovery().state == pawl::found::torn_tail);
    CHECK(books.state().commands() > 2'900);  // the last of each session may have been refused
    (void)run(books, 6'000);
    REQUIRE(books.close());
    CHECK(fingerprint(books.state()) == uninterrupted(6'000));
}

TEST_CASE("commands that clients send again are answered and not decided") {
    const temporary_directory place;
    const auto journal = place.path() / "journal";
    const std::uint64_t whole = uninterrupted(3'000);
    {
        gateway books = open(journal);
        (void)run(books, 3'000);
    }
    for (const std::uint64_t again : {500u, 3'000u}) {
        gateway books = open(journal);
        const client_report report = run(books, 3'000, again);
        CHECK(report.sent_again == std::min(again * sessions, books.state().commands()));
        CHECK(report.repeated > again / 2);
        CHECK(report.accepted == 0);
        REQUIRE(books.close());
        CHECK(fingerprint(books.state()) == whole);
    }
}

TEST_CASE("a client order id gives its first outcome again, and only for the same order") {
    const temporary_directory place;
    const auto journal = place.path() / "journal";
    pawl::receipt first{};
    {
        gateway books = open(journal);
        const auto entered = answer_to(books, buy(1, 100));
        REQUIRE(entered);
        CHECK(entered->events == 1);
        CHECK_FALSE(entered->repeated);
        first = entered->last;
        const auto again = answer_to(books, buy(1, 100));
        REQUIRE(again);
        CHECK(again->repeated);
        CHECK(again->last.sequence == first.sequence);
    }
    gateway books = open(journal);
    const auto again = answer_to(books, buy(1, 100));
    REQUIRE(again);
    CHECK(again->repeated);
    CHECK(again->last.sequence == first.sequence);
    const auto other = answer_to(books, buy(1, 101));
    REQUIRE_FALSE(other);
    CHECK(std::get<pawl::error>(other.error()).code == pawl::errc::command_id_reused);
    REQUIRE(books.close());
    CHECK(books.state().events == 1);
}

TEST_CASE("a command that was refused stays refused when it is sent again and would fit") {
    const temporary_directory place;
    const auto journal = place.path() / "journal";
    {
        gateway books = open(journal);
        const command early{.id = 2, .asks = command::action::cancel, .order = 1'000'000'000'001};
        CHECK(why(answer_to(books, early)) == reason::unknown_order);
        REQUIRE(answer_to(books, {.id = early.order, .price = 100, .quantity = 1}));
        CHECK(why(answer_to(books, early)) == reason::unknown_order);
    }
    gateway books = open(journal);
    const command early{.id = 2, .asks = command::action::cancel, .order = 1'000'000'000'001};
    CHECK(why(answer_to(books, early)) == reason::unknown_order);
    CHECK(answer_to(books, {.id = 3, .asks = command::action::cancel, .order = early.order}));
}

TEST_CASE("a command that is sent again when its id is forgotten is refused, not decided") {
    const temporary_directory place;
    gateway books = open(place.path() / "journal", {.command_window = 2});
    for (std::uint64_t number = 1; number <= 3; ++number)
        REQUIRE(answer_to(books, buy(number, 100)));
    CHECK(why(answer_to(books, buy(1, 100))) == reason::out_of_sequence);
    CHECK(answer_to(books, buy(3, 100))->repeated);
    REQUIRE(books.close());
    CHECK(books.state().books[0].orders(side::buy) == 3);
}

TEST_CASE("the books are restored from a snapshot and the events after it") {
    const temporary_directory place;
    const auto journal = place.path() / "journal";
    {
        gateway books = open(journal, {.snapshot_every = 500});
        // The follower takes snapshots of what is durable while commands go on.
        for (std::uint64_t commands = 6'000; books.snapshots() < 2; commands += 1'000)
            (void)run(books, commands);
        REQUIRE(books.close());
    }
    const auto restored = pawl::restore<engine>(journal);
    REQUIRE(restored);
    REQUIRE(restored->report.used);
    CHECK(restored->report.rejected.empty());
    CHECK(restored->report.tail_events < restored->state.events);
    CHECK(fingerprint(restored->state) == from_journal(journal, false));
}

TEST_CASE("every fill and every bust is sent once, in order, and only when it is durable") {
    const temporary_directory place;
    const auto journal = place.path() / "journal";
    std::vector<fill_notice> sent;
    {
        gateway books =
            open(journal, {.send = [&](const fill_notice& fill) { sent.push_back(fill); }});
        (void)run(books, 6'000);
        REQUIRE(books.close());
        CHECK(books.fills_sent() == books.state().fills + books.state().busts);
        CHECK(books.state().busts > 10);
    }
    std::size_t next = 0;
    auto events = pawl::cursor::open(journal, {.show = pawl::visibility::durable});
    REQUIRE(events);
    const auto compare = [&](const auto& table, std::int64_t sign) {
        REQUIRE(next < sent.size());
        CHECK(table.command() == sent[next].command);
        CHECK(table.maker() == sent[next].maker);
        CHECK(sign * std::int64_t{table.quantity()} == sent[next].quantity);
        ++next;
    };
    const auto read = events->for_each([&](const pawl::event& event) {
        if (pawl::is<filled>(event))
            compare(pawl::view<filled>(event), 1);
        if (pawl::is<busted>(event))
            compare(pawl::view<busted>(event), -1);
    });
    REQUIRE(read);
    CHECK(next == sent.size());
    CHECK(next > 100);
}

TEST_CASE("the next run sends the fills that the last run did not send") {
    const temporary_directory place;
    const auto journal = place.path() / "journal";
    std::vector<fill_notice> sent;
    const auto options = [&](std::uint64_t arrived) {
        return gateway_options{.send = [&](const fill_notice& fill) { sent.push_back(fill); },
                               .arrived = arrived};
    };
    {
        gateway books = open(journal, options(0));
        (void)run(books, 2'000);
        REQUIRE(books.close());
    }
    const std::vector<fill_notice> all = sent;
    REQUIRE(all.size() > 100);

    // The last ten never arrived, because the process died after the append.
    const std::size_t arrived = all.size() - 10;
    sent.clear();
    gateway books = open(journal, options(arrived));
    REQUIRE(books.close());
    REQUIRE(sent.size() == 10);
    for (std::size_t n = 0; n < sent.size(); ++n) {
        CHECK(sent[n].command == all[arrived + n].command);
        CHECK(sent[n].maker == all[arrived + n].maker);
    }

    sent.clear();
    gateway complete = open(journal, options(all.size()));
    REQUIRE(complete.close());
    CHECK(sent.empty());
    const auto too_many = gateway::open(journal, options(all.size() + 1));
    REQUIRE_FALSE(too_many);
    CHECK(too_many.error().code == pawl::errc::invalid_argument);
}

TEST_CASE("a journal's events have the tags of the accounts that they concern") {
    const temporary_directory place;
    const auto journal = place.path() / "journal";
    {
        gateway books = open(journal);
        REQUIRE(answer_to(books, {.id = 1, .account = 9, .price = 100, .quantity = 2}));
        REQUIRE(answer_to(
            books, {.id = 2, .account = 4, .side = side::sell, .price = 100, .quantity = 1}));
        REQUIRE(answer_to(
            books,
            {.id = 3, .asks = command::action::replace, .order = 1, .price = 99, .quantity = 1}));
        REQUIRE(answer_to(books, {.id = 4, .asks = command::action::bust, .order = 2}));
        REQUIRE(answer_to(books, {.id = 5, .asks = command::action::cancel, .order = 1}));
        REQUIRE(books.close());
    }
    using tags = std::vector<std::uint64_t>;
    std::vector<tags> seen;
    auto events = pawl::cursor::open(journal);
    REQUIRE(events);
    REQUIRE(events->for_each([&](const pawl::event& event) {
        const pawl::number_list of = event.metadata().tags();
        tags& mine = seen.emplace_back();
        for (std::size_t n = 0; n < of.size(); ++n)
            mine.push_back(of[n]);
        CHECK(event.metadata().command());
    }));
    CHECK(seen == std::vector<tags>{{1009}, {1004}, {1004, 1009}, {1009}, {1004, 1009}, {1009}});
}

TEST_CASE("the events of a command are one batch, and each session's commands are in order") {
    const temporary_directory place;
    const auto journal = place.path() / "journal";
    client_report report;
    {
        gateway books = open(journal);
        report = run(books, 3'000);
        REQUIRE(books.close());
    }
    std::uint64_t commands = 0;
    std::map<std::uint64_t, order_id> last;
    std::optional<order_id> open_batch;
    auto events = pawl::cursor::open(journal, {.filter = {{.types = {1, 2, 3, 4, 6}}}});
    REQUIRE(events);
    const auto read = events->for_each([&](const pawl::event& event) {
        order_id command = 0;
        REQUIRE(pawl::dispatch<engine::events>(event, [&](const auto& table) {
            if constexpr (requires { table.command(); })
                command = table.command();
        }));
        if (open_batch) {
            CHECK(command == *open_batch);
        } else {
            CHECK(command > last[session_of(command)]);
            ++commands;
        }
        last[session_of(command)] = command;
        open_batch = event.more_in_batch() ? std::optional{command} : std::nullopt;
    });
    REQUIRE(read);
    CHECK_FALSE(open_batch);
    CHECK(commands == report.accepted);
    std::uint64_t refused = 0;
    for (const std::uint64_t each : report.refused)
        refused += each;
    CHECK(report.accepted + refused == 3'000);
}

TEST_CASE("a day order leaves the book when its time has come, once, also after a crash") {
    const temporary_directory place;
    const auto journal = place.path() / "journal";
    const auto since_1970 = [] {
        return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                              std::chrono::system_clock::now().time_since_epoch())
                                              .count());
    };
    const auto day_order = [](std::uint64_t number, std::uint64_t expires_ns) {
        command c = buy(number, 100);
        c.expires_ns = expires_ns;
        return c;
    };
    const auto count_expired = [&] {
        std::map<order_id, int> times;
        auto events = pawl::cursor::open(journal);
        REQUIRE(events);
        REQUIRE(events->for_each([&](const pawl::event& e) {
            if (pawl::is<expired>(e))
                ++times[pawl::decode<expired>(e).value()->order()];
        }));
        return times;
    };
    constexpr std::uint64_t hour = 3'600'000'000'000;
    const std::uint64_t begin = since_1970();
    {
        gateway books = open(journal);
        REQUIRE(answer_to(books, day_order(1, begin + hour)));
        REQUIRE(answer_to(books, day_order(2, begin)));
        REQUIRE(answer_to(books, day_order(3, 0)));
        while (!count_expired().contains(2))
            std::this_thread::yield();
    }
    // Its time comes while the exchange is down.
    {
        gateway books = open(journal);
        REQUIRE(answer_to(books, day_order(4, since_1970())));
    }
    gateway books = open(journal);
    while (!count_expired().contains(4))
        std::this_thread::yield();
    REQUIRE(books.close());
    CHECK(count_expired() == std::map<order_id, int>{{2, 1}, {4, 1}});
    CHECK(books.state().books[0].orders(side::buy) == 2);
    CHECK(books.state().accounts[0].open[0] == 200);
    CHECK(from_journal(journal, false) == fingerprint(books.state()));
}
