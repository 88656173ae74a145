// A history that is attested, checked and proved.
#include "cli_support.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace pawl::test;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

// Segments of 1 MiB, and with 70,000 events a block that is complete and one that is not.
struct long_history {
    explicit long_history(std::uint64_t events) { append(events); }

    void append(std::uint64_t events) const {
        auto log = must(pawl::writer::open(directory, {.segment_bytes = 1 << 20,
                                                       .sync = pawl::sync_policy::manual(),
                                                       .clock_report_interval_s = 0}));
        for (std::uint64_t i = 0; i < events; ++i)
            must(log.append({.type = 3, .stream = 7},
                            bytes_of("event " + std::to_string(log.next_sequence()))));
        must(log.close());
    }
    [[nodiscard]] finished_process attest(std::vector<std::string> more = {}) const {
        more.insert(more.begin(), {"attest", directory, file});
        return run_pawl(std::move(more));
    }
    [[nodiscard]] finished_process verify(std::vector<std::string> more = {}) const {
        more.insert(more.begin(), {"verify", "--json", "--chain", file, directory});
        return run_pawl(std::move(more));
    }

    temporary_directory home;
    std::string directory = home.path() / "orders";
    std::string file = home.path() / "orders.attestation";
};

[[nodiscard]] std::string text_of(const fs::path& file) {
    std::ifstream in{file};
    return {std::istreambuf_iterator<char>{in}, {}};
}

void make_keys(const std::string& at) {
    REQUIRE(run({"/bin/sh", "-c",
                 "openssl genpkey -algorithm ed25519 -out '" + at + ".pem' && openssl pkey -in '" +
                     at + ".pem' -pubout -out '" + at + ".pub'"})
                .exit_code == 0);
}

// The script that tools/ATTESTATION.md shows.
[[nodiscard]] std::string script_of_the_page() {
    const std::string page = text_of(PAWL_TESTS_DIR "/../tools/ATTESTATION.md");
    const std::string fence = "```sh\n";
    const std::size_t from = page.find(fence) + fence.size();
    return page.substr(from, page.find("```", from) - from);
}

}  // namespace

