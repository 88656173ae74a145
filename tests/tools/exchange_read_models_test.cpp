// The exchange's read models against its books.
#include "engine.hpp"
#include "read_models.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sqlite3.h>

#include <pawl/replay/restore.hpp>

#include <cstdint>
#include <string>

using namespace exchange;
using namespace pawl::test;

namespace {

const std::string program = PAWL_TOOLS_DIR "/pawl-exchange";

// The one number that a query of a reader gives.
std::int64_t ask(const std::string& database, const std::string& query) {
    sqlite3* opened = nullptr;
    REQUIRE(sqlite3_open_v2(database.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
    sqlite3_stmt* made = nullptr;
    INFO(query);
    REQUIRE(sqlite3_prepare_v2(opened, query.c_str(), -1, &made, nullptr) == SQLITE_OK);
    REQUIRE(sqlite3_step(made) == SQLITE_ROW);
    const std::int64_t found = sqlite3_column_int64(made, 0);
    sqlite3_finalize(made);
    sqlite3_close(opened);
    return found;
}

}  // namespace

TEST_CASE("the read models agree with the books, over several runs of both programs") {
    const temporary_directory place;
    const std::string journal = place.path() / "journal";
    const std::string database = place.path() / "views.db";
    for (const char* commands : {"2000", "2500", "4000"}) {
        REQUIRE(run({program, "run", journal, "--commands", commands, "--seed", "5"}).exit_code ==
                0);
        REQUIRE(run({program, "views", journal, database}).exit_code == 0);
    }
    const auto restored = pawl::restore<engine>(journal);
    REQUIRE(restored);
    const exchange_state& s = restored->state;
    std::int64_t all = 0;
    for (std::uint16_t n = 0; n < engine::instruments; ++n)
        for (const side each : {side::buy, side::sell}) {
            const book& of = s.books[n];
            std::int64_t open = 0;
            for (const order* o = of.best(each); o != nullptr; o = of.next(*o))
                open += o->quantity;
            const std::string where =
                " from orders where state = 'open' and instrument = " + std::to_string(n) +
                " and side = '" + (each == side::buy ? "buy'" : "sell'");
            CHECK(ask(database, "select count(*)" + where) ==
                  static_cast<std::int64_t>(of.orders(each)));
            CHECK(ask(database, "select coalesce(sum(open), 0)" + where) == open);
            all += static_cast<std::int64_t>(of.orders(each));
        }
    CHECK(all > 0);
    CHECK(ask(database, "select count(*) from orders where open > 0 and state <> 'open'") == 0);
    const auto traded = static_cast<std::int64_t>(s.filled_quantity);
    CHECK(ask(database, "select sum(volume) from candles") == traded);
    CHECK(ask(database, "select sum(trades) from candles") ==
          static_cast<std::int64_t>(s.fills - s.busts));
    CHECK(s.busts > 10);
    // The candles that a busted trade drew again are those that the other trades draw.
    CHECK(ask(database,
              "select count(*) from candles as c where volume <> (select sum(quantity) from trades "
              "where instrument = c.instrument and minute = c.minute) or high <> (select "
              "max(price) from trades where instrument = c.instrument and minute = c.minute) or "
              "close <> (select price from trades where instrument = c.instrument and minute = "
              "c.minute order by sequence desc limit 1)") == 0);
    CHECK(ask(database, "select count(*) from trades") ==
          static_cast<std::int64_t>(s.fills - s.busts));
    for (std::size_t n = 0; n < s.accounts.size(); ++n)
        CHECK(ask(database, "select coalesce(sum(paid), 0) from positions where account = " +
                                std::to_string(n)) == s.accounts[n].balance);
    CHECK(ask(database,
              "select coalesce(sum(abs(total)), 0) from (select sum(pieces) as total "
              "from positions group by instrument)") == 0);
    CHECK(ask(database, "select count(*) from positions where pieces <> 0") > 10);
    CHECK(ask(database, "select sum(busted) > 0 from orders") == 1);
    CHECK(ask(database, "select sum(filled) from orders") == 2 * traded);
    CHECK(ask(database,
              "select count(*) from candles where low > open or low > close or "
              "high < open or high < close or minute % 60 <> 0") == 0);

    const finished_process same = run({program, "views", journal, database, "--check", "--json"});
    CHECK(same.exit_code == 0);
    CHECK(nlohmann::json::parse(same.out)["orders_difference"] == "none");
    sqlite3* opened = nullptr;
    REQUIRE(sqlite3_open(database.c_str(), &opened) == SQLITE_OK);
    CHECK(sqlite3_exec(opened, "update \"candles#2.candles\" set volume = volume + 1", nullptr,
                       nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(opened);
    const finished_process other = run({program, "views", journal, database, "--check", "--json"});
    CHECK(other.exit_code == 1);
    const std::string difference = nlohmann::json::parse(other.out)["candles_difference"];
    CHECK(difference.starts_with("table candles, row 0: the database has (0, "));
}
