// dump of journals that describe their events.
#include "described_journal.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace pawl::test;
using nlohmann::json;

namespace {

using sequences = std::vector<std::uint64_t>;

// Two days: 0 to 3 on Monday, 4 to 6 on Tuesday.
struct two_days : described_journal {
    two_days() {
        const auto account = stream("account-7", "2026-11-23T13:00");
        accept("2026-11-23T14:00", account, 1, 100);
        fill("2026-11-23T14:01", account, 2, 101);
        accept("2026-11-23T14:02", 9, 3, 102);
        append("2026-11-23T14:03", 77, "opaque");
        accept("2026-11-24T14:01", account, 4, 103);
        fill("2026-11-24T14:02", 9, 5, 104);
        fill("2026-11-24T14:02:00.000000001", 0, 6, 105);
    }
};

}  // namespace

TEST_CASE("dump prints events with the schemas that the journal describes") {
    two_days journal;
    journal.close();
    const finished_process done = run_pawl({"dump", journal.directory()});
    CHECK(done.exit_code == 0);
    CHECK(done.err.empty());
    const auto lines = lines_of(done.out);
    REQUIRE(lines.size() == 7);
    CHECK(lines[0] ==
          R"({"sequence":0,"time":"2026-11-23T14:00:00.000000000Z","stream":"account-7",)"
          R"("version":1,"type":"accepted","type_number":1,"schema_version":1,)"
          R"("more_in_batch":false,"event":{"command":1,"instrument":1,"side":"sell",)"
          R"("price":100,"quantity":10}})");
    CHECK(json::parse(lines[2])["stream"] == 9);
    CHECK(json::parse(lines[3])["type"] == 77);
    CHECK(json::parse(lines[3])["payload"] == "6f7061717565");
    const auto options = [&](const std::string& option) {
        return json_lines(run_pawl({"dump", option, "--limit", "1", journal.directory()}).out)[0];
    };
    CHECK(options("--strings")["event"]["price"] == "100");
    CHECK(options("--defaults")["event"]["market"] == false);
}

TEST_CASE("dump selects by type, stream, time and expression") {
    two_days journal;
    journal.close();
    CHECK(journal.dumped({"--type", "filled"}) == sequences{1, 5, 6});
    CHECK(journal.dumped({"--type", "exchange.filled"}) == sequences{1, 5, 6});
    CHECK(journal.dumped({"--type", "77"}) == sequences{3});
    CHECK(journal.dumped({"--stream", "account-7"}) == sequences{0, 1, 4});
    CHECK(journal.dumped({"--since", "2026-11-23T14:02"}) == sequences{2, 3, 4, 5, 6});
    CHECK(journal.dumped({"--until", "2026-11-23T14:02"}) == sequences{0, 1});
    CHECK(journal.dumped({"--since", "2026-11-24"}) == sequences{4, 5, 6});
    // A time of day is one of the last day.
    CHECK(journal.dumped({"--since", "14:02"}) == sequences{5, 6});
    CHECK(journal.dumped({"--where", "time >= '14:02'"}) == sequences{5, 6});
    CHECK(journal.dumped({"--where", "+time < '14:02'"}) == sequences{0, 1, 2, 3, 4});
    CHECK(journal.dumped({"--since", "14:01", "--until", "14:02:00.000000001"}) == sequences{4, 5});
    CHECK(journal.dumped({"--where", "stream = 'account-7' and version > 1"}) == sequences{1, 4});
    CHECK(journal.dumped({"--type", "filled", "--where", "price > 101 -- a comment"}) ==
          sequences{5, 6});
    CHECK(journal.dumped({"--type", "filled", "--where", "price > 101", "--limit", "1"}) ==
          sequences{5});
    CHECK(journal.dumped({"--from", "5", "--where", "1"}) == sequences{5, 6});
}

