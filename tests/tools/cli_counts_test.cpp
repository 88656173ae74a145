// types, streams and clock as an operator runs them.
#include "cli_support.hpp"
#include "described_journal.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace pawl::test;
using nlohmann::json;

namespace {

json report_of(const std::vector<std::string>& arguments) {
    const finished_process done = run_pawl(arguments);
    INFO(done.err);
    CHECK(done.exit_code == 0);
    CHECK(done.err.empty());
    return json::parse(done.out);
}

const json& with(const json& list, const char* field, const json& value) {
    for (const json& each : list)
        if (each[field] == value)
            return each;
    throw std::runtime_error("no such entry: " + value.dump());
}

}  // namespace

TEST_CASE("types counts the events of each type, described or not") {
    described_journal journal;
    const auto account = journal.stream("account-7", "2026-11-23T09:00");
    journal.accept("2026-11-23T14:00", account, 1, 100);
    journal.accept("2026-11-23T14:02", account, 2, 100);
    journal.fill("2026-11-23T14:01", account, 1, 100);
    journal.append("2026-11-23T14:03", 999, "opaque");
    journal.close();

    const json report = report_of({"types", "--json", journal.directory()});
    REQUIRE(report["types"].size() == 4);
    const json& accepted = with(report["types"], "type", "accepted");
    CHECK(accepted["events"] == 2);
    CHECK(accepted["described"] == true);
    CHECK(accepted["first_sequence"] == 0);
    CHECK(accepted["last_sequence"] == 1);
    CHECK(accepted["max_timestamp_ns"] == described_journal::at("2026-11-23T14:02"));
    const json& rejected = with(report["types"], "type", "rejected");
    CHECK(rejected["events"] == 0);
    CHECK_FALSE(rejected.contains("first_sequence"));
    const json& opaque = with(report["types"], "type_number", 999);
    CHECK(opaque["type"].is_null());
    CHECK(opaque["described"] == false);
    CHECK(opaque["payload_bytes"] == 6);

    const finished_process text = run_pawl({"types", journal.directory()});
    CHECK(text.exit_code == 0);
    CHECK(contains(text.out, "accepted"));
    CHECK(contains(text.out, "2026-11-23T14:03:00"));
}

TEST_CASE("types names Pawl's own events") {
    const sample_journal journal;
    {
        pawl::writer log = journal.open();
        const auto command = pawl::reference_to({std::byte{1}}, bytes_of("withdraw"));
        must(log.append_handled(std::vector{pawl::entry_of(command)}, bytes_of("no")));
        must(log.close());
    }
    const json report = report_of({"types", "--json", journal.directory()});
    CHECK(with(report["types"], "type", "pawl.handled")["events"] == 1);
}

TEST_CASE("streams lists names first, and the largest with --top") {
    described_journal journal;
    const auto b = journal.stream("b", "2026-11-23T09:00");
    const auto a = journal.stream("a", "2026-11-23T09:00");
    (void)journal.stream("idle", "2026-11-23T09:00");
    for (std::uint64_t i = 0; i < 3; ++i)
        journal.accept("2026-11-23T14:00", b, i, 100);
    journal.accept("2026-11-23T14:01", a, 9, 100);
    for (std::uint64_t i = 0; i < 2; ++i)
        journal.accept("2026-11-23T14:02", 42, i, 100);
    journal.append("2026-11-23T14:03", 999, "of no stream");
    journal.close();

    const auto listed = [&](std::vector<std::string> options) {
        options.insert(options.begin(), {"streams", "--json", journal.directory()});
        const json report = report_of(options);
        CHECK(report["all_streams"] == 4);
        std::string names;
        for (const json& stream : report["streams"])
            names += (stream["name"].is_null() ? stream["stream"].dump()
                                               : stream["name"].get<std::string>()) +
                     ":" + stream["events"].dump() + "@" + stream["version"].dump() + " ";
        return names;
    };
    CHECK(listed({}) == "a:1@1 b:3@3 idle:0@0 42:2@2 ");
    CHECK(listed({"--top", "2"}) == "b:3@3 42:2@2 ");
    CHECK(listed({"--name", "[ab]"}) == "a:1@1 b:3@3 ");
    CHECK(listed({"--name", "4*"}) == "42:2@2 ");
    CHECK(listed({"--name", "absent"}).empty());

    const finished_process text = run_pawl({"streams", journal.directory()});
    CHECK(text.exit_code == 0);
    CHECK(text.out.find("a ") < text.out.find("b "));
    CHECK(contains(text.out, "2026-11-23T14:02:00"));
}

TEST_CASE("streams shows what is whole before damage, and exits with 1") {
    const sample_journal journal;
    journal.fill(3000);
    // The first byte of a payload in the second half of the first segment.
    flip_bit(journal.file("0000000000.seg"), (32 << 10) + 64);
    const finished_process done = run_pawl({"streams", "--json", journal.directory()});
    CHECK(done.exit_code == 1);
    CHECK(contains(done.err, "0000000000.seg"));
    const json report = json::parse(done.out);
    REQUIRE(report["streams"].size() == 1);
    CHECK(report["streams"][0]["events"] > 10);
    CHECK(report["streams"][0]["events"] < 1000);
}

TEST_CASE("clock lists the events whose times run back") {
    described_journal journal;
    for (const char* time : {"14:00", "14:05", "14:04", "14:03", "14:06", "14:06", "14:01"})
        journal.append("2026-11-23T" + std::string{time}, 999, "tick");
    journal.close();

    const json report = report_of({"clock", "--json", journal.directory()});
    CHECK(report["all_excursions"] == 2);
    constexpr std::uint64_t minute = 60'000'000'000;
    CHECK(report["excursions"] == json{{{"first_sequence", 2},
                                        {"events", 2},
                                        {"after_ns", described_journal::at("2026-11-23T14:05")},
                                        {"back_ns", 2 * minute}},
                                       {{"first_sequence", 6},
                                        {"events", 1},
                                        {"after_ns", described_journal::at("2026-11-23T14:06")},
                                        {"back_ns", 5 * minute}}});
    const finished_process text = run_pawl({"clock", journal.directory()});
    CHECK(contains(text.out, "reports     none"));
    CHECK_FALSE(contains(text.out, "synchronised"));
    CHECK(contains(text.out, "2 events from 2, up to 120000000000 ns before 2026-11-23T14:05"));
}

TEST_CASE("clock shows what the writer reported of its clock") {
    const temporary_directory home;
    const std::string directory = home.path() / "orders";
    for (int life = 0; life < 2; ++life) {
        auto log = must(pawl::writer::open(directory, {.clock = pawl::clock_source::system,
                                                       .full = pawl::when_full::fail,
                                                       .background_threads = false}));
        must(log.append({.type = 1}, bytes_of("tick")));
        must(log.close());
    }
    // Each life reports before its first event and before its end.
    const json report = report_of({"clock", "--json", directory});
    REQUIRE(report["reports"].size() == 4);
    CHECK(report["reports"][1]["next_sequence"] == 1);
    CHECK(report["reports"][3]["next_sequence"] == 2);
    CHECK(report["reports"][0]["source"] == "system clock");
    CHECK(report["all_excursions"] == 0);

    CHECK(lines_of(run_pawl({"clock", "--reports", directory}).out).size() >
          lines_of(run_pawl({"clock", directory}).out).size() + 4);
}
