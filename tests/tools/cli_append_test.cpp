// append, and a dump taken back.
#include "described_journal.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <pawl/journal/cursor.hpp>

#include <array>

using namespace pawl::test;
using nlohmann::json;

namespace {

// A place for journals, schemas and inputs.
class workshop {
  public:
    [[nodiscard]] std::string path(const std::string& name) const { return home_.path() / name; }
    [[nodiscard]] std::string write(const std::string& name, const std::string& text) const {
        std::ofstream{path(name)} << text;
        return path(name);
    }
    // Runs `pawl append` with the text as its input.
    [[nodiscard]] finished_process append(const std::string& journal, const std::string& options,
                                          const std::string& input) const {
        (void)write("input", input);
        return run({"bash", "-c",
                    program + " append '" + path(journal) + "' " + options + " < '" +
                        path("input") + "'"});
    }
    [[nodiscard]] std::string dump(const std::string& journal,
                                   const std::string& option = {}) const {
        std::vector<std::string> words{"dump", path(journal)};
        if (!option.empty())
            words.push_back(option);
        const finished_process done = run_pawl(words);
        if (done.exit_code != 0)
            throw std::runtime_error(done.err);
        return done.out;
    }
    [[nodiscard]] std::string orders_schema() const {
        return write("orders.fbs",
                     "table order_placed { account: string; price: long; quantity: uint = 1; }\n"
                     "table order_cancelled { account: string; }\n");
    }

  private:
    temporary_directory home_;
};

// The digest of a log without its position: sums of content hashes.
std::uint64_t digest(const std::string& directory) {
    auto events = must(pawl::cursor::open(directory));
    std::uint64_t sum = 0;
    must(events.for_each([&](const pawl::event& e) {
        sum += e.content_hash() * 0x9e3779b97f4a7c15 + e.names_digest();
    }));
    return sum;
}

}  // namespace

TEST_CASE("append creates a journal from a schema and lines of events") {
    const workshop shop;
    const finished_process done = shop.append(
        "new", "--schema '" + shop.orders_schema() + "' --type order_placed --stream-field account",
        "{\"account\":\"a-7\",\"price\":5}\n\n{\"account\":\"a-8\",\"price\":-6,"
        "\"quantity\":3}\n");
    CHECK(done.err.empty());
    REQUIRE(done.exit_code == 0);
    CHECK(done.out == "appended 2 events; the next sequence is 2\n");
    const auto lines = json_lines(shop.dump("new"));
    REQUIRE(lines.size() == 2);
    CHECK(lines[0]["type"] == "order_placed");
    CHECK(lines[0]["type_number"] == 1);
    CHECK(lines[1]["stream"] == "a-8");
    CHECK(lines[1]["event"] == json{{"account", "a-8"}, {"price", -6}, {"quantity", 3}});

    // Another type gets the next number; the first keeps its own.
    const std::string other = "--schema '" + shop.path("orders.fbs") + "' --type ";
    REQUIRE(shop.append("new", other + "order_cancelled --stream a-7", "{}").exit_code == 0);
    REQUIRE(shop.append("new", other + "order_placed --stream 5 --json", "{}").exit_code == 0);
    const auto more = json_lines(shop.dump("new"));
    CHECK(more[2]["type_number"] == 2);
    CHECK(more[2]["version"] == 2);
    CHECK(more[3]["type_number"] == 1);
    CHECK(more[3]["stream"] == 5);
    // Now the journal knows its types itself.
    CHECK(shop.append("new", "--type order_placed", "{\"price\":1}").exit_code == 0);
}

TEST_CASE("one bad line is named, and nothing of its batch is written") {
    const workshop shop;
    const std::string options =
        "--schema '" + shop.orders_schema() + "' --type order_placed --batch 2 ";
    const finished_process done = shop.append(
        "new", options, "{\"price\":1}\n{\"price\":2}\n{\"price\":3}\n{\"price\":\"four\"}\n");
    CHECK(done.exit_code == 1);
    CHECK(done.out.empty());
    CHECK(contains(done.err, "line 4, column 10, price: "));
    CHECK(contains(done.err, "2 events before it were appended"));
    const auto lines = json_lines(shop.dump("new"));
    REQUIRE(lines.size() == 2);
    CHECK(lines[0]["more_in_batch"] == true);
    CHECK(lines[1]["more_in_batch"] == false);
    CHECK(contains(shop.append("new", options, "{\"prize\":1}").err, "prize"));
    CHECK(json_lines(shop.dump("new")).size() == 2);
}

