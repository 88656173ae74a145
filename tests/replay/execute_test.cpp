#include "bank_journal.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/replay/execute.hpp>
#include <pawl/replay/fold.hpp>

#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace {

using bank::ledger;

// Decides with the expected version from the state, which may be out of date.
struct careful : ledger {
    static outcome decide(const bank::deposit& c, const state& s, pawl::decision& out) {
        const auto of = s.accounts.find(c.account);
        const std::uint64_t version = of == s.accounts.end() ? 0 : of->second.events;
        out.append({.stream = c.account, .expected = pawl::expect::exactly(version)},
                   bank::some_deposit(c.account, c.amount));
        return {};
    }
};

// Never refuses, and keeps what the events' headers hold.
struct headers_seen {
    using state = std::vector<std::pair<pawl::sequence_number, pawl::stream_version>>;
    using events = pawl::event_list<bank::deposited>;
    static state initial() { return {}; }
    static void evolve(state& s, const bank::deposited&, const pawl::event& from) {
        REQUIRE(from.stream() == 1);
        REQUIRE(from.timestamp_ns() != 0);
        s.emplace_back(from.sequence(), from.version());
    }
    static void decide(const bank::deposit& c, const state&, pawl::decision& out) {
        out.append({.stream = c.account}, bank::some_deposit(c.account, c.amount));
        if (c.amount > 1)
            out.append({.stream = c.account}, bank::some_deposit(c.account, 1));
    }
};

[[nodiscard]] pawl::command_origin sent(std::uint64_t number, std::string_view bytes = "bytes") {
    pawl::message_id id{};
    std::memcpy(id.data(), &number, sizeof number);
    return {.command = pawl::reference_to(id, std::as_bytes(std::span{bytes}))};
}

// Gives each event metadata that ends with `decide`.
struct marked_bank {
    using state = ledger::state;
    using events = ledger::events;
    static state initial() { return {}; }
    static void evolve(state& s, const auto& e) { ledger::evolve(s, e); }
    static void decide(const bank::deposit& c, const state&, pawl::decision& out) {
        const std::string who = "decided by account " + std::to_string(c.account);
        const std::uint64_t mark = 77;
        for (std::int64_t left = c.amount; left != 0; --left) {
            const std::array entries{
                pawl::metadata_entry{pawl::metadata_tag::actor, std::as_bytes(std::span{who})},
                pawl::metadata_entry{pawl::metadata_tag{0x8001},
                                     std::as_bytes(std::span{&mark, 1})}};
            out.append({.stream = c.account, .metadata = entries},
                       bank::some_deposit(c.account, 1));
        }
    }
};

// A deposit that is allowed only while account 2 and account 3 are as the command's sender saw.
struct guarded_deposit : bank::deposit {
    pawl::expect second = pawl::expect::any();
    pawl::expect third = pawl::expect::any();
};
struct conditional {
    using state = ledger::state;
    using events = ledger::events;
    static state initial() { return {}; }
    static void evolve(state& s, const auto& e) { ledger::evolve(s, e); }
    static void decide(const guarded_deposit& c, const state&, pawl::decision& out) {
        out.require(2, c.second);
        for (std::int64_t left = c.amount; left != 0; --left) {
            const std::array third{pawl::stream_condition{3, c.third}};
            out.append({.stream = c.account, .conditions = third},
                       bank::some_deposit(c.account, 1));
        }
    }
};

template <class Failed>
pawl::error error_in(const Failed& failed) {
    REQUIRE_FALSE(failed);
    REQUIRE(std::holds_alternative<pawl::error>(failed.error()));
    return std::get<pawl::error>(failed.error());
}

}  // namespace

TEST_CASE("commands become events, and their state is that of a replay", "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    auto state = ledger::initial();
    pawl::decision events;

    const auto in =
        pawl::execute(ledger{}, bank::deposit{.account = 1, .amount = 10}, state, log, events);
    REQUIRE(in);
    CHECK(in->events == 1);
    CHECK(in->last.sequence == 0);
    const auto moved = pawl::execute(ledger{}, bank::transfer{.from = 1, .to = 2, .amount = 4},
                                     state, log, events);
    REQUIRE(moved);
    CHECK(moved->events == 2);
    CHECK(moved->last.sequence == 2);
    CHECK(state.accounts.at(1).balance == 6);
    CHECK(state.accounts.at(2).balance == 4);

    const auto replayed = pawl::fold<ledger>(directory.path());
    REQUIRE(replayed);
    CHECK(replayed->state == state);
    CHECK(replayed->progress.events == 3);
}

