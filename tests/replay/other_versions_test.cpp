// Snapshots of state versions that nobody runs any more go, and those that somebody may run stay.
#include <catch2/catch.hpp>
#include <fcntl.h>
#include <support/temporary_directory.hpp>
#include <sys/stat.h>

#include <pawl/replay/snapshot_store.hpp>

#include <chrono>
#include <fstream>
#include <set>
#include <string>

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr pawl::journal_identity some_journal{.id = {1, 2, 3}, .origin = {1, 2, 3}};

// A directory of snapshots, and stores of several versions over it.
struct shelf {
    pawl::test::temporary_directory home;
    std::chrono::seconds keep = pawl::snapshot_options{}.keep_other_versions;

    [[nodiscard]] fs::path snapshots() const { return home.path() / "snapshots"; }

    fs::path add(std::uint32_t version, std::uint64_t next, const std::string& name = "state") {
        auto store = pawl::snapshot_store::open(home.path(), some_journal, version,
                                                {.name = name, .keep_other_versions = keep});
        REQUIRE(store);
        const auto added = store->add({next, next * 7}, pawl::log_digest{next * 9},
                                      [](pawl::snapshot_sink& out) { return out.write({}); });
        REQUIRE(added);
        return added->path;
    }
    void age(const fs::path& file, std::chrono::seconds by) const {
        const auto at = std::chrono::system_clock::now() - by;
        const timespec both[2]{{.tv_sec = std::chrono::system_clock::to_time_t(at), .tv_nsec = 0},
                               {.tv_sec = std::chrono::system_clock::to_time_t(at), .tv_nsec = 0}};
        REQUIRE(::utimensat(AT_FDCWD, file.c_str(), both, 0) == 0);
    }
    [[nodiscard]] std::set<std::string> names() const {
        std::set<std::string> names;
        for (const auto& entry : fs::directory_iterator{snapshots()})
            names.insert(entry.path().filename());
        return names;
    }
};

}  // namespace

TEST_CASE("snapshots of a version that nobody has added to for two weeks are removed", "[replay]") {
    shelf test;
    const auto first = test.add(1, 100);
    const auto second = test.add(1, 200);
    for (const char* left :
         {"state-v1-00000000000000000300.tmp", "state-v1-00000000000000000150.snap.rejected"}) {
        std::ofstream{test.snapshots() / left};
        test.age(test.snapshots() / left, 24h * 15);
    }
    test.age(first, 24h * 30);
    test.age(second, 24h * 15);
    const auto current = test.add(2, 250);
    CHECK(test.names() == std::set<std::string>{current.filename()});
}

TEST_CASE("a version stays whole as long as its newest snapshot is young enough", "[replay]") {
    shelf test;
    const auto first = test.add(1, 100);
    const auto second = test.add(1, 200);
    const auto newer = test.add(3, 210);
    test.age(first, 24h * 100);
    test.age(second, 24h * 13);
    test.age(newer, -24h);
    const auto current = test.add(2, 250);
    CHECK(test.names() == std::set<std::string>{first.filename(), second.filename(),
                                                newer.filename(), current.filename()});
    // The age is the option's to choose.
    test.keep = 24h * 12;
    const auto next = test.add(2, 260);
    CHECK(test.names() ==
          std::set<std::string>{newer.filename(), current.filename(), next.filename()});
}

TEST_CASE("other versions are kept for ever if the options say so", "[replay]") {
    shelf test;
    test.keep = std::chrono::seconds::max();
    const auto old = test.add(1, 100);
    test.age(old, 24h * 365 * 40);
    const auto current = test.add(2, 250);
    CHECK(test.names() == std::set<std::string>{old.filename(), current.filename()});
}

TEST_CASE("what another fold keeps, and other files, are left alone", "[replay]") {
    shelf test;
    const auto other = test.add(1, 100, "state_of_books");
    test.age(other, 24h * 365);
    const std::set<std::string> strangers{"state-v1-notes.snap",
                                          "state-v1-00000000000000000150.bak",
                                          "state-v-00000000000000000150.snap"};
    for (const auto& name : strangers) {
        std::ofstream{test.snapshots() / name};
        test.age(test.snapshots() / name, 24h * 365);
    }
    const auto current = test.add(2, 250);
    auto expected = strangers;
    expected.insert({other.filename(), current.filename()});
    CHECK(test.names() == expected);
}