TEST_CASE("a range of times is found in every segment, although times do not ascend") {
    described_journal journal;
    std::vector<std::string> times;
    for (std::uint64_t i = 0; i < 3000; ++i) {
        // Minutes of one day, with jumps back and a few events far from their neighbours.
        const std::uint64_t minute = i % 500 == 250 ? 700 : (i / 3 + i % 7) % 1440;
        times.push_back(fmt::format("2026-11-23T{:02}:{:02}", minute / 60, minute % 60));
        journal.accept(times.back(), 0, i + 1, 5);
        must(journal.log().poll());
    }
    journal.close();
    REQUIRE(std::filesystem::exists(std::filesystem::path{journal.directory()} / "0000000003.seg"));
    const std::string none;
    for (const auto& [since, until] :
         std::vector<std::pair<std::string, std::string>>{{"2026-11-23T11:00", "2026-11-23T12:00"},
                                                          {"2026-11-23T11:40", "2026-11-23T11:41"},
                                                          {"2026-11-23T00:00", "2026-11-23T00:01"},
                                                          {"2026-11-23T16:30", none},
                                                          {none, "2026-11-23T01:00"},
                                                          {"2026-11-24", none},
                                                          {none, "2026-11-23"}}) {
        INFO(since << " to " << until);
        sequences wanted;
        for (std::uint64_t i = 0; i < times.size(); ++i)
            if (times[i] >= since && (until.empty() || times[i] < until))
                wanted.push_back(i);
        std::vector<std::string> options;
        std::string where = "1";
        if (!since.empty()) {
            options.insert(options.end(), {"--since", since});
            where += " and time >= '" + since + "'";
        }
        if (!until.empty()) {
            options.insert(options.end(), {"--until", until});
            where += " and time < '" + until + "'";
        }
        CHECK(journal.dumped(options) == wanted);
        CHECK(journal.dumped({"--where", where}) == wanted);
        CHECK(journal.dumped({"--type", "accepted", "--from", "0", "--where", where}) == wanted);
    }
}

TEST_CASE("dump of one type as CSV has its fields as columns") {
    two_days journal;
    journal.close();
    const auto lines = lines_of(
        run_pawl({"dump", "--type", "filled", "--format", "csv", journal.directory()}).out);
    REQUIRE(lines.size() == 4);
    CHECK(lines[0] ==
          "sequence,time,stream,version,type,schema_version,command,maker,taker,"
          "instrument,side,price,quantity,trade,maker_account,taker_account");
    CHECK(lines[1] ==
          "1,2026-11-23T14:01:00.000000000Z,account-7,2,filled,1,2,7,2,1,buy,101,3,0,0,0");
    const auto all = lines_of(run_pawl({"dump", "--format", "csv", journal.directory()}).out);
    REQUIRE(all.size() == 8);
    CHECK(all[1] == R"(0,2026-11-23T14:00:00.000000000Z,account-7,1,accepted,1,)"
                    R"("{""command"":1,""instrument"":1,""side"":""sell"",""price"":100,)"
                    R"(""quantity"":10}")");
    CHECK(all[4] == "3,2026-11-23T14:03:00.000000000Z,0,0,77,1,6f7061717565");
    const auto table = lines_of(
        run_pawl({"dump", "--type", "filled", "--format", "table", journal.directory()}).out);
    REQUIRE(table.size() == 5);
    CHECK(table[0].starts_with("sequence  time                            stream     version"));
    CHECK(table[3].starts_with("5         2026-11-24T14:02:00.000000000Z  9          2 "));
}

TEST_CASE("a payload that does not fit its schema is shown, and dump exits with 1") {
    described_journal journal;
    journal.accept("2026-11-23T14:00", 0, 1, 100);
    journal.append("2026-11-23T14:00", 1, "no table");
    journal.append("2026-11-23T14:00", 1, "");
    journal.accept("2026-11-23T14:00", 0, 2, 100);
    journal.close();
    const finished_process done = run_pawl({"dump", journal.directory()});
    CHECK(done.exit_code == 1);
    CHECK(contains(done.err, "2 payloads do not fit"));
    const auto lines = json_lines(done.out);
    REQUIRE(lines.size() == 4);
    CHECK(lines[1]["payload"] == "6e6f207461626c65");
    CHECK(contains(lines[1]["problem"].get<std::string>(), "malformed"));
    CHECK(lines[3]["event"]["command"] == 2);
    const finished_process rows = run_pawl({"dump", "--format", "csv", journal.directory()});
    CHECK(rows.exit_code == 1);
    CHECK(contains(rows.err, "sequence 1"));
}

