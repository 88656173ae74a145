// The owner of a journal's files: new ones take owner, group and mode from journal.pawl, whichever
// user creates them.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"

#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <set>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

constexpr uid_t service_user = 21'001;
constexpr gid_t service_group = 21'002;
constexpr uid_t other_user = 21'003;

struct stat status_of(const fs::path& path) {
    struct stat status{};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    return status;
}

// Name, owner, group, mode, size and time of the last change of everything in the directory.
std::set<std::string> listing_of(const fs::path& directory) {
    std::set<std::string> listing;
    for (const auto& entry : fs::recursive_directory_iterator{directory}) {
        const auto status = status_of(entry.path());
        listing.insert(entry.path().string() + " " + std::to_string(status.st_uid) + " " +
                       std::to_string(status.st_gid) + " " + std::to_string(status.st_mode) + " " +
                       std::to_string(status.st_size) + " " +
                       std::to_string(status.st_ctim.tv_sec) + "." +
                       std::to_string(status.st_ctim.tv_nsec));
    }
    return listing;
}

// Runs `act` in a process of that user and group, and returns its result.
int as_user(uid_t user, gid_t group, const std::function<int()>& act) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        constexpr int no_such_user = 99;
        const bool became = ::setgroups(0, nullptr) == 0 && ::setresgid(group, group, group) == 0 &&
                            ::setresuid(user, user, user) == 0;
        ::_exit(became ? act() : no_such_user);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    return WEXITSTATUS(status);
}

// A service's journal with a torn tail, and a segment after it that a recovery moves to torn/.
class services_journal {
  public:
    explicit services_journal(std::uint32_t mode) : mode_{mode} {
        // So that the service can enter the directory.
        REQUIRE(::chmod(directory_.path().c_str(), 0755) == 0);
        const auto old_mask = ::umask(0);
        auto options = by_hand();
        options.mode = mode;
        make_torn_journal(path(), options, 1);
        ::umask(old_mask);
        fs::remove(path() / "streams");
        fs::remove(path() / "control");
        fs::remove(path() / "writer.lock");
        give_all_to_service();
    }

    [[nodiscard]] fs::path path() const { return directory_.path() / "j"; }

    void give_all_to_service() const {
        REQUIRE(::chown(path().c_str(), service_user, service_group) == 0);
        for (const auto& entry : fs::recursive_directory_iterator{path()})
            REQUIRE(::chown(entry.path().c_str(), service_user, service_group) == 0);
    }

    // Checks that everything belongs to the service; returns the number of files.
    std::size_t check_all_is_services() const {
        std::size_t files = 0;
        for (const auto& entry : fs::recursive_directory_iterator{path()}) {
            INFO(entry.path().string());
            const auto status = status_of(entry.path());
            CHECK(status.st_uid == service_user);
            CHECK(status.st_gid == service_group);
            CHECK((status.st_mode & 0666U) == mode_);
            if (entry.is_regular_file())
                ++files;
            else
                CHECK((status.st_mode & 0777U) == (mode_ | 0700U | (mode_ >> 2 & 0111U)));
        }
        return files;
    }

  private:
    temporary_directory directory_;
    std::uint32_t mode_;
};

[[nodiscard]] bool may_give_files() {
    if (::geteuid() == 0)
        return true;
    WARN("skipped: only root can give a journal to another user");
    return false;
}

}  // namespace

TEST_CASE("after a recovery by root, every file belongs to the service") {
    if (!may_give_files())
        return;
    for (const std::uint32_t mode : {0600U, 0640U, 0664U}) {
        INFO("mode " << std::oct << mode);
        const services_journal journal{mode};
        const auto report = must(recover(journal.path()));
        CHECK(report.kept.size() == 2);
        // Identity, lock, control, heads, two segments with indexes, and what was kept.
        CHECK(journal.check_all_is_services() == 10);
        const int served = as_user(service_user, service_group, [&] {
            auto log = writer::open(journal.path(), by_hand());
            return log && log->append({.type = 1}, bytes_of("event 10")) && log->sync() &&
                           log->close()
                       ? 0
                       : 1;
        });
        CHECK(served == 0);
        CHECK(read_numbered(journal.path()) == 11);
    }
}

TEST_CASE("after an append by root, every file belongs to the service, under any umask") {
    if (!may_give_files())
        return;
    const services_journal journal{0640};
    const auto old_mask = ::umask(0077);
    {
        auto options = by_hand();
        options.mode = 0666;
        auto log = must(writer::open(journal.path(), options));
        const auto& notices = log.recovery().notices;
        REQUIRE_FALSE(notices.empty());
        CHECK(notices.back() ==
              "new files have the mode of journal.pawl, 640; the option mode = 666 "
              "is ignored");
        while (log.statistics().rollovers < 3) {
            append_numbered(log, 1);
            must(log.poll());
        }
        (void)must(log.sync());
        must(log.poll());
        must(log.close());
    }
    ::umask(old_mask);
    CHECK(journal.check_all_is_services() > 10);
}

TEST_CASE("a process that may not give files to a journal's owner is refused before any change") {
    if (!may_give_files())
        return;
    const services_journal journal{0666};
    REQUIRE(::chmod(journal.path().c_str(), 0777) == 0);
    const auto before = listing_of(journal.path());
    const int refused = as_user(other_user, service_group, [&] {
        const auto recovered = recover(journal.path());
        const auto opened = writer::open(journal.path(), by_hand());
        if (recovered || opened)
            return 1;
        const std::string said = recovered.error().message();
        if (opened.error().message() != said || recovered.error().code != errc::foreign_owner)
            return 2;
        const bool names_all = said.find("journal.pawl") != said.npos &&
                               said.find("user 21001 and group 21002") != said.npos &&
                               said.find("as that user or as root") != said.npos;
        return names_all ? 0 : 3;
    });
    CHECK(refused == 0);
    CHECK(listing_of(journal.path()) == before);
    // Reading needs no such permission.
    CHECK(as_user(other_user, service_group,
                  [&] { return recover(journal.path(), {.dry_run = true}) ? 0 : 1; }) == 0);
}

TEST_CASE("a group to which the mode grants nothing need not be the journal's") {
    if (!may_give_files())
        return;
    const auto opens = [](const services_journal& journal) {
        return as_user(service_user, 1, [&] { return recover(journal.path()) ? 0 : 1; });
    };
    CHECK(opens(services_journal{0600}) == 0);
    CHECK(opens(services_journal{0640}) == 1);
}

TEST_CASE("files that a killed recovery by root left do not lock the service out") {
    if (!may_give_files())
        return;
    const services_journal journal{0600};
    // Each was created, but not given to the service yet.
    fs::create_directory(journal.path() / "torn");
    for (const char* name : {"writer.lock", "0000000001.seg.tmp"}) {
        std::ofstream{journal.path() / name};
        REQUIRE(::chmod((journal.path() / name).c_str(), 0600) == 0);
    }
    must(recover(journal.path()));
    CHECK(journal.check_all_is_services() == 10);
}
