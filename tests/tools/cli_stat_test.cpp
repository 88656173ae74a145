// `pawl stat` as an operator and as Prometheus run it.
#include "cli_support.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/consumer.hpp>
#include <pawl/replay/subscription.hpp>

using namespace pawl::test;
using nlohmann::json;

namespace {

// A journal with a writer, a lagging consumer and two counters, as the tests below expect it.
struct busy_journal {
    busy_journal() {
        sample_journal::append(log, 10);
        must(log.sync());
        sample_journal::append(log, 2);
        auto risk = must(pawl::subscription::open(files.directory(), "risk", {}));
        must(risk.close());
        must(log.register_counter("orders_accepted", pawl::counter_kind::total)).set(41);
        must(log.register_counter("queue_length")).set(7);
        must(log.close());
    }

    sample_journal files;
    pawl::writer log = files.open();
};

}  // namespace

TEST_CASE("stat shows what the writer says of itself, and the program's counters") {
    const busy_journal journal;
    const finished_process text = run_pawl({"stat", journal.files.directory()});
    INFO(text.out + text.err);
    REQUIRE(text.exit_code == 0);
    CHECK(contains(text.out, "state      closed; nobody holds it"));
    CHECK(contains(text.out, "errors     none"));
    CHECK(contains(text.out, "published  12\ndurable    12, 0 fewer\n"));
    CHECK(contains(text.out, "since then 12 events"));
    CHECK(contains(text.out, "syncs      1; half below "));
    CHECK(contains(text.out, "consumer   risk: lags 12 events"));
    CHECK(contains(text.out, "orders_accepted                                       41\n"));
    CHECK(contains(text.out, "queue_length                                           7\n"));
    for (const std::string& line : lines_of(text.out))
        if (!contains(line, "journal "))
            CHECK(line.size() <= 80);

    const json found = json::parse(run_pawl({"stat", "--json", journal.files.directory()}).out);
    CHECK(found["published"] == 12);
    CHECK(found["syncs"] == 1);
    CHECK(found["sync_times"].size() == 24);
    CHECK(found["counters"][0] ==
          json{{"name", "orders_accepted"}, {"kind", "total"}, {"value", 41}});
    CHECK(found["consumers"][0]["lag_events"] == 12);
    CHECK(found["rates"].is_null());
}

TEST_CASE("stat --watch shows rates, one object per line with --json") {
    const sample_journal journal;
    journal.fill(5);
    pawl::writer log = must(pawl::writer::open(journal.directory(), {.segment_bytes = 64 << 10}));
    const finished_process done = run_pawl(
        {"stat", "--watch", "--interval", "0.1", "--count", "3", "--json", journal.directory()});
    INFO(done.err);
    REQUIRE(done.exit_code == 0);
    const auto lines = json_lines(done.out);
    REQUIRE(lines.size() == 3);
    CHECK(lines[0]["rates"].is_null());
    CHECK(lines[2]["rates"]["seconds"] > 0.0);
    CHECK(lines[2]["rates"]["events"] == 0.0);
    CHECK(lines[2]["locked"] == true);
    CHECK(contains(run_pawl({"stat", journal.directory()}).out, "rate       0 events/s"));
}

TEST_CASE("stat --prometheus writes metrics, also as a text file") {
    const busy_journal journal;
    const std::string directory = journal.files.directory();
    const finished_process done = run_pawl({"stat", "--prometheus", directory});
    REQUIRE(done.exit_code == 0);
    const std::string label = "{journal=\"" + directory + "\"";
    CHECK(contains(done.out, "pawl_published_sequence" + label + "} 12\n"));
    CHECK(contains(done.out, "pawl_events_total" + label + "} 12\n"));
    CHECK(contains(done.out, "pawl_sync_duration_seconds_bucket" + label + ",le=\"+Inf\"} 1\n"));
    CHECK(contains(done.out, "pawl_sync_duration_seconds_count" + label + "} 1\n"));
    CHECK(contains(done.out, "pawl_consumer_lag_events" + label + ",consumer=\"risk\"} 12\n"));
    CHECK(contains(done.out, "# TYPE pawl_program_orders_accepted_total counter\n"));
    CHECK(contains(done.out, "pawl_program_orders_accepted_total" + label + "} 41\n"));
    CHECK(contains(done.out, "pawl_program_queue_length" + label + "} 7\n"));

    const temporary_directory out;
    const std::string file = out.path() / "pawl.prom";
    const finished_process written =
        run_pawl({"stat", "--prometheus", "--textfile", file, directory});
    CHECK(written.exit_code == 0);
    CHECK(written.out.empty());
    std::ifstream read{file};
    const std::string text{std::istreambuf_iterator<char>{read}, {}};
    CHECK(text == done.out);
    CHECK_FALSE(std::filesystem::exists(file + ".tmp"));
}

TEST_CASE("promtool accepts the metrics of stat") {
    const std::string promtool = PAWL_PROMTOOL;
    if (promtool.empty()) {
        WARN("skipped: promtool is not installed (Debian package prometheus)");
        return;
    }
    const busy_journal journal;
    const finished_process checked =
        run({"/bin/sh", "-c",
             "'" + program + "' stat --prometheus '" + journal.files.directory() + "' | '" +
                 promtool + "' check metrics"});
    INFO(checked.out + checked.err);
    CHECK(checked.exit_code == 0);
    CHECK(checked.out.empty());
    CHECK(checked.err.empty());
}

TEST_CASE("stat fails like the other commands") {
    const temporary_directory empty;
    CHECK(run_pawl({"stat", empty.path()}).exit_code == 3);
    CHECK(run_pawl({"stat", ""}).exit_code == 2);
    CHECK(run_pawl({"stat", "--textfile", "x", empty.path()}).exit_code == 2);
    CHECK(run_pawl({"stat", "--interval", "1", empty.path()}).exit_code == 2);
    CHECK(run_pawl({"stat", "--prometheus", "--json", empty.path()}).exit_code == 2);
    const busy_journal journal;
    CHECK(run_pawl({"stat", "--prometheus", "--textfile", empty.path() / "no/where",
                    journal.files.directory()})
              .exit_code == 1);
}
