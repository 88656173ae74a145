// SQL refuses a network file system unless it is allowed, for the tables that it attaches and for
// the query that --where makes.
#include "described_journal.hpp"
#include "support/pretended_file_system.hpp"

#include <catch2/catch.hpp>
#include <events/database.hpp>

#include <string>

using namespace pawl::test;

namespace {

// The number of rows, or the error.
std::string rows_of(pawl::cli::database& in, const std::string& query) {
    auto asked = in.prepare(query);
    if (!asked)
        return asked.error().message();
    std::size_t rows = 0;
    for (;;) {
        auto more = asked->next();
        if (!more)
            return more.error().message();
        if (!*more)
            return std::to_string(rows);
        ++rows;
    }
}

}  // namespace

TEST_CASE("SQL refuses a network file system unless it is allowed") {
    described_journal journal;
    journal.accept("2026-11-23T14:00", 7, 1, 100);
    journal.fill("2026-11-23T14:01", 7, 1, 100);
    journal.close();
    const pretended_file_system pretended{pretended_file_system::fuse};
    auto refused = pawl::cli::database::open(journal.directory());
    REQUIRE(refused);
    for (const std::string table : {"events", "accepted"})
        CHECK(rows_of(*refused, "select sequence from " + table).find("is on FUSE") !=
              std::string::npos);
    auto allowed =
        pawl::cli::database::open(journal.directory(), {.allow_network_file_system = true});
    REQUIRE(allowed);
    CHECK(rows_of(*allowed, "select * from events") == "2");
    CHECK(rows_of(*allowed, "select * from accepted where price = 100") == "1");
    // Beyond the end, which a query looks for in another way.
    CHECK(rows_of(*allowed, "select * from events where sequence >= 100") == "0");
}
