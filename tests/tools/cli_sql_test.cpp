// sql and check-schema.
#include "described_journal.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <array>

using namespace pawl::test;
using nlohmann::json;

namespace {

struct traded : described_journal {
    traded() {
        const auto account = stream("account-7", "2026-11-23T13:00");
        for (std::uint64_t i = 0; i < 60; ++i) {
            const std::string time = fmt::format("2026-11-23T14:{:02}:00.5", i);
            accept(time, i % 3 == 0 ? account : 9, i + 1, static_cast<std::int64_t>(100 + i));
            fill(time, 0, i + 1, static_cast<std::int64_t>(200 - i));
        }
        close();
    }
    // The rows that a query gives, each as its values separated by commas.
    [[nodiscard]] std::vector<std::string> ask(const std::string& query) const {
        std::vector<std::string> words{"sql", "--format", "csv"};
        words.push_back(directory());
        words.push_back(query);
        const finished_process done = run_pawl(std::move(words));
        if (done.exit_code != 0)
            return {done.err};
        auto lines = lines_of(done.out);
        lines.erase(lines.begin());
        return lines;
    }
};

using rows = std::vector<std::string>;

}  // namespace

TEST_CASE("each event type is a table, and `events` holds all") {
    const traded journal;
    CHECK(journal.ask("select sequence, time, stream, version, command, side, market, price from "
                      "accepted limit 1") ==
          rows{"0,2026-11-23T14:00:00.500000000Z,account-7,1,1,sell,0,100"});
    CHECK(journal.ask("select type, count(*), min(sequence), max(schema_version), sum(bytes) > 0 "
                      "from events group by 1") == rows{"accepted,60,0,1,1", "filled,60,1,1,1"});
    CHECK(journal.ask("select event from events where sequence = 1") ==
          rows{R"("{""command"":1,""maker"":7,""taker"":1,""instrument"":1,""price"":200,)"
               R"(""quantity"":3}")"});
    CHECK(journal.ask("select count(*) from rejected") == rows{"0"});
    CHECK(journal.ask("select count(*) from accepted a join filled f using (command) where "
                      "a.price + f.price = 300") == rows{"60"});
}

TEST_CASE("metadata is a column of events, and a hidden one of each type") {
    described_journal journal;
    const std::string id = "sixteen bytes id";
    const std::string trace = id + "eight by" + "\x01" + "a=b";
    const std::string number{"\x02\x01\0\0\0\0\0\0", 8};
    const std::array entries{
        pawl::metadata_entry{pawl::metadata_tag::correlation, bytes_of(id)},
        pawl::metadata_entry{pawl::metadata_tag::causation, bytes_of(id)},
        pawl::metadata_entry{pawl::metadata_tag::trace, bytes_of(trace)},
        pawl::metadata_entry{pawl::metadata_tag::actor, bytes_of("Ada \"the\" first")},
        pawl::metadata_entry{pawl::metadata_tag::source_time, bytes_of(number)},
        pawl::metadata_entry{pawl::metadata_tag{0x8001}, bytes_of("own")}};
    const std::array unreadable{pawl::metadata_entry{pawl::metadata_tag::actor, bytes_of("\xff")}};
    pawl::encoder encode;
    const auto accept = [&](std::span<const pawl::metadata_entry> with) {
        must(encode.append(journal.log(), {.timestamp_ns = 1, .metadata = with}, [](auto& b) {
            return exchange::Createaccepted(b, 1, 1, exchange::side::sell, false, 5, 10);
        }));
    };
    accept({});
    accept(entries);
    accept(unreadable);
    journal.close();
    const auto ask = [&](const std::string& query) {
        const finished_process done =
            run_pawl({"sql", "--format", "json", journal.directory(), query});
        CHECK(done.err.empty());
        return json_lines(done.out);
    };
    const auto rows = ask("select metadata from events order by sequence");
    REQUIRE(rows.size() == 3);
    CHECK(rows[0]["metadata"].is_null());
    CHECK(json::parse(rows[1]["metadata"].get<std::string>()) ==
          json::parse(R"({"correlation":"7369787465656e206279746573206964",)"
                      R"("causation":"7369787465656e206279746573206964",)"
                      R"("trace":{"traceparent":"00-7369787465656e206279746573206964-)"
                      R"(6569676874206279-01","tracestate":"a=b"},)"
                      R"("actor":"Ada \"the\" first","source_time_ns":258,)"
                      R"("others":[{"tag":32769,"value":"6f776e"}]})"));
    CHECK(rows[2]["metadata"] == R"({"others":[{"tag":5,"value":"ff"}]})");
    // As the dump shows it.
    const auto dumped = json_lines(run_pawl({"dump", journal.directory()}).out);
    CHECK(json::parse(rows[1]["metadata"].get<std::string>()) == dumped[1]["metadata"]);
    CHECK_FALSE(dumped[0].contains("metadata"));
    CHECK(ask("select sequence, command from accepted where metadata->>'actor' like 'Ada%'") ==
          std::vector<json>{{{"sequence", 1}, {"command", 1}}});
    CHECK_FALSE(ask("select * from accepted")[0].contains("metadata"));
    CHECK(ask("select * from events")[1].contains("metadata"));
    CHECK(journal.dumped({"--where", "metadata is not null"}) == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("every comparison gives the rows that it gives without being pushed down") {
    const traded journal;
    // A unary plus and an expression keep SQLite from passing a constraint on.
    for (const std::string column : {"sequence", "timestamp_ns", "version"})
        for (const std::string comparison : {"=", "<", "<=", ">", ">=", "<>", "is"}) {
            std::string query;
            for (const std::string value : {"-1", "0", "7", "60", "119", "120", "7.5", "null",
                                            "9223372036854775807", "1795442400500000000"})
                query += fmt::format(
                    "{0}(select group_concat(sequence) from events where {1} {2} {3}) is "
                    "(select group_concat(sequence) from events where +{1} {2} {3})",
                    query.empty() ? "select " : ", ", column, comparison, value);
            INFO(query);
            CHECK(journal.ask(query) == rows{"1,1,1,1,1,1,1,1,1,1"});
        }
}

TEST_CASE("times compare as times, and streams as text") {
    const traded journal;
    const auto count = [&](const std::string& condition) {
        return journal.ask("select count(*) from accepted where " + condition);
    };
    CHECK(count("time >= '2026-11-23T14:30'") == rows{"30"});
    CHECK(count("time > '2026-11-23T14:30:00.5'") == rows{"29"});
    CHECK(count("time >= '2026-11-23T14:30:00.5Z'") == rows{"30"});
    CHECK(count("time = '2026-11-23T14:30:00.500'") == rows{"1"});
    CHECK(count("time < '2026-11-23'") == rows{"0"});
    CHECK(count("time between '2026-11-23T14:10' and '2026-11-23T14:20'") == rows{"10"});
    CHECK(count("time > 'tomorrow'") == rows{"60"});
    CHECK(count("time >= '14:30'") == rows{"30"});
    CHECK(count("'14:30:00.5' = time") == rows{"1"});
    CHECK(count("time between '14:10' and '14:20' or time > '14:59'") == rows{"11"});
    // A unary plus keeps SQLite from passing the constraint on: the collation alone answers.
    CHECK(count("+time >= '14:30'") == rows{"30"});
    CHECK(count("stream = 'account-7'") == rows{"20"});
    CHECK(count("stream = 9") == rows{"40"});
    CHECK(count("stream = '9'") == rows{"40"});
    CHECK(count("stream = '09'") == rows{"0"});
    CHECK(count("stream = 'nobody'") == rows{"0"});
    CHECK(count("stream = null") == rows{"0"});
    CHECK(count("stream = 9.0") == rows{"0"});
    CHECK(count("stream = '99999999999999999999'") == rows{"0"});
    CHECK(count("stream in ('nobody', 'account-7')") == rows{"20"});
    CHECK(count("stream <> 'nobody'") == rows{"60"});
    CHECK(journal.ask("select count(*) from filled where stream = '0'") == rows{"60"});
    CHECK(journal.ask("select count(*) from events where type = 'filled' and stream = '9'") ==
          rows{"0"});
    CHECK(journal.ask("select sequence from filled order by sequence limit 2") == rows{"1", "3"});
    CHECK(journal.ask("select sequence from filled order by sequence desc limit 1") == rows{"119"});
}

TEST_CASE("a sequence that was pruned, or is not there yet, is no error") {
    const temporary_directory home;
    const std::string journal = home.path() / "exchange";
    REQUIRE(run({PAWL_TOOLS_DIR "/pawl-exchange", "run", journal, "--commands", "10000",
                 "--segment-bytes", "262144"})
                .exit_code == 0);
    REQUIRE(run_pawl({"prune", journal, "--before", "8000"}).exit_code == 0);
    const auto ask = [&](const std::string& condition) {
        return run_pawl({"sql", journal, "--format", "csv",
                         "select min(sequence), max(sequence), count(*) from events" + condition})
            .out;
    };
    const std::string all = ask("");
    CHECK_FALSE(contains(all, "\n0,"));
    CHECK(ask(" where sequence > 5") == all);
    CHECK(contains(ask(" where sequence > 10000000"), "\n,,0\n"));
    CHECK(contains(ask(" where sequence < 5"), "\n,,0\n"));
}

TEST_CASE("answers equal those of Python on the same dump") {
    const temporary_directory home;
    const std::string journal = home.path() / "exchange";
    REQUIRE(
        run({PAWL_TOOLS_DIR "/pawl-exchange", "run", journal, "--commands", "12000"}).exit_code ==
        0);
    const finished_process sql = run_pawl(
        {"sql", journal, "--format", "csv",
         "select instrument, side, count(*), sum(quantity), min(price), max(price) from filled "
         "where price > 15000 and sequence < 9000 group by 1, 2 order by 1, 2"});
    REQUIRE(sql.exit_code == 0);
    const std::string script =
        "import sys, json, collections\n"
        "groups = collections.defaultdict(list)\n"
        "for line in sys.stdin:\n"
        "    line = json.loads(line)\n"
        "    e = line.get('event')\n"
        "    if line['type'] == 'filled' and e['price'] > 15000 and line['sequence'] < 9000:\n"
        "        groups[e['instrument'], e['side']].append(e)\n"
        "print('instrument,side,count(*),sum(quantity),min(price),max(price)')\n"
        "for key in sorted(groups):\n"
        "    g = groups[key]\n"
        "    print(*key, len(g), sum(e['quantity'] for e in g), min(e['price'] for e in g),\n"
        "          max(e['price'] for e in g), sep=',')\n";
    const finished_process python =
        run({"bash", "-c",
             program + " dump --defaults '" + journal + "' | python3 -c \"" + script + "\""});
    CHECK(python.err.empty());
    CHECK(lines_of(sql.out).size() > 10);
    CHECK(sql.out == python.out);
    const finished_process where =
        run_pawl({"dump", journal, "--type", "filled", "--where", "price > 15000"});
    const finished_process counted =
        run({"bash", "-c",
             program + " dump --defaults --type filled '" + journal +
                 "' | python3 -c \"import sys, json\n"
                 "print(sum(json.loads(l)['event']['price'] > 15000 for l in "
                 "sys.stdin))\""});
    CHECK(std::to_string(lines_of(where.out).size()) + "\n" == counted.out);
}

TEST_CASE("queries come from standard input too, and another journal can be joined") {
    const traded journal;
    const finished_process done =
        run({"bash", "-c",
             "printf 'select 1 as a;\\nselect\\n  2 as b; select 3 as c' | " + program +
                 " sql --format csv '" + journal.directory() + "'"});
    CHECK(done.err.empty());
    CHECK(done.out == "a\n1\nb\n2\nc\n3\n");
    const finished_process joined = run_pawl(
        {"sql", journal.directory(), "--attach", "other=" + journal.directory(), "--format", "json",
         "select count(*) as n from filled a join other.filled b using (sequence)"});
    CHECK(joined.out == "{\"n\":60}\n");
    const finished_process tables =
        run({"bash", "-c",
             "echo .tables | " + program + " sql --format csv '" + journal.directory() + "'"});
    CHECK(tables.out == "name\naccepted\nevents\nfilled\nrejected\n");
}

TEST_CASE("sql changes nothing, and names what is wrong with a query") {
    const traded journal;
    const auto failed = [&](const std::string& query) {
        const finished_process done = run_pawl({"sql", journal.directory(), query});
        CHECK(done.exit_code == 1);
        return done.err;
    };
    CHECK(contains(failed("select prize from filled"), "prize"));
    CHECK(contains(failed("select 1; select 2"), "more than one statement"));
    CHECK(contains(failed("delete from filled"), "filled"));
    CHECK(contains(failed("create table t (x)"), "read"));
    CHECK(contains(failed("drop table filled"), "read"));
    CHECK(run_pawl({"sql", journal.directory(), "--attach", "nothing"}).exit_code == 2);
    CHECK(run_pawl({"sql", journal.sibling("nowhere"), "select 1"}).exit_code == 3);
}

TEST_CASE("a query fails at a payload that does not fit its schema, and at damage") {
    described_journal journal;
    journal.accept("2026-11-23T14:00", 0, 1, 5);
    journal.append("2026-11-23T14:00", 1, "no table");
    journal.close();
    const finished_process done =
        run_pawl({"sql", journal.directory(), "select sum(price) from accepted"});
    CHECK(done.exit_code == 1);
    CHECK(contains(done.err, "malformed"));
    CHECK(contains(done.err, "sequence 1"));
    CHECK(run_pawl({"sql", journal.directory(), "select count(*) from accepted"}).exit_code == 0);
    const auto lines = json_lines(run_pawl({"dump", "--raw", journal.directory()}).out);
    flip_bit(std::filesystem::path{journal.directory()} / "0000000000.seg",
             lines[0]["offset"].get<std::streamoff>() + 60);
    const finished_process damaged =
        run_pawl({"sql", journal.directory(), "select count(*) from accepted"});
    CHECK(damaged.exit_code == 1);
    CHECK(contains(damaged.err, "damaged"));
}

TEST_CASE("check-schema compares a new schema with the journal and reads its events") {
    const traded journal;
    const temporary_directory home;
    const auto check = [&](const std::string& text) {
        std::ofstream{home.path() / "new.fbs"} << text;
        return run_pawl({"check-schema", "--json", journal.directory(), home.path() / "new.fbs"});
    };
    std::ifstream file{PAWL_TESTS_DIR "/../tools/exchange/events.fbs"};
    const std::string now{std::istreambuf_iterator<char>{file}, {}};
    const auto changed = [&](const std::string& from, const std::string& to) {
        std::string text = now;
        const std::size_t at = text.find(from);
        REQUIRE(at != std::string::npos);
        return text.replace(at, from.size(), to);
    };
    const finished_process same = check(now);
    CHECK(same.exit_code == 0);
    CHECK(json::parse(same.out)["compatible"] == true);

    const finished_process grown = check(changed("why: reason;", "why: reason; note: string;"));
    CHECK(grown.exit_code == 0);
    CHECK(json::parse(grown.out)["types"][2]["changes"][0]["rule"] == "field_added");

    const finished_process narrow = check(changed("maker: ulong;", "maker: string;"));
    CHECK(narrow.exit_code == 1);
    const json filled = json::parse(narrow.out)["types"][1];
    CHECK(filled["compatible"] == false);
    CHECK(filled["changes"][0]["rule"] == "field_type_changed");
    CHECK(filled["changes"][0]["where"] == "exchange.filled.maker");
    CHECK(filled["events_read"] == 60);
    CHECK(filled["failure"]["sequence"] == 1);
    const finished_process words =
        run_pawl({"check-schema", journal.directory(), home.path() / "new.fbs"});
    CHECK(contains(words.out, "exchange.filled.maker: field_type_changed (needs upcast)"));

    const finished_process gone = check(changed("table filled", "table traded"));
    CHECK(gone.exit_code == 1);
    CHECK(contains(json::parse(gone.out)["types"][1]["refusal"].get<std::string>(),
                   "has no such table"));
    CHECK(check("table t { x: nonsense; }").exit_code == 1);
    CHECK(run_pawl({"check-schema", journal.directory(), home.path() / "none.fbs"}).exit_code == 3);
}
