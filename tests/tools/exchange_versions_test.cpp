// A journal that version 1 of the exchange wrote, as later versions of the program read it.
#include "exchange_versions.hpp"

#include "cli_support.hpp"

#include <catch2/catch.hpp>
#include <exchange_versions_bfbs.hpp>
#include <fmt/format.h>

#include <pawl/codec/decoder.hpp>
#include <pawl/codec/encoder.hpp>
#include <pawl/codec/registration.hpp>
#include <pawl/journal/cursor.hpp>
#include <pawl/replay/fold.hpp>
#include <pawl/replay/parallel_fold.hpp>

using namespace pawl::test;

namespace {

// A copy of tests/golden/files/exchange_v1: `pawl-exchange run DIR --commands 600 --segment-bytes
// 65536`, when every event was in schema version 1.
struct old_journal {
    old_journal() {
        std::filesystem::copy(PAWL_TESTS_DIR "/golden/files/exchange_v1", directory());
    }
    [[nodiscard]] std::string directory() const { return home.path() / "exchange"; }
    [[nodiscard]] pawl::writer open() const {
        return must(pawl::writer::open(directory(), {.sync = pawl::sync_policy::manual(),
                                                     .full = pawl::when_full::fail,
                                                     .background_threads = false}));
    }
    // The rows that a query gives, without the heading.
    [[nodiscard]] std::string ask(const std::string& query) const {
        const finished_process done = run_pawl({"sql", "--format", "csv", directory(), query});
        return done.exit_code == 0 ? done.out.substr(done.out.find('\n') + 1) : done.err;
    }

    temporary_directory home;
};

// A read model that another database would hold: a visitor, and the position that it has reached.
struct projection {
    exchange::orders_and_trades model{};
    pawl::sequence_number next = 0;
    std::uint32_t parts = 0;  // beyond the first of an event

    template <class Table>
    void operator()(const Table& e, const pawl::event&, pawl::event_part part) {
        exchange::every_shape::evolve(model, e);
        parts += part.index != 0 ? 1 : 0;
    }
};

template <class Events>
projection project(const std::string& directory) {
    projection made;
    pawl::decoder<Events> decode{pawl::unknown_events::fail};
    auto events = must(pawl::cursor::open(directory));
    while (const pawl::event* e = events.next()) {
        must(decode(*e, made));
        made.next = e->sequence() + 1;
    }
    CHECK(events.finish());
    return made;
}

template <class Fold>
auto state_of(const std::string& directory) {
    auto whole = must(pawl::fold<Fold>(directory));
    CHECK(whole.progress.events == 755);
    CHECK(must(pawl::fold_by_stream<Fold>(directory)).state == whole.state);
    return std::move(whole.state);
}
template <class Events>
auto trades_of(const std::string& directory) {
    using counts = exchange::program<exchange::trades, Events>;
    auto whole = must(pawl::fold<counts>(directory)).state;
    CHECK(must(pawl::fold_by_segment<counts>(directory)).state == whole);
    return whole;
}

template <class Events>
using books_of = exchange::program<exchange::every_shape, Events>;

exchange::orders_and_trades in_cents(exchange::orders_and_trades ticks) {
    for (auto& [id, order] : ticks.orders)
        order.price *= exchange::cents_in_tick;
    for (auto& [instrument, sum] : ticks.turnover)
        sum *= exchange::cents_in_tick;
    return ticks;
}

std::int64_t resting_value(const exchange::orders_and_trades& s) {
    std::int64_t sum = 0;
    for (const auto& [id, order] : s.orders)
        sum += order.price * order.open;
    return sum;
}

std::string rows(const std::map<std::uint16_t, std::int64_t>& sums) {
    std::string text;
    for (const auto& [instrument, sum] : sums)
        text += fmt::format("{},{}\n", instrument, sum);
    return text;
}

}  // namespace

