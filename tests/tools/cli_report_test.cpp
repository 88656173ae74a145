// info, verify and recover as an operator runs them.
#include "cli_support.hpp"

#include <catch2/catch.hpp>

using namespace pawl::test;
using nlohmann::json;

TEST_CASE("help is a manual on standard output") {
    const finished_process all = run_pawl({"--help"});
    CHECK(all.exit_code == 0);
    CHECK(all.err.empty());
    for (const char* command :
         {"info", "types", "streams", "clock", "verify", "dump", "append", "sql", "check-schema",
          "consumers", "projections", "recover", "tail"}) {
        CHECK(contains(all.out, command));
        const finished_process one = run_pawl({command, "--help"});
        CHECK(one.exit_code == 0);
        CHECK(one.err.empty());
        CHECK(contains(one.out, "--json"));
        CHECK(contains(one.out, "\n  pawl " + std::string{command} + " "));
    }
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{},
                                               {"info"},
                                               {"types"},
                                               {"streams"},
                                               {"clock"},
                                               {"verify"},
                                               {"dump"},
                                               {"append"},
                                               {"sql"},
                                               {"check-schema"},
                                               {"recover"},
                                               {"backup"},
                                               {"restore"},
                                               {"prune"},
                                               {"tail"},
                                               {"consumers"},
                                               {"consumers", "drop"},
                                               {"snapshot"},
                                               {"snapshot", "list"},
                                               {"snapshot", "verify"},
                                               {"projections"},
                                               {"projections", "retry"},
                                               {"projections", "drop-parked"},
                                               {"projections", "drop"}}) {
        auto asked = words;
        asked.emplace_back("--help");
        for (const std::string& line : lines_of(run_pawl(asked).out)) {
            INFO(line);
            CHECK(line.size() <= 80);
        }
    }
    const std::string recover = run_pawl({"recover", "--help"}).out;
    CHECK(contains(recover, "--dry-run"));
    CHECK(contains(recover, "torn"));
    CHECK(contains(recover, "durable"));
}

TEST_CASE("wrong usage exits with 2 and a message on standard error only") {
    for (const std::vector<std::string>& arguments :
         std::vector<std::vector<std::string>>{{},
                                               {"--nonsense"},
                                               {"explode"},
                                               {"info"},
                                               {"verify", "a", "b"},
                                               {"dump", "a", "--from", "yesterday"},
                                               {"dump", "a", "--limit", "-1"},
                                               {"recover", "a", "--force"},
                                               {"recover", "a", "--salvage", ""},
                                               {"recover", "a", "--salvage", "b", "--dry-run"},
                                               {"backup", "a"},
                                               {"backup", "a", ""},
                                               {"restore", "a"},
                                               {"verify", ""},
                                               {"info", ""},
                                               {"dump", "a", "--stream", ""},
                                               {"dump", "a", "--last", "0"},
                                               {"dump", "a", "--last", "1", "--from", "1"},
                                               {"dump", "a", "--around", "1", "--last", "1"},
                                               {"dump", "a", "--context", "1"},
                                               {"dump", "a", "--stream="},
                                               {"append", "a", "--expect", "1"},
                                               {"append", "a", "--type-number", "1"},
                                               {"append", "a", "--batch", "0"},
                                               {"streams", "a", "--top", "0"},
                                               {"streams", "a", "--name", ""},
                                               {"sql"},
                                               {"check-schema", "a"},
                                               {"consumers"},
                                               {"snapshot"},
                                               {"snapshot", "verify"},
                                               {"consumers", "drop", "a"},
                                               {"consumers", "drop", "a", ""}}) {
        const finished_process done = run_pawl(arguments);
        CHECK(done.exit_code == 2);
        CHECK(done.out.empty());
        CHECK(done.err.starts_with("pawl: "));
    }
}

TEST_CASE("every command exits with 3 for a directory that is not a journal") {
    const temporary_directory empty;
    for (const char* command :
         {"info", "types", "streams", "clock", "verify", "dump", "consumers", "recover", "tail"}) {
        INFO(command);
        for (const std::string& directory :
             {empty.path().string(), (empty.path() / "absent").string()}) {
            const finished_process done = run_pawl({command, directory});
            CHECK(done.exit_code == 3);
            CHECK(done.out.empty());
            CHECK(done.err.starts_with("pawl: not_a_journal"));
            CHECK(contains(done.err, directory));
        }
    }
    CHECK(std::filesystem::is_empty(empty.path()));
}

