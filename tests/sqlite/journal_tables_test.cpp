// A journal's tables in one process with its writer.
#include <catch2/catch.hpp>
#include <sqlite3.h>
#include <support/must.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/journal/writer.hpp>
#include <pawl/sqlite/journal_tables.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

using namespace pawl;
using namespace pawl::test;

namespace {

[[nodiscard]] std::int64_t number(sqlite3& database, const std::string& query) {
    sqlite3_stmt* made = nullptr;
    REQUIRE(sqlite3_prepare_v2(&database, query.c_str(), -1, &made, nullptr) == SQLITE_OK);
    const bool row = sqlite3_step(made) == SQLITE_ROW;
    const std::int64_t found = row ? sqlite3_column_int64(made, 0) : -1;
    sqlite3_finalize(made);
    return found;
}

}  // namespace

TEST_CASE("a time without a date is one of the first day of a journal that was empty") {
    const temporary_directory home;
    const auto directory = home.path() / "j";
    auto log = must(writer::open(directory, {.clock_report_interval_s = 0}));
    sqlite3* opened = nullptr;
    REQUIRE(sqlite3_open(":memory:", &opened) == SQLITE_OK);
    const std::unique_ptr<sqlite3, int (*)(sqlite3*)> database{opened, &sqlite3_close};
    must(attach_journal(*database, directory));
    CHECK(number(*database, "select count(*) from events where time <= '23:59:59.999999999'") == 0);
    const std::vector<std::byte> payload(8);
    must(log.append({.type = 1}, payload));
    CHECK(number(*database, "select count(*) from events where time <= '23:59:59.999999999'") == 1);
    CHECK(number(*database, "select count(*) from events where +time < '00:00'") == 0);
    must(log.close());
}

TEST_CASE("a blob is later than every time") {
    const temporary_directory home;
    const auto directory = home.path() / "j";
    auto log = must(writer::open(directory, {.clock_report_interval_s = 0}));
    const std::vector<std::byte> payload(8);
    must(log.append({.type = 1}, payload));
    must(log.close());
    sqlite3* opened = nullptr;
    REQUIRE(sqlite3_open(":memory:", &opened) == SQLITE_OK);
    const std::unique_ptr<sqlite3, int (*)(sqlite3*)> database{opened, &sqlite3_close};
    must(attach_journal(*database, directory));
    // The bytes of '1970-01-01'.
    CHECK(number(*database, "select count(*) from events where time < x'313937302d30312d3031'") ==
          1);
}
