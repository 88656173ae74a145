// dump and tail as an operator runs them.
#include "cli_support.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <chrono>
#include <thread>

using namespace pawl::test;
using nlohmann::json;

namespace {

// Waits until the program has written `lines` lines; false if that takes too long.
bool wait_for_lines(const process& running, std::size_t lines) {
    using namespace std::chrono_literals;
    const auto give_up = std::chrono::steady_clock::now() + 60s;
    while (lines_of(running.out()).size() < lines) {
        if (std::chrono::steady_clock::now() > give_up)
            return false;
        std::this_thread::yield();
    }
    return true;
}

std::vector<std::uint64_t> sequences_of(const finished_process& done) {
    std::vector<std::uint64_t> sequences;
    for (const json& line : json_lines(done.out))
        sequences.push_back(line["sequence"]);
    return sequences;
}

}  // namespace

TEST_CASE("dump --raw writes one line of JSON per event with every field of its header") {
    const sample_journal journal;
    journal.fill(2000);
    const finished_process done = run_pawl({"dump", "--raw", journal.directory()});
    CHECK(done.exit_code == 0);
    CHECK(done.err.empty());
    const auto events = json_lines(done.out);
    REQUIRE(events.size() == 2000);
    for (std::uint64_t i = 0; i < events.size(); ++i) {
        REQUIRE(events[i]["sequence"] == i);
        REQUIRE(events[i]["stream"] == (i % 3 == 0 ? 7 : 0));
        REQUIRE(events[i]["version"] == (i % 3 == 0 ? i / 3 + 1 : 0));
    }
    const json& first = events[0];
    CHECK(first["timestamp_ns"].get<std::uint64_t>() > 1'600'000'000'000'000'000);
    CHECK(first["type"] == 3);
    CHECK(first["schema_version"] == 1);
    CHECK(first["more_in_batch"] == false);
    CHECK(first["segment"] == 0);
    CHECK(first["offset"] == 8192);
    CHECK(first["hash"].get<std::string>().size() == 16);
    CHECK(first["content_hash"].get<std::string>().size() == 16);
    CHECK(first["payload"] == "6576656e742030");
    CHECK_FALSE(first.contains("metadata"));
}

TEST_CASE("dump shows events of types that the journal does not describe in hexadecimal") {
    const sample_journal journal;
    journal.fill(30);
    const finished_process done = run_pawl({"dump", journal.directory()});
    CHECK(done.exit_code == 0);
    CHECK(done.err.empty());
    const auto events = json_lines(done.out);
    REQUIRE(events.size() == 30);
    const json& seventh = events[6];
    CHECK(contains(seventh["time"].get<std::string>(), "T"));
    json without_time = seventh;
    without_time.erase("time");
    CHECK(without_time == json{{"sequence", 6},
                               {"stream", 7},
                               {"version", 3},
                               {"type", 3},
                               {"schema_version", 1},
                               {"more_in_batch", false},
                               {"payload", "6576656e742036"}});
    CHECK(run_pawl({"dump", "--json", journal.directory()}).out == done.out);
}

TEST_CASE("dump marks the events of a batch") {
    const sample_journal journal;
    {
        pawl::writer log = journal.open();
        auto batch = must(log.begin_batch(3, 64));
        for (int i = 0; i < 3; ++i)
            must(batch.append({.type = 1}, bytes_of("x")));
        must(batch.commit());
        must(log.close());
    }
    const auto events = json_lines(run_pawl({"dump", journal.directory()}).out);
    REQUIRE(events.size() == 3);
    CHECK(events[0]["more_in_batch"] == true);
    CHECK(events[1]["more_in_batch"] == true);
    CHECK(events[2]["more_in_batch"] == false);
}

TEST_CASE("dump starts, stops and selects as its options say") {
    const sample_journal journal;
    journal.fill(30);
    const auto dump = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"dump", journal.directory()});
        return run_pawl(arguments);
    };
    CHECK(sequences_of(dump({"--from", "28"})) == std::vector<std::uint64_t>{28, 29});
    CHECK(sequences_of(dump({"--from", "4", "--limit", "2"})) == std::vector<std::uint64_t>{4, 5});
    CHECK(dump({"--limit", "0"}).out.empty());
    CHECK(sequences_of(dump({"--stream", "7", "--limit", "3"})) ==
          std::vector<std::uint64_t>{0, 3, 6});
    CHECK(sequences_of(dump({"--stream", "7", "--from", "22"})) ==
          std::vector<std::uint64_t>{24, 27});
    CHECK(sequences_of(dump({"--durable"})).size() == 30);
    CHECK(dump({"--from", "30"}).exit_code == 0);

    const finished_process beyond = dump({"--from", "31"});
    CHECK(beyond.exit_code == 1);
    CHECK(beyond.err.starts_with("pawl: not_found"));
}