TEST_CASE("a description that is no schema leaves payloads in hexadecimal, with a notice") {
    described_journal journal;
    must(journal.log().describe({.type = 8,
                                 .schema_version = 1,
                                 .name = "foreign",
                                 .bytes = bytes_of("not a schema, but longer than sixteen bytes")},
                                1));
    journal.append("2026-11-23T14:00", 8, "x");
    journal.close();
    const finished_process done = run_pawl({"dump", journal.directory()});
    CHECK(done.exit_code == 0);
    CHECK(contains(done.err, "notice: malformed: the description of type 8, schema version 1"));
    CHECK(json_lines(done.out)[0]["payload"] == "78");
}

TEST_CASE("dump names what it cannot select by") {
    two_days journal;
    journal.close();
    const auto failed = [&](std::vector<std::string> options) {
        options.insert(options.begin(), {"dump", journal.directory()});
        return run_pawl(options);
    };
    const finished_process type = failed({"--type", "order"});
    CHECK(type.exit_code == 1);
    CHECK(contains(type.err, "'order'; it describes accepted, filled, rejected"));
    CHECK(failed({"--where", "prize > 3"}).exit_code == 1);
    CHECK(contains(failed({"--where", "prize > 3"}).err, "prize"));
    CHECK(failed({"--where", "1); select (1"}).exit_code == 1);
    CHECK(failed({"--since", "noon"}).exit_code == 2);
    CHECK(failed({"--format", "xml"}).exit_code == 2);
    CHECK(failed({"--raw", "--exact"}).exit_code == 2);
    CHECK(failed({"--raw", "--format", "json"}).exit_code == 0);
    CHECK(failed({"--raw", "--format", "csv"}).exit_code == 2);
    CHECK(failed({"--exact", "--format", "table"}).exit_code == 2);
}

TEST_CASE("a long dump on all cores prints what one thread prints") {
    const temporary_directory home;
    const std::string journal = home.path() / "exchange";
    REQUIRE(run({PAWL_TOOLS_DIR "/pawl-exchange", "run", journal, "--commands", "30000",
                 "--segment-bytes", "262144"})
                .exit_code == 0);
    const auto dump = [&](std::vector<std::string> options) {
        options.insert(options.begin(), {"dump", journal});
        return run_pawl(std::move(options));
    };
    // A limit is counted by one thread.
    const auto agree = [&](std::vector<std::string> options, int exit_code, std::size_t lines) {
        const finished_process parallel = dump(options);
        options.insert(options.end(), {"--limit", "1000000000"});
        const finished_process serial = dump(options);
        CHECK(parallel.exit_code == exit_code);
        CHECK(serial.exit_code == exit_code);
        CHECK(parallel.err == serial.err);
        CHECK((parallel.out == serial.out));  // too long to be shown
        CHECK(lines_of(parallel.out).size() == lines);
    };
    const auto raw = json_lines(dump({"--raw"}).out);
    REQUIRE(raw.size() > 30000);
    agree({}, 0, raw.size());
    agree({"--from", "777", "--durable", "--strings", "--defaults"}, 0, raw.size() - 777);

    std::size_t damaged = 20000;
    while (raw[damaged - 1]["more_in_batch"] == true)
        ++damaged;  // a damaged batch is not shown in part
    const json& at = raw[damaged];
    flip_bit(std::filesystem::path{journal} /
                 fmt::format("{:010}.seg", at["segment"].get<std::uint64_t>()),
             at["offset"].get<std::streamoff>() + 60);
    agree({}, 1, damaged);
}
