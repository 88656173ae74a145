// `pawl bundle`: what a report of a bug needs, and nothing that was entrusted to the journal.
#include "cli_support.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace pawl::test;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

[[nodiscard]] std::string bytes_in(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

// Unpacks it with tar, and returns where it lies.
[[nodiscard]] fs::path unpacked(const fs::path& bundle, const temporary_directory& home) {
    const finished_process done =
        run({"/bin/sh", "-c",
             "cd '" + home.path().string() + "' && tar -xf '" + bundle.string() + "'"});
    INFO(done.err);
    REQUIRE(done.exit_code == 0);
    CHECK(done.err.empty());
    return home.path() / "pawl-bundle";
}

}  // namespace

TEST_CASE("a bundle holds reports and headers, and no payload") {
    const temporary_directory home;
    const sample_journal journal;
    journal.fill_and_crash(3000);
    const fs::path out = home.path() / "bundle.tar";
    const finished_process done = run_pawl({"bundle", "--json", journal.directory(), out});
    INFO(done.err);
    REQUIRE(done.exit_code == 0);
    CHECK(json::parse(done.out)["files"].size() > 12);
    CHECK(bytes_in(out).find("event 2") == std::string::npos);  // as every payload begins
    CHECK((fs::status(out).permissions() & fs::perms::group_read) == fs::perms::none);

    const fs::path in = unpacked(out, home);
    CHECK(json::parse(bytes_in(in / "info.json"))["published"] == 3000);
    CHECK(json::parse(bytes_in(in / "verify.json"))["sound"] == true);
    CHECK(json::parse(bytes_in(in / "recover-dry-run.json"))["found"] == "torn_tail");
    CHECK(contains(bytes_in(in / "version.txt"), "journal format 1"));
    CHECK(contains(bytes_in(in / "commands.txt"), "info.json              0\n"));
    CHECK(contains(bytes_in(in / "files.txt"), " 0000000000.seg\n"));
    CHECK(bytes_in(in / "headers" / "control") == bytes_in(journal.file("control")));
    CHECK(bytes_in(in / "headers" / "0000000000.seg") ==
          bytes_in(journal.file("0000000000.seg")).substr(0, 8192));
    const auto frames = lines_of(bytes_in(in / "frames.txt"));
    CHECK(frames.size() == 1001);
    CHECK(frames.back().starts_with("2999  "));
}

TEST_CASE("a bundle is made of a damaged journal, and beside a writer") {
    const temporary_directory home;
    const sample_journal journal;
    journal.fill(3000);
    flip_bit(journal.file("0000000001.seg"), 20000);
    REQUIRE(run_pawl({"bundle", journal.directory(), home.path() / "damaged.tar"}).exit_code == 0);
    const fs::path in = unpacked(home.path() / "damaged.tar", home);
    CHECK(contains(bytes_in(in / "commands.txt"), "verify.json            1\n"));
    CHECK(contains(bytes_in(in / "verify.json"), "0000000001.seg"));

    const sample_journal live;
    const pawl::writer log = live.open();
    CHECK(run_pawl({"bundle", "--quick", live.directory(), home.path() / "live.tar"}).exit_code ==
          0);
    // It replaces nothing.
    CHECK(run_pawl({"bundle", live.directory(), home.path() / "live.tar"}).exit_code == 3);
    CHECK(run_pawl({"bundle", home.path() / "nothing", home.path() / "x.tar"}).exit_code == 3);
    CHECK_FALSE(fs::exists(home.path() / "x.tar"));
}