TEST_CASE("dump finds a stream by its name") {
    const sample_journal journal;
    {
        pawl::writer log = journal.open();
        const auto stream = must(log.stream("orders/EUR"));
        must(log.append({.type = 1}, bytes_of("of no stream")));
        must(log.append({.type = 1, .stream = stream}, bytes_of("named")));
        must(log.close());
    }
    const finished_process done = run_pawl({"dump", journal.directory(), "--stream", "orders/EUR"});
    CHECK(done.exit_code == 0);
    CHECK(sequences_of(done) == std::vector<std::uint64_t>{1});
    CHECK(json_lines(done.out)[0]["stream"] == "orders/EUR");

    const finished_process unknown =
        run_pawl({"dump", journal.directory(), "--stream", "orders/USD"});
    CHECK(unknown.exit_code == 1);
    CHECK(unknown.out.empty());
    CHECK(contains(unknown.err, "orders/USD"));
}

TEST_CASE("dump stops at damage with 1, after the last event before it") {
    const sample_journal journal;
    journal.fill(2000);
    const auto whole = json_lines(run_pawl({"dump", "--raw", journal.directory()}).out);
    const auto offset = whole[100]["offset"].get<std::streamoff>();
    REQUIRE(whole[100]["segment"] == 0);
    flip_bit(journal.file("0000000000.seg"), offset + 60);
    const finished_process done = run_pawl({"dump", journal.directory()});
    CHECK(done.exit_code == 1);
    CHECK(json_lines(done.out).size() == 100);
    CHECK(contains(done.err, "0000000000.seg, byte " + std::to_string(offset) + ", sequence 100"));
}

TEST_CASE("dump of a crashed journal ends with a notice and exit code 0") {
    const sample_journal journal;
    journal.fill_and_crash(10);
    const finished_process done = run_pawl({"dump", journal.directory()});
    CHECK(done.exit_code == 0);
    CHECK(json_lines(done.out).size() == 10);
}

TEST_CASE("dump ends quietly when its reader exits") {
    const sample_journal journal;
    journal.fill(5000);
    const finished_process done =
        run({"bash", "-c",
             // Even where whoever started it ignores the signal.
             "trap '' PIPE; '" + program + "' dump '" + journal.directory() +
                 "' | head -n 1; echo \"${PIPESTATUS[0]}\""});
    CHECK(done.err.empty());
    const auto lines = lines_of(done.out);
    REQUIRE(lines.size() == 2);
    CHECK(json::parse(lines[0])["sequence"] == 0);
    CHECK(lines[1] == std::to_string(128 + SIGPIPE));
}

TEST_CASE("output that cannot be written is a failure") {
    const sample_journal journal;
    journal.fill(5000);
    for (const std::string command : {"dump", "info", "verify", "tail", "recover"}) {
        const finished_process done =
            run({"bash", "-c",
                 "'" + program + "' " + command + " '" + journal.directory() + "' >/dev/full"});
        INFO(command);
        CHECK(done.exit_code == 1);
        CHECK(contains(done.err, "standard output"));
    }
}

TEST_CASE("tail shows the last events") {
    const sample_journal journal;
    journal.fill(30);
    const finished_process text = run_pawl({"tail", journal.directory()});
    CHECK(text.exit_code == 0);
    CHECK(text.err.empty());
    CHECK(lines_of(text.out).size() == 10);
    CHECK(contains(lines_of(text.out)[7], "7@10  3/1  8 bytes  6576656e74203237"));
    for (const std::string& line : lines_of(text.out))
        CHECK(line.size() <= 80);

    const finished_process done = run_pawl({"tail", "-n", "2", "--json", journal.directory()});
    CHECK(sequences_of(done) == std::vector<std::uint64_t>{28, 29});
    CHECK(sequences_of(run_pawl({"tail", "-n", "99", "--json", journal.directory()})).size() == 30);
    CHECK(run_pawl({"tail", "-n", "0", journal.directory()}).out.empty());
}

TEST_CASE("tail of an empty journal shows nothing") {
    const sample_journal journal;
    journal.fill(0);
    const finished_process done = run_pawl({"tail", journal.directory()});
    CHECK(done.exit_code == 0);
    CHECK(done.out.empty());
    CHECK(done.err.empty());
}

