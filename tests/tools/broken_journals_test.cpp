// What the person on call sees of a journal that broke: each broken journal, the commands that look
// at it, and what tools/README.md says of it.
#include "broken_journals.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <pawl/journal/journal.hpp>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace pawl::test;
using nlohmann::json;

namespace {

// A row of the table: the journal, the exit codes, and the words in code spans of what is seen.
struct row {
    std::string codes;
    std::vector<std::string> seen;
};

[[nodiscard]] std::vector<std::string> cells_of(const std::string& line) {
    std::vector<std::string> cells;
    for (std::size_t at = 1; at < line.size();) {
        const std::size_t end = line.find('|', at);
        if (end == std::string::npos)
            break;
        const std::string cell = line.substr(at, end - at);
        const std::size_t first = cell.find_first_not_of(' ');
        cells.push_back(first == std::string::npos
                            ? std::string{}
                            : cell.substr(first, cell.find_last_not_of(' ') + 1 - first));
        at = end + 1;
    }
    return cells;
}

[[nodiscard]] std::vector<std::string> code_spans_of(const std::string& cell) {
    std::vector<std::string> spans;
    for (std::size_t at = cell.find('`'); at != std::string::npos; at = cell.find('`', at)) {
        const std::size_t end = cell.find('`', at + 1);
        if (end == std::string::npos)
            break;
        spans.push_back(cell.substr(at + 1, end - at - 1));
        at = end + 1;
    }
    return spans;
}

[[nodiscard]] std::map<std::string, row> table() {
    std::map<std::string, row> rows;
    bool inside = false;
    const std::string page =
        broken::read_all(std::filesystem::path{PAWL_TESTS_DIR} / "../tools/README.md");
    for (const std::string& line : lines_of(page)) {
        if (line.starts_with("## "))
            inside = line == "## On call";
        if (!inside || !line.starts_with("| ") || line.starts_with("| ---"))
            continue;
        const auto cells = cells_of(line);
        REQUIRE(cells.size() == 5);
        rows[cells[0]] = {cells[2], code_spans_of(cells[1])};
    }
    return rows;
}

// Root may read every file, so it looks without its capabilities.
[[nodiscard]] finished_process look(std::vector<std::string> words) {
    words.insert(words.begin(), program);
    if (::geteuid() == 0)
        words.insert(words.begin(), {"setpriv", "--bounding-set=-all", "--inh-caps=-all"});
    return run(std::move(words));
}

[[nodiscard]] finished_process look_on_a_full_disk(std::vector<std::string> words) {
    words.insert(words.begin(), {"env", "LD_PRELOAD=" PAWL_FULL_DISK, program});
    return run(std::move(words));
}

struct looked {
    std::string said{};
    std::string codes{};
    std::map<std::string, finished_process> each{};
};

// Runs, in this order: consumers, verify --deep, recover --dry-run, a writer that opens a copy, and
// recover. Copies lie beside the journal.
template <class Look>
[[nodiscard]] looked look_at(const sample_journal& journal, Look&& look_in) {
    const auto copy = journal.file("../copy_to_open").lexically_normal();
    std::filesystem::copy(journal.directory(), copy, std::filesystem::copy_options::recursive);
    looked found;
    const auto take = [&](const std::string& name, finished_process done) {
        CHECK(done.signal == 0);
        found.said += done.out + done.err;
        found.each[name] = std::move(done);
    };
    take("info", look_in({"info", journal.directory()}));
    take("consumers", look_in({"consumers", journal.directory()}));
    take("verify", look_in({"verify", "--deep", journal.directory()}));
    take("dry", look_in({"recover", "--dry-run", journal.directory()}));
    take("open", look_in({"append", copy}));
    take("recover", look_in({"recover", journal.directory()}));
    for (const char* name : {"verify", "dry", "recover", "open"}) {
        if (!found.codes.empty())
            found.codes.push_back(' ');
        found.codes.append(std::to_string(found.each[name].exit_code));
    }
    return found;
}

struct recipe {
    std::string name;
    std::function<void(const sample_journal&)> make;
};

[[nodiscard]] std::vector<recipe> recipes() {
    return {{"power failed", broken::torn_tail},
            {"a bit flipped, newest events", broken::flipped_bit_above_the_watermark},
            {"a bit flipped, durable events", broken::flipped_bit_below_the_watermark},
            {"a segment is gone", broken::missing_middle_segment},
            {"a segment was cut short", broken::truncated_segment},
            {"a page reads as zeros", broken::zeroed_page},
            {"wrong permissions", broken::wrong_permissions},
            {"a segment of another journal", broken::segment_of_another_journal},
            {"written by a newer Pawl", broken::newer_format},
            {"the disk is full", broken::torn_tail},
            {"index, heads, snapshot damaged", broken::damaged_index_heads_and_snapshot},
            {"an older backup was put back", broken::older_backup_with_newer_consumer},
            {"two copies were both written", broken::two_copies_both_written}};
}

[[nodiscard]] looked look_at(const recipe& how, const sample_journal& journal) {
    return how.name == "the disk is full" ? look_at(journal, look_on_a_full_disk)
                                          : look_at(journal, look);
}

[[nodiscard]] json verified(const sample_journal& journal) {
    return json::parse(run_pawl({"verify", "--json", journal.directory()}).out);
}

}  // namespace

