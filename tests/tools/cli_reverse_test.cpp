// `pawl dump --reverse`, and tags that have names.
#include "cli_support.hpp"

#include <catch2/catch.hpp>

using namespace pawl::test;
using nlohmann::json;

namespace {

[[nodiscard]] std::vector<std::uint64_t> sequences(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "dump");
    const finished_process done = run_pawl(std::move(arguments));
    INFO(done.err);
    REQUIRE(done.exit_code == 0);
    std::vector<std::uint64_t> found;
    for (const json& line : json_lines(done.out))
        found.push_back(line["sequence"]);
    return found;
}

}  // namespace

TEST_CASE("dump --reverse shows the newest events first") {
    const sample_journal journal;
    journal.fill(3000);  // several segments, and more than one piece
    const std::string at = journal.directory();
    const auto all = sequences({"--reverse", at});
    REQUIRE(all.size() == 3000);
    for (std::uint64_t i = 0; i < all.size(); ++i)
        REQUIRE(all[i] == 2999 - i);
    CHECK(sequences({"--reverse", "--limit", "3", at}) ==
          std::vector<std::uint64_t>{2999, 2998, 2997});
    CHECK(sequences({"--reverse", "--last", "2", "--raw", at}) ==
          std::vector<std::uint64_t>{2999, 2998});
    CHECK(sequences({"--reverse", "--stream", "7", "--limit", "2", at}) ==
          std::vector<std::uint64_t>{2997, 2994});
    CHECK(sequences({"--reverse", "--from", "2998", at}) == std::vector<std::uint64_t>{2999, 2998});
    CHECK(sequences({"--reverse", "--where", "sequence < 4", "--limit", "2", at}) ==
          std::vector<std::uint64_t>{3, 2});
    for (const char* format : {"table", "csv"})
        CHECK(run_pawl({"dump", "--reverse", "--format", format, at}).exit_code == 2);
    CHECK(run_pawl({"dump", "--reverse", "--exact", at}).exit_code == 2);
    CHECK(run_pawl({"dump", "--reverse", "--around", "5", at}).exit_code == 2);
}

TEST_CASE("dump shows tags by name, and append takes them so") {
    const sample_journal journal;
    {
        pawl::writer log = journal.open();
        const auto first = must(log.stream("desk \"A\"", 0));
        const auto second = must(log.stream("fund", 0));
        must(log.append({.type = 3, .stream = 7, .tags = pawl::tag_set{5, first, second}},
                        bytes_of("event 0")));
        must(log.close());
    }
    const std::string lines = run_pawl({"dump", journal.directory()}).out;
    CHECK(json_lines(lines).at(0)["metadata"]["tags"] == json{5, "desk \"A\"", "fund"});
    // In the copy the names have other numbers, in another order.
    const sample_journal copy;
    {
        pawl::writer log = copy.open();
        (void)must(log.stream("fund", 0));
        must(log.close());
    }
    const std::string exact = run_pawl({"dump", "--exact", journal.directory()}).out;
    CHECK(json_lines(exact).back()["metadata"]["tags"][1].is_number());
    const finished_process appended =
        run({"/bin/sh", "-c",
             "'" + program + "' dump '" + journal.directory() + "' | '" + program + "' append '" +
                 copy.directory() + "'"});
    INFO(appended.err);
    REQUIRE(appended.exit_code == 0);
    CHECK(json_lines(run_pawl({"dump", copy.directory()}).out).at(0)["metadata"]["tags"] ==
          json{5, "fund", "desk \"A\""});
}