TEST_CASE("the events of one command are one batch", "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    auto state = ledger::initial();
    pawl::decision events;
    REQUIRE(pawl::execute(ledger{}, bank::deposit{.account = 1, .amount = 10}, state, log, events));
    REQUIRE(pawl::execute(ledger{}, bank::transfer{.from = 1, .to = 2, .amount = 4}, state, log,
                          events));
    auto read = pawl::cursor::open(directory.path(), {});
    REQUIRE(read);
    std::string more;
    REQUIRE(read->for_each([&](const pawl::event& e) { more += e.more_in_batch() ? 'm' : '.'; }));
    CHECK(more == ".m.");
}

TEST_CASE("a refused command and one without events do not change journal and state", "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    auto state = ledger::initial();
    pawl::decision events;
    const auto refused =
        pawl::execute(ledger{}, bank::withdraw{.account = 1, .amount = 10}, state, log, events);
    REQUIRE_FALSE(refused);
    REQUIRE(std::holds_alternative<ledger::refusal>(refused.error()));
    CHECK(std::get<ledger::refusal>(refused.error()) == ledger::refusal::account_unknown);
    const auto nothing =
        pawl::execute(ledger{}, bank::deposit{.account = 1, .amount = 0}, state, log, events);
    REQUIRE(nothing);
    CHECK(nothing->events == 0);
    CHECK(log.next_sequence() == 0);
    CHECK(state == ledger::initial());
}

TEST_CASE("a conflict appends nothing, reports the version and does not change the state",
          "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    auto state = careful::initial();
    pawl::decision events;
    REQUIRE(pawl::execute(careful{}, bank::deposit{.account = 1, .amount = 1}, state, log, events));
    pawl::encoder encode;
    REQUIRE(encode.append(log, {.stream = 1}, bank::some_deposit(1, 100)));

    const auto before = state;
    const auto conflict =
        pawl::execute(careful{}, bank::deposit{.account = 1, .amount = 1}, state, log, events);
    CHECK(error_in(conflict).code == pawl::errc::conflict);
    CHECK(error_in(conflict).stream == 1);
    CHECK(error_in(conflict).expected_version == 1);
    CHECK(error_in(conflict).actual_version == 2);
    CHECK(error_in(conflict).batch_event == 0);
    CHECK(state == before);
    CHECK(log.next_sequence() == 2);
}

TEST_CASE("a decision depends on streams that it does not write", "[replay]") {
    const pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    ledger::state state;
    pawl::decision events;
    for (int i = 0; i < 3; ++i)
        REQUIRE(pawl::execute(ledger{}, bank::deposit{2, 5}, state, log, events));
    const auto run = [&](std::int64_t amount, pawl::expect second, pawl::expect third) {
        return pawl::execute(conditional{}, guarded_deposit{{1, amount}, second, third}, state, log,
                             events);
    };
    const auto three = pawl::expect::exactly(3);
    // One event, a batch, and a batch that writes the stream it depends on.
    for (const std::int64_t amount : {1, 4}) {
        const auto before = log.next_sequence();
        const auto stale = run(amount, pawl::expect::exactly(2), pawl::expect::any());
        REQUIRE_FALSE(stale);
        CHECK(stale.error().code == pawl::errc::conflict);
        CHECK(stale.error().stream == 2);
        CHECK(stale.error().actual_version == 3);
        CHECK(stale.error().expected_version == 2);
        const auto absent = run(amount, three, pawl::expect::exists());
        REQUIRE_FALSE(absent);
        CHECK(absent.error().stream == 3);
        CHECK(log.next_sequence() == before);
        CHECK(run(amount, three, pawl::expect::no_stream()));
    }
    CHECK(pawl::execute(conditional{}, guarded_deposit{{2, 2}, three, pawl::expect::any()}, state,
                        log, events));
    CHECK(log.version(2) == 5);
    CHECK(run(0, pawl::expect::exactly(1), pawl::expect::exists()));  // appends nothing
}