TEST_CASE("append demands the version that --expect names") {
    const workshop shop;
    const std::string options = "--schema '" + shop.orders_schema() + "' --type order_placed ";
    CHECK(shop.append("new", options + "--stream s --expect 0", "{}\n{}\n").exit_code == 0);
    const finished_process late = shop.append("new", options + "--stream s --expect 1", "{}\n");
    CHECK(late.exit_code == 1);
    CHECK(contains(late.err, "conflict"));
    CHECK(contains(late.err, "actual version 2"));
    CHECK(contains(late.err, "line 1\n"));
    CHECK(shop.append("new", options + "--stream s --expect 2", "{}\n").exit_code == 0);
    CHECK(json_lines(shop.dump("new")).size() == 3);
}

TEST_CASE("a schema that does not extend the journal's is refused") {
    const workshop shop;
    REQUIRE(shop.append("new", "--schema '" + shop.orders_schema() + "' --type order_placed", "{}")
                .exit_code == 0);
    const std::string changed = shop.write(
        "changed.fbs", "table order_placed { account: string; price: int; quantity: uint = 1; }");
    const finished_process done =
        shop.append("new", "--schema '" + changed + "' --type order_placed", "{}");
    CHECK(done.exit_code == 1);
    CHECK(contains(done.err, "order_placed.price: field_type_changed"));
    const std::string wrong = shop.write("wrong.fbs", "table order_placed { price: lang; }");
    const finished_process unread =
        shop.append("other", "--schema '" + wrong + "' --type order_placed", "{}");
    CHECK(unread.exit_code == 1);
    CHECK(contains(unread.err, "lang"));
    CHECK_FALSE(std::filesystem::exists(shop.path("other")));
}

TEST_CASE("events keep the shape that they were written in, and each tool shows both") {
    const workshop shop;
    const std::string first = shop.write("first.fbs", "table payed { id: ulong; euros: int; }");
    REQUIRE(shop.append("new", "--schema '" + first + "' --type payed --stream 1",
                        R"({"id":7,"euros":3})")
                .exit_code == 0);
    // A new version without the old shape is refused, and so is one with another old shape.
    const std::string second = "table payed { id: ulong; cents: long; }";
    const finished_process bare =
        shop.append("new", "--schema '" + shop.write("bare.fbs", second) + "' --type payed", "{}");
    CHECK(bare.exit_code == 1);
    CHECK(contains(bare.err, "payed.euros"));
    const std::string wrong =
        shop.write("wrong.fbs", "namespace v1; table payed { id: ulong; } namespace; " + second);
    CHECK(contains(shop.append("new", "--schema '" + wrong + "' --type payed", "{}").err,
                   "field_removed"));
    const std::string whole = shop.write(
        "whole.fbs", "namespace v1; table payed { id: ulong; euros: int; } namespace; " + second);
    REQUIRE(shop.append("new", "--schema '" + whole + "' --type payed --stream 1",
                        R"({"id":8,"cents":250})")
                .exit_code == 0);

    const std::string text = shop.dump("new");
    const auto lines = json_lines(text);
    REQUIRE(lines.size() == 2);
    CHECK(lines[0]["type"] == "payed");
    CHECK(lines[0]["schema_version"] == 1);
    CHECK(lines[0]["event"] == json{{"id", 7}, {"euros", 3}});
    CHECK(lines[1]["schema_version"] == 2);
    CHECK(lines[1]["event"] == json{{"id", 8}, {"cents", 250}});
    CHECK(run_pawl({"sql", shop.path("new"), "--format", "csv",
                    "select id, cents, euros from payed where stream = '1'"})
              .out == "id,cents,euros\n7,,3\n8,250,\n");
    CHECK(run_pawl({"dump", shop.path("new"), "--type", "v1.payed", "--format", "csv"}).exit_code ==
          0);
    CHECK(run_pawl({"check-schema", shop.path("new"), whole}).exit_code == 0);
    CHECK(run_pawl({"check-schema", shop.path("new"), first}).exit_code == 1);
    for (const std::string& schemas : {whole, shop.path("new")}) {
        const std::string copy = "copy" + std::to_string(schemas.size());
        REQUIRE(shop.append(copy, "--schema '" + schemas + "'", text).exit_code == 0);
        CHECK(shop.dump(copy) == text);
    }
}

