// `pawl consumers` as an operator runs it.
#include "cli_support.hpp"

#include <catch2/catch.hpp>
#include <unistd.h>

#include <pawl/replay/subscription.hpp>

#include <chrono>

using namespace pawl::test;
using nlohmann::json;

namespace {

[[nodiscard]] pawl::subscription subscribe(const sample_journal& journal, const std::string& name,
                                           pawl::subscription_options options = {}) {
    return must(pawl::subscription::open(journal.directory(), name, std::move(options)));
}

// Takes so many units.
void take(pawl::subscription& from, int units) {
    for (int i = 0; i < units; ++i)
        REQUIRE_FALSE(must(from.next(std::chrono::nanoseconds{0})).empty());
}

[[nodiscard]] json list(const sample_journal& journal) {
    const finished_process done = run_pawl({"consumers", "--json", journal.directory()});
    INFO(done.err);
    REQUIRE(done.exit_code == 0);
    return json::parse(done.out);
}

}  // namespace

TEST_CASE("consumers lists who reads what, how far, and what that holds back") {
    const sample_journal journal;
    journal.fill(100);
    CHECK(run_pawl({"consumers", journal.directory()}).out.empty());
    CHECK(list(journal)["consumers"].empty());

    auto risk = subscribe(journal, "risk", {.filter = {{.types = {3}, .streams = {7}}}});
    take(risk, 2);
    must(risk.commit());
    auto audit = subscribe(journal, "audit");
    take(audit, 100);
    must(audit.commit());
    must(audit.close());

    const json found = list(journal);
    CHECK(found["next_sequence"] == 100);
    REQUIRE(found["consumers"].size() == 2);
    const json& first = found["consumers"][0];
    CHECK(first["name"] == "audit");
    CHECK(first["selection"] == "all");
    CHECK(first["lag_events"] == 0);
    CHECK(first["lag_ns"] == 0);
    CHECK(first["holds_from"] == 100);
    CHECK(first["held"] == false);
    const json& second = found["consumers"][1];
    CHECK(second["name"] == "risk");
    CHECK(second["selection"] == "types 3; streams 7");
    CHECK(second["next_sequence"] == 4);  // events 0 and 3
    CHECK(second["lag_events"] == 96);
    CHECK(second["lag_ns"] > 0);
    CHECK(second["holds_from"] == 4);
    CHECK(second["held"] == true);
    CHECK(contains(second["owner"], "process " + std::to_string(::getpid())));

    const std::string text = run_pawl({"consumers", journal.directory()}).out;
    CHECK(contains(text, "consumer   risk\nreads      types 3; streams 7\nposition   sequence 4,"));
    CHECK(contains(text, "lag        96 events, "));
    CHECK(contains(text, "holds      events from sequence 4 on"));
    CHECK(contains(text, "owner      process " + std::to_string(::getpid())));
    CHECK(contains(text, "owner      none now; the last was process"));
}

TEST_CASE("consumers works beside the writer and counts what it has just published") {
    const sample_journal journal;
    journal.fill(10);
    auto risk = subscribe(journal, "risk");
    pawl::writer log = journal.open();
    sample_journal::append(log, 5);
    CHECK(list(journal)["consumers"][0]["lag_events"] == 15);
    CHECK(list(journal)["consumers"][0]["lag_ns"].is_null());
}

TEST_CASE("consumers drop forgets one that nobody uses") {
    const sample_journal journal;
    journal.fill(100);
    auto risk = subscribe(journal, "risk");
    const finished_process locked = run_pawl({"consumers", "drop", journal.directory(), "risk"});
    CHECK(locked.exit_code == 3);
    CHECK(locked.out.empty());
    CHECK(contains(locked.err, "held by process " + std::to_string(::getpid())));
    must(risk.close());
    CHECK(run_pawl({"consumers", "drop", journal.directory(), "risk"}).exit_code == 0);
    CHECK(list(journal)["consumers"].empty());
    const finished_process gone =
        run_pawl({"consumers", "drop", journal.directory(), "risk", "--json"});
    CHECK(gone.exit_code == 1);
    CHECK(gone.out.empty());
    CHECK(contains(gone.err, "not_found"));
    CHECK(run_pawl({"consumers", "drop", "--help"}).exit_code == 0);
    const temporary_directory empty;
    CHECK(run_pawl({"consumers", "drop", empty.path(), "risk"}).exit_code == 3);
}

TEST_CASE("prune names a consumer that holds it back, and refuses for one that cannot be read") {
    const sample_journal journal;
    journal.fill(3000);
    must(subscribe(journal, "risk").close());
    must(subscribe(journal, "other").close());
    const json held =
        json::parse(run_pawl({"prune", journal.directory(), "--before", "3000", "--json"}).out);
    CHECK(held["segments"] == 0);
    REQUIRE(held["held_by"].size() == 2);
    CHECK(held["held_by"][1]["name"] == "consumer risk");

    std::ofstream{journal.file("consumers/risk"), std::ios::trunc} << "not a consumer";
    const finished_process refused = run_pawl({"prune", journal.directory(), "--before", "3000"});
    CHECK(refused.exit_code == 1);
    CHECK(contains(refused.err, "unreadable_consumer"));
    CHECK(contains(refused.err, "pawl consumers drop DIR risk"));
    const finished_process listed = run_pawl({"consumers", journal.directory(), "--json"});
    CHECK(listed.exit_code == 1);
    CHECK(json::parse(listed.out)["consumers"].size() == 1);
    CHECK(json::parse(listed.out)["unreadable"][0]["name"] == "risk");
    CHECK(contains(listed.err, "pawl consumers drop " + journal.directory() + " risk"));

    for (const char* name : {"risk", "other"})
        CHECK(run_pawl({"consumers", "drop", journal.directory(), name}).exit_code == 0);
    const json done =
        json::parse(run_pawl({"prune", journal.directory(), "--before", "3000", "--json"}).out);
    CHECK(done["segments"] > 0);
}