TEST_CASE("a decision may require a version of the very stream that it writes", "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    // With one event the condition is the event's own expected version, with two it is not; an
    // expected version of the event's own counts beside it.
    for (const bool two : {false, true}) {
        for (const auto own : {pawl::expect::any(), pawl::expect::exists()}) {
            pawl::decision events;
            const auto decide = [&](pawl::expect required) {
                events.clear();
                events.require(1, required);
                events.append({.stream = 1, .expected = own}, bank::some_deposit(1, 1));
                if (two)
                    events.append({.stream = 1}, bank::some_deposit(1, 1));
                return events.append_to(log);
            };
            if (own.asks_exists() && log.version(1) == 0)
                continue;
            const auto before = log.version(1);
            const auto stale = decide(pawl::expect::exactly(before + 1));
            REQUIRE_FALSE(stale);
            CHECK(stale.error().code == pawl::errc::conflict);
            CHECK(stale.error().stream == 1);
            CHECK(stale.error().actual_version == before);
            CHECK(stale.error().expected_version == before + 1);
            CHECK(log.version(1) == before);
            REQUIRE(decide(pawl::expect::exactly(before)));
            CHECK(log.version(1) == before + (two ? 2 : 1));
        }
    }
    pawl::decision elsewhere;
    elsewhere.require(1, pawl::expect::no_stream());
    elsewhere.append({.stream = 2}, bank::some_deposit(2, 1));
    const auto unmet = elsewhere.append_to(log);
    REQUIRE_FALSE(unmet);
    CHECK(unmet.error().stream == 1);
}

TEST_CASE("conditions count in the limits of a decision", "[replay]") {
    pawl::decision events{{.events = 2}};
    events.require(1, pawl::expect::any());
    events.require(2, pawl::expect::any());
    CHECK_FALSE(events.failure());
    events.require(3, pawl::expect::any());
    REQUIRE(events.failure());
    CHECK(events.failure()->code == pawl::errc::too_large);
    CHECK(events.conditions().size() == 2);
    events.clear();
    CHECK(events.conditions().empty());
}

TEST_CASE("a decision that does not fit its limits is an error, and appends nothing", "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    auto state = ledger::initial();
    pawl::decision events{{.events = 1}};
    REQUIRE(pawl::execute(ledger{}, bank::deposit{.account = 1, .amount = 10}, state, log, events));
    const auto moved = pawl::execute(ledger{}, bank::transfer{.from = 1, .to = 2, .amount = 4},
                                     state, log, events);
    CHECK(error_in(moved).code == pawl::errc::too_large);
    CHECK(log.next_sequence() == 1);
    CHECK(state.accounts.at(1).balance == 10);
}

TEST_CASE("evolve sees the headers that were just written, in execute as in a replay", "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    headers_seen::state state;
    pawl::decision events;
    // Enough to roll over to new segments several times, so that views of old ones would show.
    for (std::int64_t n = 0; n < 3000; ++n)
        REQUIRE(pawl::execute(headers_seen{}, bank::deposit{.account = 1, .amount = 1 + n % 2},
                              state, log, events));
    REQUIRE(state.size() == 4500);
    CHECK(state.front() == std::pair<pawl::sequence_number, pawl::stream_version>{0, 1});
    CHECK(state.back() == std::pair<pawl::sequence_number, pawl::stream_version>{4499, 4500});
    const auto replayed = pawl::fold<headers_seen>(directory.path());
    REQUIRE(replayed);
    CHECK(replayed->state == state);
}

