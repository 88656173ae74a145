// pawl verify --deep as an operator runs it.
#include "cli_support.hpp"

#include <catch2/catch.hpp>
#include <xxhash.h>

#include <pawl/journal/cursor.hpp>
#include <pawl/replay/snapshot_store.hpp>

using namespace pawl::test;
using nlohmann::json;

namespace {

// Snapshots at a few places of the log; `change` may be one that a right snapshot would not have.
void add_snapshot(const sample_journal& journal, std::uint64_t next, std::uint64_t change = 0) {
    auto events = must(pawl::cursor::open(journal.directory()));
    pawl::log_digest digest;
    while (events.next_sequence() != next) {
        const pawl::event* each = events.next();
        REQUIRE(each != nullptr);
        digest.add(*each);
    }
    auto store = must(pawl::snapshot_store::open(journal.directory(), events.identity(), 1));
    must(store.add(events.point(), pawl::log_digest{digest.value() + change},
                   [](pawl::snapshot_sink& out) { return out.write(bytes_of("a state")); }));
}

std::uint64_t load(const std::string& bytes, std::size_t at) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}
void store(std::string& bytes, std::size_t at, std::uint64_t value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
}

// Gives stream 7 another version in the file of stream heads, and that its right checksums; where.
std::size_t change_heads(const std::filesystem::path& path) {
    std::ifstream from{path, std::ios::binary};
    std::string bytes{std::istreambuf_iterator<char>{from}, {}};
    std::size_t slot = 4096;
    while (load(bytes, slot) != 7)
        slot += 24;
    store(bytes, slot + 8, 5000);
    // The slot lies in the second block and among the checksums at the end is its own.
    const std::size_t blocks = (bytes.size() + 4103) / 4104;
    const std::size_t end = bytes.size() - blocks * 8;
    const std::size_t length = std::min<std::size_t>(4096, end - 4096);
    constexpr std::uint64_t spread = 0x9e3779b97f4a7c15;
    store(bytes, end + 8,
          XXH3_64bits(bytes.data() + 4096, length) ^
              pawl::detail::mix64(load(bytes, 40) + 4096 * spread));
    std::ofstream{path, std::ios::binary | std::ios::trunc} << bytes;
    return slot;
}

}  // namespace

TEST_CASE("verify --deep counts streams and snapshots of a sound journal") {
    const sample_journal journal;
    journal.fill(2000);
    add_snapshot(journal, 500);
    add_snapshot(journal, 2000);
    journal.fill(100);
    const finished_process text = run_pawl({"verify", "--deep", journal.directory()});
    CHECK(text.exit_code == 0);
    CHECK(text.err.empty());
    CHECK(contains(text.out, "streams   1\n"));
    CHECK(contains(text.out, "snapshots 2\n"));
    CHECK(contains(text.out, "sound\n"));

    const finished_process done = run_pawl({"verify", "--deep", "--json", journal.directory()});
    CHECK(done.exit_code == 0);
    const json report = json::parse(done.out);
    CHECK(report["deep"] == true);
    CHECK(report["streams"] == 1);
    CHECK(report["snapshots"] == 2);
    CHECK(report["sound"] == true);
    CHECK(report["findings"].empty());
    const json plain = json::parse(run_pawl({"verify", "--json", journal.directory()}).out);
    CHECK(plain["deep"] == false);
    CHECK_FALSE(plain.contains("snapshots"));
}

TEST_CASE("verify --deep names a snapshot whose digest is not the log's") {
    const sample_journal journal;
    journal.fill(2000);
    add_snapshot(journal, 500, 1);
    add_snapshot(journal, 2000);
    CHECK(run_pawl({"verify", journal.directory()}).exit_code == 0);

    const finished_process done = run_pawl({"verify", "--deep", "--json", journal.directory()});
    CHECK(done.exit_code == 0);
    const json report = json::parse(done.out);
    CHECK(report["sound"] == true);
    CHECK(report["snapshots"] == 2);
    REQUIRE(report["findings"].size() == 1);
    const json& finding = report["findings"][0];
    CHECK(finding["damage"] == false);
    CHECK(finding["code"] == "diverged");
    CHECK(finding["file"] == journal.file("snapshots/state-v1-00000000000000000500.snap").string());
    CHECK(finding["offset"] == 72);
    CHECK(finding["sequence"] == 500);
    CHECK(done.err.starts_with("pawl: notice: diverged"));

    const finished_process text = run_pawl({"verify", "--deep", journal.directory()});
    CHECK(text.exit_code == 0);
    CHECK(contains(text.out, "no damage"));
    CHECK(text.err == done.err);
}

TEST_CASE("verify --deep names stream heads that disagree with the log") {
    const sample_journal journal;
    journal.fill(2000);
    const std::size_t slot = change_heads(journal.file("streams"));
    CHECK(run_pawl({"verify", journal.directory()}).exit_code == 0);

    const finished_process done = run_pawl({"verify", "--deep", "--json", journal.directory()});
    CHECK(done.exit_code == 0);
    const json report = json::parse(done.out);
    CHECK(report["sound"] == true);
    REQUIRE(report["findings"].size() == 1);
    const json& finding = report["findings"][0];
    CHECK(finding["damage"] == false);
    CHECK(finding["code"] == "damaged");
    CHECK(finding["file"] == journal.file("streams").string());
    CHECK(finding["offset"] == slot);
    CHECK(finding["sequence"] == 2000);
    CHECK(finding["detail"] == "stream 7 is at version 667 in the log but at 5000 in the heads");
}

TEST_CASE("verify --deep reports damage as verify does, and continues") {
    const sample_journal journal;
    journal.fill(3000);
    add_snapshot(journal, 3000);
    flip_bit(journal.file("0000000000.seg"), 8192 + 56);
    const finished_process plain = run_pawl({"verify", journal.directory()});
    const finished_process deep = run_pawl({"verify", "--deep", journal.directory()});
    CHECK(deep.exit_code == 1);
    CHECK(deep.err == plain.err);
    CHECK(contains(deep.out, "DAMAGED"));
    CHECK(contains(deep.out, "snapshots 1\n"));
}

TEST_CASE("verify --deep with wrong usage, or without a journal, fails as verify does") {
    const temporary_directory empty;
    CHECK(run_pawl({"verify", "--deep", empty.path().string()}).exit_code == 3);
    CHECK(run_pawl({"verify", "--deep"}).exit_code == 2);
    CHECK(run_pawl({"verify", "--deeper", empty.path().string()}).exit_code == 2);
    CHECK(contains(run_pawl({"verify", "--help"}).out, "--deep"));
}