TEST_CASE("info lists what the log says of its event types") {
    const sample_journal journal;
    {
        pawl::writer log = journal.open();
        must(log.describe({3, 1, "order placed", bytes_of("a schema")}));
        sample_journal::append(log, 2);
        must(log.describe({3, 2, "order placed", bytes_of("another schema")}));
        must(log.close());
    }
    const finished_process text = run_pawl({"info", journal.directory()});
    CHECK(text.exit_code == 0);
    CHECK(contains(text.out, "describes  type 3/1 order placed: 8 bytes, before event 0\n"));
    CHECK(contains(text.out, "describes  type 3/2 order placed: 14 bytes, before event 2\n"));
    const json said =
        json::parse(run_pawl({"info", "--json", journal.directory()}).out)["descriptions"];
    REQUIRE(said.size() == 2);
    CHECK(said[1]["type"] == 3);
    CHECK(said[1]["schema_version"] == 2);
    CHECK(said[1]["name"] == "order placed");
    CHECK(said[1]["bytes"] == 14);
    CHECK(said[1]["next_sequence"] == 2);
}

TEST_CASE("info shows the last clock report") {
    const sample_journal journal;
    {
        pawl::writer log =
            must(pawl::writer::open(journal.directory(), {.clock = pawl::clock_source::system,
                                                          .full = pawl::when_full::fail,
                                                          .background_threads = false}));
        sample_journal::append(log, 3);
        must(log.close());
    }
    const finished_process text = run_pawl({"info", journal.directory()});
    CHECK(text.exit_code == 0);
    CHECK(contains(text.out, "\nclock      system clock, "));
    CHECK(contains(text.out, "before event 3\n"));
    for (const std::string& line : lines_of(text.out))
        CHECK((line.size() <= 80 || contains(line, journal.directory())));
    const json clock = json::parse(run_pawl({"info", "--json", journal.directory()}).out)["clock"];
    CHECK(clock["source"] == "system clock");
    CHECK(clock["next_sequence"] == 3);
    CHECK(clock["tsc_hz"] == 0);
    CHECK(clock["steps"] == 0);
}

TEST_CASE("info describes a journal and its segments") {
    const sample_journal journal;
    journal.fill(2000);
    const finished_process text = run_pawl({"info", journal.directory()});
    CHECK(text.exit_code == 0);
    CHECK(text.err.empty());
    CHECK(contains(text.out, "state      closed; nobody holds it\n"));
    CHECK(contains(text.out, "events     2000, at least 2000 of them durable\n"));
    CHECK(contains(text.out, "\nfrom       20"));
    CHECK(contains(text.out, "\nto         20"));
    CHECK_FALSE(contains(text.out, "rolled"));
    const finished_process segments = run_pawl({"info", "--segments", journal.directory()});
    CHECK(contains(segments.out, "rolled"));
    for (const std::string& line : lines_of(text.out + segments.out))
        CHECK((line.size() <= 80 || contains(line, journal.directory())));

    const finished_process done = run_pawl({"info", "--json", journal.directory()});
    CHECK(done.exit_code == 0);
    CHECK(done.err.empty());
    const json info = json::parse(done.out);
    CHECK(info["directory"] == journal.directory());
    CHECK(info["id"].get<std::string>().size() == 32);
    CHECK(info["format_version"] == 1);
    CHECK(info["segment_bytes"] == 65536);
    CHECK(info["state"] == "closed");
    CHECK(info["locked"] == false);
    CHECK(info["durable"] == 2000);
    REQUIRE(info["segments"].size() >= 2);
    CHECK(info["segments"][0]["ordinal"] == 0);
    CHECK(info["segments"][0]["end"] == "rolled");
    CHECK(info["segments"][0]["sealed"] == true);
    CHECK(info["segments"][0]["first_sequence"] == 0);
    CHECK(info["segments"][0]["end_sequence"] == info["segments"][1]["first_sequence"]);
}

TEST_CASE("info distinguishes a writer that died from one that is running") {
    const sample_journal journal;
    journal.fill_and_crash(10);
    CHECK(contains(run_pawl({"info", journal.directory()}).out,
                   "state      open; nobody holds it, the last writer did not close it\n"));
    pawl::writer log = journal.open();
    sample_journal::append(log, 1);
    const std::string text = run_pawl({"info", journal.directory()}).out;
    CHECK(contains(text, "state      open; a writer holds it\n"));
    CHECK(contains(text, "events     11, "));
    CHECK(contains(text, "heartbeat  "));
    CHECK(contains(text, " ago"));
}