TEST_CASE("a dump taken back is the same journal") {
    const workshop shop;
    {
        const std::string id = "sixteen bytes id";
        const std::string number{"\x02\x01\0\0\0\0\0\0", 8};
        const std::string trace = id + "eight by" + "\x01" + "a=b";
        const std::string command = id + number;
        const std::array entries{
            pawl::metadata_entry{pawl::metadata_tag::command, bytes_of(command)},
            pawl::metadata_entry{pawl::metadata_tag::correlation, bytes_of(id)},
            pawl::metadata_entry{pawl::metadata_tag::causation, bytes_of(id), true},
            pawl::metadata_entry{pawl::metadata_tag::trace, bytes_of(trace)},
            pawl::metadata_entry{pawl::metadata_tag::actor, bytes_of("Ada \"the\" first")},
            pawl::metadata_entry{pawl::metadata_tag::source_time, bytes_of(number)},
            pawl::metadata_entry{pawl::metadata_tag::tags, bytes_of(number)},
            pawl::metadata_entry{pawl::metadata_tag{0x8001}, bytes_of("own")},
            pawl::metadata_entry{pawl::metadata_tag{0x8001}, {}}};
        described_journal journal;
        const auto account = journal.stream("account-7", "2026-11-23T13:00");
        journal.accept("2026-11-23T14:00", account, 1, -9'223'372'036'854'775'807);
        journal.append("2026-11-23T14:01:00.000000001", 77, "of no known type");
        must(journal.log().append({.type = 78, .stream = 7, .metadata = entries}, {}));
        const std::string odd_trace = id + "eight by" + "\x01" + "\xff";
        const std::array not_utf8{
            pawl::metadata_entry{pawl::metadata_tag::trace, bytes_of(odd_trace)},
            pawl::metadata_entry{pawl::metadata_tag::actor, bytes_of("\xc3(")}};
        must(journal.log().append({.type = 78, .metadata = not_utf8}, {}));
        auto batch = must(journal.log().begin_batch(2, 64));
        must(batch.append({.type = 77, .stream = account}, bytes_of("x")));
        must(batch.append({.type = 77}, bytes_of("y")));
        must(batch.commit());
        (void)journal.stream("no event yet", "2026-11-23T15:00");
        journal.fill("2026-11-23T16:00", journal.stream("account-8", "2026-11-23T16:00"), 5, 104);
        (void)journal.stream("after the last event", "2026-11-23T17:00");
        journal.close();
        std::filesystem::rename(journal.directory(), shop.path("orders"));
    }
    const std::string text = shop.dump("orders");
    REQUIRE(json_lines(text).size() == 7);
    REQUIRE(shop.append("copy", "--schema '" + shop.path("orders") + "'", text).exit_code == 0);
    CHECK(shop.dump("copy") == text);

    const std::string exact = shop.dump("orders", "--exact");
    const finished_process done = shop.append("twin", "", exact);
    CHECK(done.err.empty());
    REQUIRE(done.exit_code == 0);
    CHECK(shop.dump("twin", "--exact") == exact);
    CHECK(shop.dump("twin") == text);
    CHECK(digest(shop.path("twin")) == digest(shop.path("orders")));
    // Once more it would not be the same journal.
    const finished_process again = shop.append("twin", "", exact);
    CHECK(again.exit_code == 1);
    CHECK(contains(again.err, "the next sequence here is 7"));
}

TEST_CASE("what a selection leaves of a batch is a batch, and can be appended") {
    const workshop shop;
    {
        described_journal journal;
        const auto account = journal.stream("account-7", "2026-11-23T13:00");
        // Two batches of five, back to back, then single events. Type 77 in the even places.
        const auto at = [&](int minute) {
            return described_journal::at(fmt::format("2026-11-23T14:{:02}", minute));
        };
        for (int batch = 0; batch < 2; ++batch) {
            auto open = must(journal.log().begin_batch(5, 64));
            for (int i = 0; i < 5; ++i)
                must(open.append({.type = static_cast<std::uint16_t>(77 + i % 2),
                                  .stream = i == 1 || i == 4 ? account : 9,
                                  .timestamp_ns = at(10 * batch + i)},
                                 bytes_of("x")));
            must(open.commit());
        }
        journal.accept("2026-11-23T14:30", account, 1, 5);
        journal.append("2026-11-23T14:31", 77, "y");
        journal.close();
        std::filesystem::rename(journal.directory(), shop.path("orders"));
    }
    const auto flags = [](const std::string& text) {
        std::string shown;
        for (const json& line : json_lines(text))
            shown += fmt::format("{}{} ", line["sequence"].get<int>(),
                                 line["more_in_batch"].get<bool>() ? "+" : "");
        return shown;
    };
    int copies = 0;
    const auto copied = [&](const std::string& options) {
        const std::string copy = fmt::format("copy{}", ++copies);
        const finished_process dumped =
            run({"bash", "-c", program + " dump '" + shop.path("orders") + "' " + options});
        CHECK(dumped.exit_code == 0);
        const finished_process done =
            shop.append(copy, "--schema '" + shop.path("orders") + "'", dumped.out);
        CHECK(done.err.empty());
        // The same batches, under the sequences of the copy.
        const auto was = json_lines(dumped.out);
        const auto is = json_lines(shop.dump(copy));
        REQUIRE(was.size() == is.size());
        for (std::size_t i = 0; i < was.size(); ++i)
            CHECK(was[i]["more_in_batch"] == is[i]["more_in_batch"]);
        return flags(dumped.out);
    };
    CHECK(copied("") == "0+ 1+ 2+ 3+ 4 5+ 6+ 7+ 8+ 9 10 11 ");
    CHECK(copied("--type 77") == "0+ 2+ 4 5+ 7+ 9 11 ");
    CHECK(copied("--type 78") == "1+ 3 6+ 8 ");
    CHECK(copied("--stream account-7") == "1+ 4 6+ 9 10 ");
    CHECK(copied("--stream 9") == "0+ 2+ 3 5+ 7+ 8 ");
    CHECK(copied("--since 14:03 --until 14:12") == "3+ 4 5+ 6 ");
    CHECK(copied("--where 'sequence % 3 = 0'") == "0+ 3 6+ 9 ");
    CHECK(copied("--where 'sequence % 4 = 2'") == "2 6 10 ");
    CHECK(copied("--where 'sequence in (1, 3, 9)'") == "1+ 3 9 ");
    CHECK(copied("--from 2 --limit 2") == "2+ 3 ");
    CHECK(copied("--limit 7") == "0+ 1+ 2+ 3+ 4 5+ 6 ");
    CHECK(flags(shop.dump("orders", "--raw")) == flags(shop.dump("orders")));
}

