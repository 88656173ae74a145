// Snapshots are the journal's: they get owner, group and mode of journal.pawl.
#include "bank_journal.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <pawl/replay/fold.hpp>
#include <pawl/replay/snapshot_store.hpp>

namespace {

constexpr ::uid_t service = 4321;
constexpr ::gid_t group = 4322;

void check_is_the_services(const std::filesystem::path& path, ::mode_t mode) {
    INFO(path);
    struct stat found{};
    REQUIRE(::lstat(path.c_str(), &found) == 0);
    CHECK(found.st_uid == service);
    CHECK(found.st_gid == group);
    CHECK((found.st_mode & 07777) == mode);
}

}  // namespace

TEST_CASE("a snapshot and its directory get owner, group and mode of the journal", "[replay]") {
    if (::getuid() != 0) {
        WARN("skipped: only root may give files away");
        return;
    }
    const pawl::test::temporary_directory home;
    const auto path = home.path() / "j";
    {
        auto log = bank::open_writer(path);
        bank::random_traffic{7}.append(log, 10);
        REQUIRE(log.close());
    }
    const auto identity = path / "journal.pawl";
    REQUIRE(::chown(identity.c_str(), service, group) == 0);
    REQUIRE(::chmod(identity.c_str(), 0640) == 0);
    SECTION("made with the first snapshot") {}
    SECTION("left by a root who was killed before giving it away") {
        REQUIRE(::mkdir((path / "snapshots").c_str(), 0700) == 0);
    }
    const auto whole = pawl::fold<bank::ledger>(path);
    REQUIRE(whole);
    auto store = pawl::snapshot_store::open(path, pawl::cursor::open(path)->identity(), 1);
    REQUIRE(store);
    const auto added =
        store->add(whole->progress.point, whole->progress.digest,
                   [&](pawl::snapshot_sink& out) { return bank::ledger::save(whole->state, out); });
    REQUIRE(added);
    check_is_the_services(path / "snapshots", 0750);
    check_is_the_services(added->path, 0640);
}