TEST_CASE("info names the writer that holds a journal") {
    const sample_journal journal;
    pawl::writer log = journal.open();
    const json info = json::parse(run_pawl({"info", "--json", journal.directory()}).out);
    CHECK(info["locked"] == true);
    CHECK(info["state"] == "open");
    CHECK(contains(info["owner"], "process " + std::to_string(getpid())));
}

TEST_CASE("verify counts a sound journal") {
    const sample_journal journal;
    journal.fill(2000);
    const finished_process text = run_pawl({"verify", journal.directory()});
    CHECK(text.exit_code == 0);
    CHECK(text.err.empty());
    CHECK(contains(text.out, "2000"));
    CHECK(contains(text.out, "sound\n"));

    const finished_process done = run_pawl({"verify", "--json", journal.directory()});
    CHECK(done.exit_code == 0);
    const json report = json::parse(done.out);
    CHECK(report["sound"] == true);
    CHECK(report["events"] == 2000);
    CHECK(report["first_sequence"] == 0);
    CHECK(report["next_sequence"] == 2000);
    CHECK(report["end"] == "closed");
    CHECK(report["findings"].empty());
}

TEST_CASE("verify exits with 1 on a flipped bit and names file, offset and sequence") {
    const sample_journal journal;
    journal.fill(2000);
    // The payload of the first event.
    flip_bit(journal.file("0000000000.seg"), 8192 + 56);
    const finished_process done = run_pawl({"verify", "--json", journal.directory()});
    CHECK(done.exit_code == 1);
    const json report = json::parse(done.out);
    CHECK(report["sound"] == false);
    REQUIRE_FALSE(report["findings"].empty());
    const json& finding = report["findings"][0];
    CHECK(finding["damage"] == true);
    CHECK(finding["code"] == "damaged");
    CHECK(finding["file"] == journal.file("0000000000.seg").string());
    CHECK(finding["offset"] == 8192);
    CHECK(finding["sequence"] == 0);
    CHECK(contains(done.err, "0000000000.seg, byte 8192, sequence 0"));

    const finished_process text = run_pawl({"verify", journal.directory()});
    CHECK(text.exit_code == 1);
    CHECK(contains(text.out, "DAMAGED"));
    CHECK(text.err == done.err);
}

TEST_CASE("verify finds a flipped bit wherever it is in a sealed segment") {
    const sample_journal journal;
    journal.fill(2000);
    const auto segment = journal.file("0000000001.seg");
    for (const std::streamoff at :
         {0,    8,    40,   64,   119,  200,  255,  256,   4000,
          4096, 4351, 4352, 8191,                                  // headers
          8192, 8200, 8208, 8240, 8247, 8250, 8260, 30000, 57300,  // frames
          65535}) {
        INFO("byte " << at);
        flip_bit(segment, at);
        const finished_process done = run_pawl({"verify", journal.directory()});
        // One of two header copies, and what lies around them, is worth no more than a notice.
        CHECK(done.exit_code == (at < 8192 ? 0 : 1));
        CHECK(contains(done.err, "0000000001.seg, byte "));
        CHECK(contains(done.err, ", sequence "));
        flip_bit(segment, at);
    }
    CHECK(run_pawl({"verify", journal.directory()}).exit_code == 0);
}

TEST_CASE("verify does not report a missing index, and reports a wrong one as a notice") {
    const sample_journal journal;
    journal.fill(2000);
    std::filesystem::remove(journal.file("0000000000.idx"));
    CHECK(run_pawl({"verify", journal.directory()}).exit_code == 0);

    flip_bit(journal.file("0000000001.idx"), 200);
    CHECK(contains(run_pawl({"verify", journal.directory()}).out,
                   "sound; no damage, but see the notices\n"));
    const finished_process done = run_pawl({"verify", "--json", journal.directory()});
    CHECK(done.exit_code == 0);
    const json report = json::parse(done.out);
    CHECK(report["sound"] == true);
    CHECK(report["notices"] == 1);
    CHECK(report["damaged"] == 0);
    CHECK(report["unreadable"] == 0);
    REQUIRE(report["findings"].size() == 1);
    CHECK(report["findings"][0]["damage"] == false);
    CHECK(report["findings"][0]["severity"] == "notice");
    CHECK(done.err.starts_with("pawl: notice: "));
}