TEST_CASE("tail follows a writer across rollovers and restarts until it is interrupted") {
    const sample_journal journal;
    journal.fill(30);
    process running{{program, "tail", "--follow", "-n", "1", "--json", journal.directory()}};
    REQUIRE(wait_for_lines(running, 1));
    journal.fill(1000);
    REQUIRE(wait_for_lines(running, 1001));
    journal.fill_and_crash(1000);
    REQUIRE(wait_for_lines(running, 2001));
    journal.fill(10);
    REQUIRE(wait_for_lines(running, 2011));
    running.send(SIGINT);
    const finished_process done = running.wait();
    CHECK(done.exit_code == 0);
    CHECK(done.err.empty());
    const auto sequences = sequences_of(done);
    REQUIRE(sequences.size() == 2011);
    for (std::uint64_t i = 0; i < sequences.size(); ++i)
        REQUIRE(sequences[i] == 29 + i);
}

TEST_CASE("a line of tail holds as much of a payload as 80 columns have room for") {
    const sample_journal journal;
    {
        pawl::writer log = journal.open();
        const std::string payload(100, 'x');
        auto batch = must(log.begin_batch(2, 200));
        must(batch.append({.type = 3, .stream = 7}, bytes_of(payload)));
        must(batch.append({.type = 3, .stream = ~0ULL >> 1}, bytes_of(payload)));
        must(batch.commit());
        must(log.close());
    }
    const auto lines = lines_of(run_pawl({"tail", journal.directory()}).out);
    REQUIRE(lines.size() == 2);
    CHECK(contains(lines[0], "  100 bytes  7878787878"));
    CHECK(lines[0].ends_with("…  +"));
    for (const std::string& line : lines)
        CHECK(line.size() <= 80 + std::string_view{"…"}.size() - 1);
}

TEST_CASE("tail waits for a journal that is not there yet") {
    const sample_journal journal;
    process running{{program, "tail", "--wait", "-f", "--json", journal.directory()}};
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (!contains(running.err(), "waiting for a journal in ")) {
        REQUIRE(std::chrono::steady_clock::now() < deadline);
        std::this_thread::yield();
    }
    journal.fill(5);
    REQUIRE(wait_for_lines(running, 5));
    running.send(SIGINT);
    CHECK(running.wait().exit_code == 0);
    // And one that cannot become a journal is an error at once.
    CHECK(run_pawl({"tail", "--wait", program}).exit_code != 0);
}