TEST_CASE("the exchange's own journal survives dump, append and dump") {
    const workshop shop;
    const char* commands = std::getenv("PAWL_ROUND_TRIP_COMMANDS");
    REQUIRE(run({PAWL_TOOLS_DIR "/pawl-exchange", "run", shop.path("exchange"), "--commands",
                 commands == nullptr ? "5000" : commands})
                .exit_code == 0);
    const auto pipe = [&](const std::string& dump, const std::string& append) {
        return run({"bash", "-o", "pipefail", "-c",
                    program + " dump " + dump + " '" + shop.path("exchange") + "' | " + program +
                        " append " + append})
            .exit_code;
    };
    const auto same = [&](const std::string& copy) {
        return run({"bash", "-c",
                    "cmp <(" + program + " dump '" + shop.path("exchange") + "') <(" + program +
                        " dump '" + shop.path(copy) + "')"})
            .exit_code;
    };
    REQUIRE(pipe("", fmt::format("'{}' --schema '{}/../tools/exchange/events.fbs'",
                                 shop.path("copy"), PAWL_TESTS_DIR)) == 0);
    CHECK(same("copy") == 0);
    REQUIRE(pipe("--exact", fmt::format("'{}'", shop.path("twin"))) == 0);
    CHECK(same("twin") == 0);
    CHECK(digest(shop.path("twin")) == digest(shop.path("exchange")));
}

TEST_CASE("no damaged line of a dump crashes append, and none that it refuses is written") {
    const workshop shop;
    described_journal journal;
    journal.accept("2026-11-23T14:00", journal.stream("a", "2026-11-23T13:00"), 1, 5);
    journal.close();
    const std::string schema = "--schema '" + journal.directory() + "'";
    const std::string line = run_pawl({"dump", journal.directory()}).out;
    std::size_t refused = 0;
    std::size_t taken = 0;
    for (std::size_t length = 1; length + 1 < line.size(); length += 7) {
        const finished_process cut = shop.append("cut", schema, line.substr(0, length));
        CHECK(cut.exit_code == 1);
        CHECK(contains(cut.err, "line 1, column "));
        ++refused;
        std::string changed = line;
        changed[length] = '\x01';
        const finished_process other = shop.append("changed", schema, changed);
        CHECK(other.signal == 0);
        (other.exit_code == 0 ? taken : refused) += 1;
    }
    CHECK(json_lines(shop.dump("cut")).empty());
    CHECK(json_lines(shop.dump("changed")).size() == taken);
    CHECK(refused > 30);
    const std::string deep(100'000, '[');
    for (const std::string& hostile :
         {R"({"type":1,"event":)" + deep, R"({"type":1,"metadata":)" + deep + "}",
          std::string{"{\"\0\":1}", 7}, std::string{"{\"a\":\"\\"}, std::string{"{}"},
          std::string{R"({"type":70000,"payload":""})"}, std::string{R"({"names":"x","stream":1})"},
          std::string{R"({"describes":"","type_number":1,"base64":"!"})"},
          std::string{R"({"type":65281,"payload":""})"}}) {
        INFO(hostile.substr(0, 60));
        const finished_process done = shop.append("hostile", "", hostile);
        CHECK(done.exit_code == 1);
        CHECK(contains(done.err, "line 1"));
    }
}