// Root may read any file, but no program follows a link in place of a segment.
TEST_CASE("an unreadable file is not reported as damage") {
    const sample_journal journal;
    journal.fill(2000);
    const auto segment = journal.file("0000000001.seg");
    std::filesystem::rename(segment, journal.file("elsewhere"));
    std::filesystem::create_symlink(journal.file("elsewhere"), segment);
    const finished_process done = run_pawl({"verify", "--json", journal.directory()});
    CHECK(done.exit_code == 3);
    const json report = json::parse(done.out);
    CHECK(report["sound"] == false);
    CHECK(report["damaged"] == 0);
    CHECK(report["unreadable"] == 1);
    REQUIRE(report["findings"].size() == 1);
    CHECK(report["findings"][0]["severity"] == "unreadable");
    CHECK(report["findings"][0]["damage"] == false);
    CHECK(report["findings"][0]["file"] == segment.string());
    const finished_process text = run_pawl({"verify", journal.directory()});
    CHECK(text.exit_code == 3);
    CHECK_FALSE(contains(text.out, "DAMAGED"));
    CHECK(contains(text.out, "COULD BE READ"));
    CHECK(run_pawl({"dump", journal.directory()}).exit_code == 3);

    // Damage outweighs it.
    flip_bit(journal.file("0000000000.seg"), 8192 + 56);
    CHECK(run_pawl({"verify", journal.directory()}).exit_code == 1);
}

namespace {

std::vector<std::pair<std::string, std::string>> contents(const std::string& directory) {
    std::vector<std::pair<std::string, std::string>> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{directory}) {
        if (!entry.is_regular_file())
            continue;
        std::ifstream from{entry.path(), std::ios::binary};
        files.emplace_back(entry.path(), std::string{std::istreambuf_iterator<char>{from}, {}});
    }
    std::ranges::sort(files);
    return files;
}

}  // namespace

TEST_CASE("recover recovers a crashed journal, and a dry run only reports how") {
    const sample_journal journal;
    journal.fill_and_crash(100);
    const auto before = contents(journal.directory());
    const finished_process dry = run_pawl({"recover", "--dry-run", "--json", journal.directory()});
    CHECK(dry.exit_code == 0);
    CHECK(dry.err.empty());
    CHECK(contents(journal.directory()) == before);
    const json would = json::parse(dry.out);
    CHECK(would["dry_run"] == true);
    CHECK(would["found"] == "torn_tail");
    CHECK(would["next_sequence"] == 100);
    CHECK(would["cut"]["sequence"] == 100);
    CHECK(would["lost_about"] == 0);

    const finished_process text = run_pawl({"recover", "--dry-run", journal.directory()});
    CHECK(text.exit_code == 0);
    CHECK(contains(text.out, "No event is known to be lost"));
    CHECK(contains(text.out, "The log will end with 100 events, in 0000000000.seg at byte"));
    CHECK(contains(text.out, "recovery takes about as long"));
    CHECK(contains(text.out, "nothing was changed"));
    CHECK(contents(journal.directory()) == before);

    const std::string copy = journal.file("../copy");
    std::filesystem::copy(journal.directory(), copy);
    const finished_process said = run_pawl({"recover", copy});
    CHECK(said.exit_code == 0);
    CHECK(said.out.find("The log will end") < said.out.find("cut        0000000000.seg"));
    CHECK(contains(said.out, "the journal is whole and closed"));
    for (const std::string& line : lines_of(text.out + said.out))
        CHECK(line.size() <= 80);

    const finished_process done = run_pawl({"recover", "--json", journal.directory()});
    CHECK(done.exit_code == 0);
    CHECK(done.err.empty());
    const json did = json::parse(done.out);
    CHECK(did["dry_run"] == false);
    CHECK(did["cut"] == would["cut"]);
    CHECK(run_pawl({"verify", journal.directory()}).exit_code == 0);

    const json again = json::parse(run_pawl({"recover", "--json", journal.directory()}).out);
    CHECK(again["found"] == "closed");
    CHECK(again["cut"].is_null());
    CHECK(again["next_sequence"] == 100);
    CHECK(contains(run_pawl({"recover", journal.directory()}).out, "nothing to recover"));
}

TEST_CASE("recover keeps the bytes that its end frame overwrites and prints where") {
    const sample_journal journal;
    journal.fill_and_crash(10);
    const json would =
        json::parse(run_pawl({"recover", "--dry-run", "--json", journal.directory()}).out);
    const auto cut = would["cut"]["offset"].get<std::uint64_t>();
    flip_bit(journal.file("0000000000.seg"), static_cast<std::streamoff>(cut + 40));

    const finished_process done = run_pawl({"recover", "--json", journal.directory()});
    CHECK(done.exit_code == 0);
    const json did = json::parse(done.out);
    CHECK(did["torn_bytes"] == 41);
    REQUIRE(did["kept"].size() == 1);
    CHECK(contains(did["kept"][0], "torn"));
    CHECK_FALSE(std::filesystem::is_empty(journal.file("torn")));
}

