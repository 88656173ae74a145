#include "report/report.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

using bench::report;
using bench::row;

namespace {

row some_row() {
    row made;
    made.bench = "append";
    made.variant = "64 bytes, raw bytes";
    made.contender = "pawl";
    made.payload_bytes = 64;
    made.ns_per_event = 20;
    made.events_per_s = 5e7;
    made.floor_ratio = 1.1;
    made.repetitions = 9;
    made.min_ns_per_event = 19;
    made.max_ns_per_event = 25;
    made.keeps = {.survives_kill = true, .survives_power_loss = false, .checksummed = true};
    return made;
}

// A report on disk with one row changed by `change`.
class old_report {
  public:
    template <class Change>
    explicit old_report(Change change)
        : path_(std::filesystem::temp_directory_path() /
                ("pawl-bench-report-" + std::to_string(reinterpret_cast<std::uintptr_t>(this)))) {
        row before = some_row();
        change(before);
        bench::write_file(path_, bench::to_json({}, {.rows = {before}}).dump());
    }
    ~old_report() { std::filesystem::remove(path_); }
    old_report(const old_report&) = delete;
    old_report& operator=(const old_report&) = delete;

    [[nodiscard]] int slower(const report& now) const {
        const std::unique_ptr<std::FILE, int (*)(std::FILE*)> nowhere(std::fopen("/dev/null", "w"),
                                                                      std::fclose);
        return bench::print_slower(nowhere.get(), path_, now);
    }

  private:
    std::filesystem::path path_;
};

}  // namespace

TEST_CASE("a row in the JSON has every key and null for a figure that was not taken") {
    const auto made = bench::to_json({{"cores", 2}}, {.rows = {some_row()}});
    CHECK(made["machine"]["cores"] == 2);
    const auto& one = made["rows"].at(0);
    for (const char* key :
         {"bench", "case", "contender", "payload_bytes", "events_per_s", "ns_per_event", "p50_ns",
          "p99_ns", "p999_ns", "p9999_ns", "max_ns", "floor_ratio", "repetitions",
          "min_ns_per_event", "max_ns_per_event", "survives_sigkill", "survives_power_loss",
          "checksummed", "unreliable"}) {
        CAPTURE(key);
        CHECK(one.contains(key));
    }
    CHECK(one["p99_ns"].is_null());
    CHECK(one["floor_ratio"] == 1.1);
    CHECK(one["survives_power_loss"] == false);
}

TEST_CASE("a target that asks for at least something is met from there on") {
    const bench::verdict lead{.question = "x", .reached = 19, .limit = 20, .at_least = true};
    const bench::verdict cost{.question = "x", .reached = 19, .limit = 20};
    CHECK_FALSE(lead.met());
    CHECK(cost.met());
}

TEST_CASE("a row whose ratio to the floor grew by more than a tenth got slower") {
    const old_report before([](row& one) { one.floor_ratio = 0.9; });
    CHECK(before.slower({.rows = {some_row()}}) == 1);
}

TEST_CASE("a row whose ratio to the floor stayed did not get slower, whatever its time") {
    const old_report before([](row& one) { one.ns_per_event = 5; });
    CHECK(before.slower({.rows = {some_row()}}) == 0);
}

TEST_CASE("an unreliable row is not called slower") {
    const old_report before([](row& one) {
        one.floor_ratio = 0.5;
        one.unreliable = true;
    });
    CHECK(before.slower({.rows = {some_row()}}) == 0);
}

TEST_CASE("rows without a floor are slower only where their measurements do not overlap") {
    auto now = some_row();
    now.floor_ratio.reset();
    const old_report overlapping([](row& one) {
        one.ns_per_event = 15;
        one.max_ns_per_event = 19.5;
    });
    const old_report apart([](row& one) {
        one.ns_per_event = 15;
        one.max_ns_per_event = 16;
    });
    CHECK(overlapping.slower({.rows = {now}}) == 0);
    CHECK(apart.slower({.rows = {now}}) == 1);
}

TEST_CASE("a file that is no report is refused") {
    const auto path = std::filesystem::temp_directory_path() / "pawl-bench-no-report";
    bench::write_file(path, "[1, 2]");
    CHECK_THROWS(bench::print_slower(stdout, path, {}));
    std::filesystem::remove(path);
}

TEST_CASE("the page is complete in itself and shows text as text") {
    auto one = some_row();
    one.variant = "<script>alert(1)</script>";
    one.bench = "tail";
    one.curve = {{0.5, 100}, {0.99, 1000}, {1.0, 50'000}};
    const auto page = bench::to_html({{"processor", "a & b"}}, {.rows = {one}});
    CHECK(page.find("<script") == std::string::npos);
    CHECK(page.find("http") == std::string::npos);
    CHECK(page.find("<svg") != std::string::npos);
    CHECK(page.find("a &amp; b") != std::string::npos);
}