namespace {

// What dump shows of a journal with these options.
std::vector<std::uint64_t> dumped(const sample_journal& journal, std::vector<std::string> options) {
    options.insert(options.begin(), {"dump", journal.directory()});
    const finished_process done = run_pawl(options);
    INFO(done.err);
    CHECK(done.exit_code == 0);
    return sequences_of(done);
}

using sequences = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("dump --last shows the last of the events that the other options select") {
    const sample_journal journal;
    journal.fill(20000);  // every third in stream 7
    CHECK(dumped(journal, {"--last", "3"}) == sequences{19997, 19998, 19999});
    CHECK(dumped(journal, {"--last", "2", "--stream", "7"}) == sequences{19995, 19998});
    CHECK(dumped(journal, {"--last", "2", "--where", "sequence < 100"}) == sequences{98, 99});
    CHECK(dumped(journal, {"--last", "30000"}).size() == 20000);
    CHECK(dumped(journal, {"--last", "3", "--type", "4"}).empty());
    CHECK(dumped(journal, {"--last", "9000", "--stream", "7"}).size() == 6667);
    CHECK(dumped(journal, {"--last", "1", "--durable"}) == sequences{19999});
}

TEST_CASE("dump --around shows an event and its neighbours") {
    const sample_journal journal;
    journal.fill(3000);
    CHECK(dumped(journal, {"--around", "1500", "--context", "2"}) ==
          sequences{1498, 1499, 1500, 1501, 1502});
    CHECK(dumped(journal, {"--around", "1500", "--context", "0"}) == sequences{1500});
    CHECK(dumped(journal, {"--around", "0", "--context", "1"}) == sequences{0, 1});
    CHECK(dumped(journal, {"--around", "2999", "--context", "1"}) == sequences{2998, 2999});
    CHECK(dumped(journal, {"--around", "1500"}).size() == 21);
    CHECK(dumped(journal, {"--around", "1501", "--context", "1", "--stream", "7"}) ==
          sequences{1500, 1503});
    const finished_process beyond = run_pawl({"dump", "--around", "3000", journal.directory()});
    CHECK(beyond.exit_code == 1);
    CHECK(contains(beyond.err, "no event has sequence 3000: the journal ends at 3000"));
}

TEST_CASE("dump --last reads only the end of the log") {
    const sample_journal journal;
    journal.fill(20000);
    // Damage in the second segment does not matter to it.
    flip_bit(journal.file("0000000001.seg"), 8192 + 56);
    CHECK(dumped(journal, {"--last", "2"}) == sequences{19998, 19999});
    CHECK(dumped(journal, {"--around", "19000", "--context", "1"}) ==
          sequences{18999, 19000, 19001});
}

TEST_CASE("dump shows metadata entry by entry") {
    const sample_journal journal;
    {
        pawl::writer log = journal.open();
        const std::string id = "sixteen bytes id";
        const std::string hash{"\x02\x01\0\0\0\0\0\0", 8};
        const std::string trace = id + "eight by" + "\x01" + "a=b";
        const std::string command = id + hash;
        const std::array entries{
            pawl::metadata_entry{pawl::metadata_tag::command, bytes_of(command)},
            pawl::metadata_entry{pawl::metadata_tag::correlation, bytes_of(id)},
            pawl::metadata_entry{pawl::metadata_tag::trace, bytes_of(trace)},
            pawl::metadata_entry{pawl::metadata_tag::actor, bytes_of("Ada \"the\" first")},
            pawl::metadata_entry{pawl::metadata_tag::source_time, bytes_of(hash)},
            pawl::metadata_entry{pawl::metadata_tag::tags, bytes_of(hash)},
            pawl::metadata_entry{pawl::metadata_tag{0x8001}, bytes_of("own")},
            pawl::metadata_entry{pawl::metadata_tag{0x8001}, {}}};
        must(log.append({.type = 1, .metadata = entries}, bytes_of("payload")));
        must(log.append({.type = 1}, {}));
        must(log.close());
    }
    const auto lines = json_lines(run_pawl({"dump", journal.directory()}).out);
    REQUIRE(lines.size() == 2);
    const std::string id_hex = "7369787465656e206279746573206964";
    const json wanted{
        {"command", {{"id", id_hex}, {"hash", "0000000000000102"}}},
        {"correlation", id_hex},
        {"trace",
         {{"traceparent", "00-" + id_hex + "-6569676874206279-01"}, {"tracestate", "a=b"}}},
        {"actor", "Ada \"the\" first"},
        {"source_time_ns", 0x102},
        {"tags", {0x102}},
        {"others", {{{"tag", 0x8001}, {"value", "6f776e"}}, {{"tag", 0x8001}, {"value", ""}}}}};
    CHECK(lines[0]["metadata"] == wanted);
    CHECK(lines[0]["payload"] == "7061796c6f6164");
    CHECK_FALSE(lines[1].contains("metadata"));
}

TEST_CASE("dump selects the events that name a tag") {
    const sample_journal journal;
    {
        pawl::writer log = journal.open();
        const pawl::stream_id named = must(log.stream("account/9"));
        for (std::uint64_t i = 0; i < 400; ++i) {
            const auto tags = i % 7 == 0 ? pawl::tag_set{5, named} : pawl::tag_set{5};
            must(log.append({.type = 3, .stream = 1 + i % 2, .tags = tags},
                            bytes_of(std::string(500, '.'))));
            must(log.poll());
        }
        must(log.close());
    }
    CHECK(dumped(journal, {"--tag", "5"}).size() == 400);
    CHECK(dumped(journal, {"--tag", "account/9", "--from", "380"}) == sequences{385, 392, 399});
    CHECK(dumped(journal, {"--tag", "account/9", "--stream", "1", "--limit", "2"}) ==
          sequences{0, 14});
    CHECK(dumped(journal, {"--tag", "account/9", "--last", "2"}) == sequences{392, 399});
    CHECK(dumped(journal, {"--tag", "6"}).empty());

    const finished_process unknown = run_pawl({"dump", journal.directory(), "--tag", "account/8"});
    CHECK(unknown.exit_code == 1);
    CHECK(contains(unknown.err, "no tag has the name 'account/8'"));
    const finished_process zero = run_pawl({"dump", journal.directory(), "--tag", "0"});
    CHECK(zero.exit_code == 1);
    CHECK(contains(zero.err, "no event names the tag 0"));
    CHECK(run_pawl({"dump", journal.directory(), "--tag", ""}).exit_code == 2);
}