TEST_CASE("recover refuses damage, changes nothing and prints advice") {
    const sample_journal journal;
    journal.fill_and_crash(2000);
    flip_bit(journal.file("0000000000.seg"), 8192 + 56);
    const auto before = contents(journal.directory());
    for (const char* how : {"--dry-run", "--json"}) {
        const finished_process done = run_pawl({"recover", how, journal.directory()});
        CHECK(done.exit_code == 1);
        CHECK(done.out.empty());
        CHECK(contains(done.err, "pawl: damaged: "));
        CHECK(contains(done.err, "0000000000.seg, byte 8192, sequence 0"));
        CHECK(contains(done.err, "Nothing was changed"));
    }
    CHECK(contents(journal.directory()) == before);
}

TEST_CASE("recover refuses a journal whose writer is alive and names it") {
    const sample_journal journal;
    pawl::writer log = journal.open();
    // A rehearsal beside a writer would see a journal that no recovery ever finds.
    for (const std::vector<std::string>& how :
         std::vector<std::vector<std::string>>{{"recover"}, {"recover", "--dry-run"}}) {
        auto words = how;
        words.push_back(journal.directory());
        const finished_process done = run_pawl(words);
        CHECK(done.exit_code == 3);
        CHECK(done.out.empty());
        CHECK(done.err.starts_with("pawl: locked"));
        CHECK(contains(done.err, "process " + std::to_string(getpid())));
    }
}

TEST_CASE("prune removes what is old, says who holds what, and leaves the rest readable") {
    const sample_journal journal;
    journal.fill(3000);
    const auto pruned = [&](std::vector<std::string> more) {
        more.insert(more.begin(), {"prune", journal.directory(), "--json"});
        const finished_process done = run_pawl(more);
        INFO(done.err);
        REQUIRE(done.exit_code == 0);
        return json::parse(done.out);
    };
    CHECK(pruned({"--keep", "1d", "--dry-run"})["segments"] == 0);
    CHECK(pruned({"--keep-bytes", "200G", "--dry-run"})["segments"] == 0);
    const json dry = pruned({"--before", "3000", "--dry-run"});
    CHECK(dry["dry_run"] == true);
    CHECK(dry["segments"] >= 2);
    CHECK(dry["first_sequence"] > 0);
    CHECK(std::filesystem::exists(journal.file("0000000000.seg")));

    // A single snapshot, which may turn out to be bad, needs everything.
    std::filesystem::create_directory(journal.file("snapshots"));
    const auto snapshot = journal.file("snapshots") / "books-v1-00000000000000000100.snap";
    std::ofstream{snapshot} << "not a snapshot";
    const json held = pruned({"--before", "3000"});
    CHECK(held["segments"] == 0);
    REQUIRE(held["held_by"].size() == 1);
    CHECK(held["held_by"][0]["name"] == "snapshots books-v1");
    std::filesystem::remove(snapshot);

    const json done = pruned({"--before", "3000"});
    CHECK(done["segments"] == dry["segments"]);
    CHECK(done["first_sequence"] == dry["first_sequence"]);
    CHECK_FALSE(std::filesystem::exists(journal.file("0000000000.seg")));
    const std::string first = std::to_string(done["first_sequence"].get<std::uint64_t>());
    const std::string text = run_pawl({"info", journal.directory()}).out;
    CHECK(contains(text, "pruned     the " + first + " events before"));
    CHECK(run_pawl({"verify", "--deep", journal.directory()}).exit_code == 0);
    const finished_process early = run_pawl({"dump", journal.directory(), "--from", "0"});
    CHECK(early.exit_code == 1);
    CHECK(contains(early.err, "pruned"));
    CHECK(contains(early.err, first));
    CHECK(json_lines(run_pawl({"dump", journal.directory()}).out).front()["sequence"] ==
          done["first_sequence"]);

    const pawl::writer log = journal.open();
    const finished_process locked = run_pawl({"prune", journal.directory(), "--before", "1"});
    CHECK(locked.exit_code == 3);
    CHECK(contains(locked.err, "locked"));
    CHECK(run_pawl({"prune", journal.directory()}).exit_code == 2);
    CHECK(run_pawl({"prune", journal.directory(), "--keep", "30"}).exit_code == 2);
}