TEST_CASE("the page for the person on call says what the tool prints, and how it exits") {
    const auto rows = table();
    CHECK(rows.size() == recipes().size() + 1);  // the head of the table
    for (const recipe& each : recipes()) {
        INFO(each.name);
        REQUIRE(rows.contains(each.name));
        const row& told = rows.at(each.name);
        const sample_journal journal;
        each.make(journal);
        const looked found = look_at(each, journal);
        INFO(found.said);
        CHECK(told.codes == found.codes);
        CHECK_FALSE(told.seen.empty());
        for (const std::string& words : told.seen) {
            INFO(words);
            CHECK(contains(found.said, words));
        }
    }
}

TEST_CASE("what looks at a broken journal changes nothing, and neither does a refused recovery") {
    for (const recipe& each : recipes()) {
        INFO(each.name);
        const sample_journal journal;
        each.make(journal);
        const auto before = broken::contents(journal.directory());
        (void)run_pawl({"info", journal.directory()});
        (void)run_pawl({"verify", "--deep", journal.directory()});
        (void)run_pawl({"consumers", journal.directory()});
        (void)run_pawl({"recover", "--dry-run", journal.directory()});
        CHECK(broken::contents(journal.directory()) == before);
        if (run_pawl({"recover", journal.directory()}).exit_code != 0)
            CHECK(broken::contents(journal.directory()) == before);
    }
}

TEST_CASE("recovery of a torn tail loses only what was never durable, and what is left is whole") {
    for (const auto& make : {broken::torn_tail, broken::flipped_bit_above_the_watermark}) {
        const sample_journal journal;
        make(journal);
        const finished_process done = run_pawl({"recover", journal.directory()});
        INFO(done.out);
        CHECK(done.exit_code == 0);
        CHECK(contains(done.out, "About 10 events are lost that were published.\n"));
        const json report = verified(journal);
        CHECK(report["sound"] == true);
        CHECK(report["next_sequence"] == 110);
        CHECK(report["end"] == "closed");
    }
}

TEST_CASE("verify reads on after damage, and counts what can be read around it") {
    const auto runs_of = [](auto make) {
        const sample_journal journal;
        make(journal);
        std::vector<std::pair<std::uint64_t, std::uint64_t>> runs;
        const json report = verified(journal);
        for (const json& run : report["readable"])
            runs.emplace_back(run["first_sequence"], run["next_sequence"]);
        return runs;
    };
    using runs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
    CHECK(runs_of(broken::flipped_bit_below_the_watermark) == runs{{0, 50}, {51, 120}});
    CHECK(runs_of([](const sample_journal& j) { j.fill(3000); }) == runs{{0, 3000}});
    for (const auto& make :
         {broken::missing_middle_segment, broken::truncated_segment, broken::zeroed_page}) {
        const runs found = runs_of(make);
        REQUIRE(found.size() == 2);
        CHECK(found[0].first == 0);
        CHECK(found[0].second >= 700);
        CHECK(found[1].first > found[0].second);
        CHECK(found[1].second == 3000);
    }
    // What the other machine wrote has the sequences that it had there.
    CHECK(runs_of(broken::two_copies_both_written) == runs{{0, 170}, {150, 200}});
}

