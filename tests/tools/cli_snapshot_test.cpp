// `pawl snapshot` as an operator runs it.
#include "cli_support.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/cursor.hpp>
#include <pawl/replay/snapshot_store.hpp>

using namespace pawl::test;
using nlohmann::json;

namespace {

// Of the state after the first `events`, as a fold called `name` would take it.
void add_snapshot(const sample_journal& journal, const std::string& name, std::uint64_t events,
                  std::uint64_t digest_error = 0) {
    pawl::cursor all = must(pawl::cursor::open(journal.directory()));
    pawl::log_digest digest{digest_error};
    for (std::uint64_t n = 0; n < events; ++n)
        digest.add(*all.next());
    auto store = must(pawl::snapshot_store::open(journal.directory(), all.identity(), 3,
                                                 {.name = name, .keep = 10}));
    (void)must(store.add(all.point(), digest,
                         [&](pawl::snapshot_sink& out) { return out.write_value(events); }));
}

[[nodiscard]] finished_process ask(const sample_journal& journal, const std::string& what) {
    return run_pawl({"snapshot", what, "--json", journal.directory()});
}

}  // namespace

TEST_CASE("snapshots of every fold are listed, and those that are not of the log are found") {
    const sample_journal journal;
    journal.fill(100);
    CHECK(run_pawl({"snapshot", "list", journal.directory()}).out.empty());
    add_snapshot(journal, "books", 20);
    add_snapshot(journal, "books", 90);
    add_snapshot(journal, "accounts", 50);

    const finished_process listed = ask(journal, "list");
    CHECK(listed.exit_code == 0);
    const json list = json::parse(listed.out)["snapshots"];
    REQUIRE(list.size() == 3);
    CHECK(list[0]["name"] == "accounts");
    CHECK(list[1]["next_sequence"] == 90);
    CHECK(list[2]["next_sequence"] == 20);
    CHECK(list[2]["state_version"] == 3);
    CHECK(list[2]["payload_bytes"] == 8);
    const finished_process table = run_pawl({"snapshot", "list", journal.directory()});
    CHECK(table.out.starts_with("fold "));

    const finished_process sound = ask(journal, "verify");
    CHECK(sound.exit_code == 0);
    CHECK(json::parse(sound.out)["snapshots"] == 3);
    CHECK(json::parse(sound.out)["unusable"].empty());

    add_snapshot(journal, "books", 60, 1);
    const finished_process wrong = ask(journal, "verify");
    CHECK(wrong.exit_code == 1);
    const json unusable = json::parse(wrong.out)["unusable"];
    REQUIRE(unusable.size() == 1);
    CHECK(unusable[0]["file"] == "books-v3-00000000000000000060.snap");
    CHECK(unusable[0]["code"] == "diverged");
    CHECK(contains(wrong.err, "have another digest"));
    CHECK(ask(journal, "list").exit_code == 0);
    CHECK(run_pawl({"snapshot", "verify", "/nowhere"}).exit_code == 3);
    CHECK(run_pawl({"snapshot", "list", "/nowhere"}).exit_code == 3);
}