TEST_CASE("a command with an id is decided once, also after the writer was opened again",
          "[replay]") {
    pawl::test::temporary_directory directory;
    auto state = ledger::initial();
    pawl::decision events;
    const bank::transfer twice{.from = 1, .to = 2, .amount = 4};
    {
        auto log = bank::open_writer(directory.path());
        REQUIRE(pawl::execute(ledger{}, bank::deposit{.account = 1, .amount = 10}, state, log,
                              events, sent(1)));
        const auto first = pawl::execute(ledger{}, twice, state, log, events, sent(2));
        REQUIRE(first);
        CHECK_FALSE(first->repeated);
        CHECK(first->first.sequence == 1);
        CHECK(first->last.sequence == 2);
        const auto again = pawl::execute(ledger{}, twice, state, log, events, sent(2));
        REQUIRE(again);
        CHECK(again->repeated);
        CHECK(again->events == 2);
        CHECK(again->first.position == first->first.position);
        CHECK(again->last.sequence == first->last.sequence);
        CHECK(again->last.version == first->last.version);
        CHECK(log.next_sequence() == 3);
    }
    auto log = bank::open_writer(directory.path());
    const auto again = pawl::execute(ledger{}, twice, state, log, events, sent(2));
    REQUIRE(again);
    CHECK(again->repeated);
    CHECK(again->last.sequence == 2);
    CHECK(state.accounts.at(1).balance == 6);
    const auto other = pawl::execute(ledger{}, twice, state, log, events, sent(2, "other bytes"));
    CHECK(error_in(other).code == pawl::errc::command_id_reused);
    CHECK(log.next_sequence() == 3);
}

TEST_CASE("a refusal is remembered if its origin says so", "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    auto state = ledger::initial();
    pawl::decision events;
    const bank::withdraw refused{.account = 1, .amount = 5};
    const auto answer = [&](const pawl::command_origin& origin) {
        return pawl::execute(ledger{}, refused, state, log, events, origin);
    };
    auto remembered = sent(1);
    remembered.records_refusals = true;
    CHECK(std::get<ledger::refusal>(answer(remembered).error()) ==
          ledger::refusal::account_unknown);
    CHECK(std::get<ledger::refusal>(answer(sent(2)).error()) == ledger::refusal::account_unknown);
    CHECK(log.next_sequence() == 1);
    REQUIRE(pawl::execute(ledger{}, bank::deposit{.account = 1, .amount = 10}, state, log, events));
    // Now it would go through; the recorded one stays refused, and the other is decided.
    CHECK(std::get<ledger::refusal>(answer(remembered).error()) ==
          ledger::refusal::account_unknown);
    CHECK(answer(sent(2)));
    CHECK(state.accounts.at(1).balance == 5);
    const auto replayed = pawl::fold<ledger>(directory.path());
    REQUIRE(replayed);
    CHECK(replayed->state == state);
}

TEST_CASE("a command without events is remembered if its origin says so", "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    auto state = ledger::initial();
    pawl::decision events;
    auto origin = sent(1);
    origin.records_refusals = true;
    const bank::deposit nothing{.account = 1, .amount = 0};
    const auto first = pawl::execute(ledger{}, nothing, state, log, events, origin);
    REQUIRE(first);
    CHECK_FALSE(first->repeated);
    const auto again = pawl::execute(ledger{}, nothing, state, log, events, origin);
    REQUIRE(again);
    CHECK(again->repeated);
    CHECK(again->events == 0);
    CHECK(log.next_sequence() == 1);
    // It needs an id.
    CHECK(error_in(pawl::execute(ledger{}, nothing, state, log, events, {.records_refusals = true}))
              .code == pawl::errc::invalid_argument);
}

TEST_CASE("events carry what their command's origin says, and what decide adds", "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    marked_bank::state state;
    pawl::decision events;
    auto origin = sent(1);
    origin.correlation = pawl::message_id{std::byte{1}};
    origin.causation = pawl::message_id{std::byte{2}};
    origin.actor = "the origin's";
    origin.source_time_ns = 12345;
    for (const std::int64_t amount : {1, 100})
        REQUIRE(pawl::execute(marked_bank{}, bank::deposit{.account = 9, .amount = amount}, state,
                              log, events, amount == 1 ? pawl::command_origin{} : origin));
    auto read = pawl::cursor::open(directory.path());
    REQUIRE(read);
    REQUIRE(read->for_each([&](const pawl::event& e) {
        const auto metadata = e.metadata();
        CHECK(metadata.actor() == "decided by account 9");
        CHECK(metadata.find(pawl::metadata_tag{0x8001}));
        if (e.sequence() == 0) {
            CHECK_FALSE(metadata.command());
            return;
        }
        CHECK(metadata.command() == origin.command);
        CHECK(metadata.correlation() == origin.correlation);
        CHECK(metadata.causation() == origin.causation);
        CHECK(metadata.source_time_ns() == 12345);
    }));
    CHECK(log.next_sequence() == 101);
    CHECK(log.find_command(origin.command->id)->events == 100);
}