TEST_CASE("verify prints what is readable and what is missing") {
    const sample_journal journal;
    broken::flipped_bit_below_the_watermark(journal);
    const finished_process done = run_pawl({"verify", journal.directory()});
    CHECK(contains(done.out,
                   "readable  50 events, sequence 0 up to 50\n"
                   "missing   1 event, sequence 50 up to 51\n"
                   "readable  69 events, sequence 51 up to 120\n"
                   "DAMAGED\n"));
    for (const std::string& line : lines_of(done.out))
        CHECK(line.size() <= 80);
}

TEST_CASE("dump shows what it can of a journal with a segment that it cannot read") {
    const sample_journal journal;
    {
        pawl::writer log = journal.open();
        (void)must(log.stream("ada"));
        must(log.append({.type = 3, .stream = must(log.stream("ada"))}, {}));
        must(log.close());
    }
    journal.fill(3000);
    const auto cut = must(pawl::inspect(journal.directory())).segments.at(2);
    std::filesystem::resize_file(journal.file("0000000002.seg"), 20000);
    const finished_process done = run_pawl({"dump", journal.directory()});
    CHECK(done.exit_code == 1);
    CHECK(contains(done.err, "0000000002.seg, byte 20000, sequence "));
    const auto lines = lines_of(done.out);
    REQUIRE(lines.size() == cut.first_sequence);
    CHECK(json::parse(lines[0])["stream"] == "ada");
    const finished_process last = run_pawl({"dump", "--last", "3", journal.directory()});
    INFO(last.err);
    CHECK(last.exit_code == 0);
    REQUIRE(lines_of(last.out).size() == 3);
    CHECK(json::parse(lines_of(last.out)[2])["sequence"] == 3000);
}

TEST_CASE("verify counts events that are missing at the beginning of the log") {
    const sample_journal journal;
    journal.fill(3000);
    const auto second = must(pawl::inspect(journal.directory())).segments.at(1).first_sequence;
    std::filesystem::remove(journal.file("0000000000.seg"));
    const finished_process done = run_pawl({"verify", journal.directory()});
    CHECK(done.exit_code == 1);
    INFO(done.out);
    CHECK(contains(done.out, fmt::format("missing   {} events, sequence 0 up to {}\n"
                                         "readable  {} events, sequence {} up to 3000\n",
                                         second, second, 3000 - second, second)));
    const json found = json::parse(run_pawl({"verify", "--json", journal.directory()}).out);
    CHECK(found["first_sequence"] == 0);
    CHECK(found["readable"][0]["first_sequence"] == second);
}

TEST_CASE("info shows what it can of a journal with a segment that it cannot read") {
    const sample_journal journal;
    broken::truncated_segment(journal);
    const finished_process done = run_pawl({"info", journal.directory()});
    CHECK(done.exit_code == 1);
    CHECK(contains(done.out, "state      closed; nobody holds it\n"));
    CHECK(contains(done.err, "0000000001.seg, byte 20000: the file ends before"));
    const json info = json::parse(run_pawl({"info", "--json", journal.directory()}).out);
    REQUIRE(info["faults"].size() == 1);
    CHECK(info["faults"][0]["code"] == "damaged");
}

TEST_CASE("consumers finds a consumer that has handled events which the journal does not hold") {
    const sample_journal journal;
    broken::older_backup_with_newer_consumer(journal);
    // One that stands below the end, but has handled other events than those that are there.
    journal.fill(200);
    const finished_process done = run_pawl({"consumers", "--json", journal.directory()});
    CHECK(done.exit_code == 1);
    const json found = json::parse(done.out)["consumers"];
    REQUIRE(found.size() == 1);
    CHECK(found[0]["diverged"] == true);
    CHECK(contains(done.err, "consumer risk has handled events up to sequence 150 that are not"));
}