TEST_CASE("versions 2 and 3 replay a journal of version 1 to the state that version 1 had") {
    const old_journal journal;
    const auto ticks = state_of<books_of<exchange::version_1>>(journal.directory());
    // As a Python program counted them in the dump of the journal.
    CHECK(ticks.orders.size() == 175);
    CHECK(resting_value(ticks) == 405'804'230);
    CHECK(ticks.rejected == 5);
    CHECK(ticks.turnover.at(0) == 10'214'612);
    CHECK(ticks.turnover.at(7) == 48'000'819);
    CHECK(state_of<books_of<exchange::version_2>>(journal.directory()) == ticks);

    auto cents = in_cents(ticks);
    cents.rejected = 0;  // version 3 dropped them
    CHECK(state_of<books_of<exchange::version_3>>(journal.directory()) == cents);
    CHECK(trades_of<exchange::version_1>(journal.directory()) == ticks.turnover);
    CHECK(trades_of<exchange::version_2>(journal.directory()) == ticks.turnover);
    CHECK(trades_of<exchange::version_3>(journal.directory()) == cents.turnover);

    const projection second = project<exchange::version_2>(journal.directory());
    CHECK(second.model == ticks);
    CHECK(second.parts == 50);  // one `replaced` each
    const projection third = project<exchange::version_3>(journal.directory());
    CHECK(third.model == cents);
    CHECK(third.parts == 50);
    CHECK(third.next == 755);
}

TEST_CASE("SQL over a journal of three versions gives the state of the newest") {
    const old_journal journal;
    const std::string untouched = "select instrument, sum(price * quantity) from filled group by 1";
    auto traded = trades_of<exchange::version_1>(journal.directory());
    CHECK(journal.ask(untouched) == rows(traded));
    {
        pawl::writer log = journal.open();
        const auto second =
            must(pawl::register_events<exchange::version_2>(log, exchange_versions_bfbs()));
        CHECK(second.recorded > 0);
        const auto third =
            must(pawl::register_events<exchange::version_3>(log, exchange_versions_bfbs()));
        CHECK(third.recorded > 0);
        pawl::encoder encode;
        must(encode.append(log, {.stream = 1}, [](auto& b) {
            return exchange::v3::Createfilled(b, 601, 1, 2, 0, exchange::v1::side::buy, 1234, 10);
        }));
        must(log.close());
    }
    CHECK(journal.ask(untouched + " having sum(price) is not null") == rows(traded));
    for (auto& [instrument, sum] : traded)
        sum *= exchange::cents_in_tick;
    traded[0] += 12340;
    CHECK(journal.ask("select instrument, sum(coalesce(cents, price * 5) * quantity) from filled "
                      "group by 1") == rows(traded));
    CHECK(trades_of<exchange::version_3>(journal.directory()) == traded);
    // Both shapes of the split event.
    CHECK(journal.ask("select count(*), count(quantity), count(cents) from repriced") ==
          "50,50,0\n");
}

TEST_CASE("renamed types and fields are found by their earlier names") {
    const old_journal journal;
    const std::string old_query = "select count(*), sum(market), max(price) from accepted";
    const std::string before = journal.ask(old_query);
    CHECK(before.starts_with("438,"));
    const finished_process old_dump =
        run_pawl({"dump", journal.directory(), "--type", "accepted", "--where", "market = 1"});
    {
        pawl::writer log = journal.open();
        must(pawl::register_events<exchange::version_2>(log, exchange_versions_bfbs()));
        must(log.close());
    }
    CHECK(journal.ask(old_query) == before);
    CHECK(journal.ask("select count(*), sum(at_market), max(price) from order_accepted") == before);
    CHECK(journal.ask("select count(*) from replaced") == "50\n");
    // What `select *` shows has each field once.
    const finished_process all =
        run_pawl({"sql", "--format", "csv", journal.directory(), "select * from accepted limit 1"});
    CHECK(lines_of(all.out)[0] ==
          "sequence,time,timestamp_ns,stream,version,command,instrument,side,at_market,price,"
          "quantity");
    const finished_process dump =
        run_pawl({"dump", journal.directory(), "--type", "accepted", "--where", "market = 1"});
    REQUIRE(lines_of(dump.out).size() == lines_of(old_dump.out).size());
    CHECK(contains(dump.out, R"("type":"order_accepted")"));
    CHECK(contains(dump.out, R"("at_market":true)"));

    // A dump of the time before, and a line of that time, go in under the new names.
    const finished_process appended =
        run({"bash", "-c",
             "printf '%s\\n' '{\"command\":601,\"market\":true,\"price\":7,\"quantity\":1}' | '" +
                 pawl::test::program + "' append '" + journal.directory() + "' --type accepted"});
    INFO(appended.err);
    CHECK(appended.exit_code == 0);
    CHECK(journal.ask("select at_market, price from order_accepted where command = 601") ==
          "1,7\n");
}
