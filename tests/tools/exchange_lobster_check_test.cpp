#include "lobster_check.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace exchange;

namespace {

csv_result<void> feed(lobster_check& check, std::istream& messages) {
    std::string text;
    for (std::size_t line = 1; std::getline(messages, text); ++line) {
        const auto m = parse_message(text, line);
        if (!m)
            return std::unexpected(m.error());
        flatbuffers::FlatBufferBuilder builder;
        builder.Finish(lobster_message::Pack(builder, &*m));
        if (auto taken =
                check.take(*flatbuffers::GetRoot<lobster_message>(builder.GetBufferPointer()));
            !taken)
            return taken;
    }
    return check.finish();
}

// How many of the rows behind the first differ.
std::size_t mismatches(const std::string& messages, const std::string& rows) {
    std::istringstream message_lines{messages};
    std::istringstream row_lines{rows};
    lobster_check check{row_lines};
    REQUIRE(feed(check, message_lines));
    return check.mismatched();
}

csv_error failure(const std::string& messages, const std::string& rows) {
    std::istringstream message_lines{messages};
    std::istringstream row_lines{rows};
    lobster_check check{row_lines};
    const auto fed = feed(check, message_lines);
    REQUIRE_FALSE(fed);
    return fed.error();
}

// Two levels a side: asks 105 and 106, bids 100 and 99, ten each.
const std::string opening_message = "1,1,1,10,100,1\n";
const std::string opening_row = "105,10,100,10,106,10,99,10\n";

std::size_t after(const std::string& message, const std::string& row) {
    return mismatches(opening_message + "2," + message + "\n", opening_row + row + "\n");
}

}  // namespace

TEST_CASE("each kind of message leads to the published book") {
    CHECK(after("1,9,5,100,1", "105,10,100,15,106,10,99,10") == 0);   // joins a level
    CHECK(after("1,9,5,101,1", "105,10,101,5,106,10,100,10") == 0);   // makes one; 99 drops out
    CHECK(after("2,9,4,105,-1", "105,6,100,10,106,10,99,10") == 0);   // part of an order
    CHECK(after("3,9,10,105,-1", "106,10,100,10,107,3,99,10") == 0);  // 107 comes into sight
    CHECK(after("4,9,10,100,1", "105,10,99,10,106,10,98,2") == 0);
    CHECK(after("5,0,50,102,1", "105,10,100,10,106,10,99,10") == 0);
    CHECK(after("6,0,50,102,1", "105,10,100,10,106,10,99,10") == 0);
    CHECK(after("7,0,0,-1,-1", "105,10,100,10,106,10,99,10") == 0);
    CHECK(after("1,9,5,98,1", "105,10,100,10,106,10,99,10") == 0);  // out of sight
}

TEST_CASE("a planted difference is found") {
    CHECK(after("1,9,5,100,1", "105,10,100,10,106,10,99,10") == 1);    // a message not applied
    CHECK(after("1,9,5,100,1", "105,15,100,10,106,10,99,10") == 1);    // on the other side
    CHECK(after("7,0,0,-1,-1", "105,10,100,10,106,10,99,11") == 1);    // at the horizon itself
    CHECK(after("3,9,10,105,-1", "105,10,100,10,106,10,99,10") == 1);  // a level that was deleted
    CHECK(after("7,0,0,-1,-1", "106,10,100,10,107,5,99,10") == 1);     // a level that is missing
    CHECK(after("7,0,0,-1,-1", "104,1,100,10,105,10,99,10") == 1);     // one that nobody entered
    CHECK(after("5,0,10,100,1", "105,10,99,10,106,10,98,2") == 1);     // a hidden order took it
    CHECK(after("3,9,4,103,-1", "105,10,100,10,106,10,99,10") == 1);   // taken from where none is
}

TEST_CASE("a level beyond the horizon is adopted and then compared") {
    const std::string messages = opening_message + "2,3,9,10,105,-1\n";
    const std::string rows = opening_row + "106,10,100,10,107,3,99,10\n";
    const std::string more = "3,7,0,0,-1,-1\n";
    CHECK(mismatches(messages + more, rows + "106,10,100,10,107,3,99,10\n") == 0);
    CHECK(mismatches(messages + more, rows + "106,10,100,10,107,4,99,10\n") == 1);
}

TEST_CASE("a side with room for more levels hides none") {
    const std::string opening = "105,10,100,10,9999999999,0,99,10\n";
    const auto next = [&](const std::string& message, const std::string& row) {
        return mismatches(opening_message + "2," + message + "\n", opening + row + "\n");
    };
    CHECK(next("1,9,5,107,-1", "105,10,100,10,107,5,99,10") == 0);
    CHECK(next("1,9,5,107,-1", "105,10,100,10,107,6,99,10") == 1);
    CHECK(next("1,9,5,107,-1", "105,10,100,10,9999999999,0,99,10") == 1);
    CHECK(next("3,9,10,105,-1", "9999999999,0,100,10,9999999999,0,99,10") == 0);
    CHECK(next("7,0,0,-1,-1", "9999999999,0,100,10,9999999999,0,99,10") == 1);
}

TEST_CASE("a difference counts once, and the published book goes on from there") {
    const std::string same = "105,10,100,77,106,10,99,10\n";
    CHECK(mismatches(opening_message + "2,7,0,0,-1,-1\n3,7,0,0,-1,-1\n4,1,9,1,100,1\n",
                     opening_row + same + same + "105,10,100,78,106,10,99,10\n") == 1);
}

TEST_CASE("an example names line, side, price and both sizes") {
    std::istringstream messages{opening_message + "2,1,9,5,100,1\n"};
    std::istringstream rows{opening_row + opening_row};
    lobster_check check{rows};
    REQUIRE(feed(check, messages));
    REQUIRE(check.examples().size() == 1);
    CHECK(check.examples()[0] == "line 2, bid at 100: kept 15, published 10");
}

TEST_CASE("rows and messages that do not belong together are refused") {
    CHECK(failure(opening_message + opening_message, opening_row).line == 2);
    CHECK(failure(opening_message, opening_row + opening_row).line == 2);
    CHECK(failure(opening_message + opening_message, opening_row + "105,10,100,10\n").line == 2);
    CHECK(failure(opening_message + opening_message, opening_row + "105,10,100,x,106,10,99,10\n")
              .field == "bid size 1");
}

TEST_CASE("a real morning of one share agrees with its published book in every row") {
    const char* told = std::getenv("PAWL_LOBSTER_DIR");
    const std::filesystem::path folder = told ? told : "";
    std::ifstream messages{folder / "AAPL_2012-06-21_message_10.csv"};
    std::ifstream rows{folder / "AAPL_2012-06-21_orderbook_10.csv"};
    if (!messages || !rows) {
        WARN("skipped: PAWL_LOBSTER_DIR names no folder with LOBSTER's AAPL sample of 10 levels");
        return;
    }
    lobster_check check{rows};
    const auto fed = feed(check, messages);
    INFO((fed ? std::string{} : fed.error().message()));
    REQUIRE(fed);
    CHECK(check.compared() == 998);
    CHECK(check.mismatched() == 0);
    CHECK(check.examples().empty());
}