TEST_CASE("an attestation continues, and verify finds the journal to hold it") {
    const long_history of{70'000};
    const finished_process first = of.attest({"--json"});
    INFO(first.err);
    REQUIRE(first.exit_code == 0);
    const json made = json::parse(first.out);
    CHECK(made["end_sequence"] == 70'000);
    CHECK(made["blocks"] == 2);
    CHECK(made["signed"] == false);
    const std::string before = text_of(of.file);

    of.append(5'000);
    REQUIRE(of.attest().exit_code == 0);
    const std::string after = text_of(of.file);
    CHECK(after != before);
    CHECK(lines_of(after)[2] == lines_of(before)[2]);  // the complete block
    const json found = json::parse(of.verify().out);
    CHECK(found["sound"] == true);
    CHECK(found["attested"] == 75'000);
    CHECK(found["attested_unchecked"] == 0);
    // The older one holds as well.
    std::ofstream{of.file} << before;
    CHECK(json::parse(of.verify().out)["attested"] == 70'000);

    const std::string copy = of.home.path() / "copy";
    REQUIRE(run_pawl({"backup", of.directory, of.home.path() / "backup"}).exit_code == 0);
    CHECK(
        run_pawl({"verify", "--chain", of.file, of.home.path() / "backup" / "current"}).exit_code ==
        0);
    REQUIRE(run_pawl({"prune", of.directory, "--before", "30000"}).exit_code == 0);
    const json pruned = json::parse(of.verify().out);
    CHECK(pruned["sound"] == true);
    CHECK(pruned["attested"] == 70'000 - 65'536);
    CHECK(pruned["attested_unchecked"] == 65'536);
    CHECK(of.attest().exit_code == 0);
}

TEST_CASE("a history that was written again does not fit its attestation") {
    const long_history of{1'000};
    REQUIRE(of.attest().exit_code == 0);
    const std::string id = json::parse(run_pawl({"info", "--json", of.directory}).out)["id"];
    // All checksums are right, and nothing but the attestation tells.
    REQUIRE(
        run_pawl({"recover", "--force-truncate", "900", "--confirm", id, of.directory}).exit_code ==
        0);
    CHECK(of.verify().exit_code == 1);
    of.append(100);
    const finished_process found = of.verify();
    CHECK(found.exit_code == 1);
    CHECK(json::parse(found.out)["findings"][0]["code"] == "diverged");
    CHECK(contains(found.err, "is not the one that was attested"));
    const std::string kept = text_of(of.file);
    CHECK(of.attest().exit_code == 1);
    CHECK(text_of(of.file) == kept);
    const long_history other{10};
    CHECK(run_pawl({"verify", "--chain", of.file, other.directory}).exit_code == 1);
    CHECK(run_pawl({"attest", other.directory, of.file}).exit_code == 1);
}

TEST_CASE("an attestation is signed, and one that was changed is refused") {
    const long_history of{100};
    const std::string key = of.home.path() / "key";
    make_keys(key);
    REQUIRE(of.attest({"--key", key + ".pem"}).exit_code == 0);
    CHECK(of.verify({"--public-key", key + ".pub"}).exit_code == 0);
    const std::string other = of.home.path() / "other";
    make_keys(other);
    CHECK(of.verify({"--public-key", other + ".pub"}).exit_code == 1);
    CHECK(of.attest({"--key", key + ".pub"}).exit_code == 1);
    REQUIRE(of.attest().exit_code == 0);
    CHECK(of.verify({"--public-key", key + ".pub"}).exit_code == 1);  // not signed
    std::string text = text_of(of.file);
    text[text.find("block 0 100 ") + 12] ^= 1;
    std::ofstream{of.file} << text;
    CHECK(contains(of.verify().err, "block 0"));
    CHECK(of.verify().exit_code == 1);
    std::ofstream{of.file} << "something else\n";
    CHECK(of.attest().exit_code == 1);
    CHECK(of.attest({"--anchor", "false"}).exit_code == 1);
}

TEST_CASE("the statement goes to the command that anchors it") {
    const long_history of{10};
    const std::string out = of.home.path() / "anchored";
    REQUIRE(of.attest({"--anchor", "cat > '" + out + "'"}).exit_code == 0);
    const std::string head =
        lines_of(text_of(of.file))[2].substr(std::string{"block 0 10 "}.size() + 65);
    CHECK(contains(text_of(out), " 10 " + head + "\n"));
    CHECK(of.attest({"--anchor", "exit 3"}).exit_code == 1);
}

TEST_CASE("a third party checks a proof with openssl and the script of the page") {
    const long_history of{70'000};
    const std::string key = of.home.path() / "key";
    make_keys(key);
    REQUIRE(of.attest({"--key", key + ".pem"}).exit_code == 0);
    const std::string script = of.home.path() / "check-proof.sh";
    std::ofstream{script} << script_of_the_page();
    const std::string proof = of.home.path() / "proof";
    for (const char* sequence : {"0", "41000", "69999"}) {
        const finished_process made = run_pawl({"prove", of.directory, sequence, of.file});
        REQUIRE(made.exit_code == 0);
        std::ofstream{proof} << made.out;
        const finished_process checked = run({"/bin/bash", script, proof, key + ".pub"});
        INFO(checked.out + checked.err);
        CHECK(checked.exit_code == 0);
        CHECK(contains(checked.out, "event " + std::string{sequence} + " belongs to: "));
        CHECK(contains(checked.out, "Signature Verified Successfully"));
    }
    std::string forged = text_of(proof);
    char& digit = forged[forged.find("event ") + 100];
    digit = digit == '0' ? '1' : '0';
    std::ofstream{proof} << forged;
    CHECK(run({"/bin/bash", script, proof, key + ".pub"}).exit_code != 0);
    CHECK(run_pawl({"prove", of.directory, "70000", of.file}).exit_code == 1);
}
