// Network file systems, and FUSE: writers and cursors refuse them unless they are allowed, and
// inspect and verify report them.
#include "../support/pretended_file_system.hpp"
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"

using namespace pawl;
using namespace pawl::test;

namespace {

template <class T>
void check_is_refused(const result<T>& opened, std::string_view kind) {
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == errc::network_file_system);
    const std::string said = opened.error().message();
    CHECK(said.find("is on " + std::string{kind}) != said.npos);
    CHECK(said.find("allow_network_file_system") != said.npos);
    CHECK(said.find("--allow-network-file-system") != said.npos);
}

}  // namespace

TEST_CASE("writers, recoveries and cursors refuse a network file system unless it is allowed") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    {
        auto log = must(writer::open(path, small_segments()));
        append_numbered(log, 10);
        must(log.close());
    }
    const struct {
        std::uint32_t type;
        std::string_view name;
    } kinds[] = {{pretended_file_system::fuse, "FUSE"}, {pretended_file_system::nfs, "NFS"}};
    for (const auto& kind : kinds) {
        INFO(kind.name);
        const pretended_file_system pretended{kind.type};
        check_is_refused(writer::open(path, small_segments()), kind.name);
        check_is_refused(recover(path), kind.name);
        check_is_refused(recover(path, {.dry_run = true}), kind.name);
        check_is_refused(cursor::open(path), kind.name);
        check_is_refused(cursor::open(path, {.follow = true}), kind.name);

        CHECK(read_numbered(path, {.allow_network_file_system = true}) == 10);
        CHECK(recover(path, {.dry_run = true, .allow_network_file_system = true}));
        CHECK(recover(path, {.allow_network_file_system = true}));
        auto options = small_segments();
        options.allow_network_file_system = true;
        auto log = must(writer::open(path, options));
        must(log.close());
    }
}

TEST_CASE("a writer that is refused on a network file system leaves no directory") {
    const temporary_directory directory;
    const pretended_file_system pretended{pretended_file_system::nfs};
    for (const auto& path : {directory.path() / "new", directory.path() / "a" / "b" / "new"})
        check_is_refused(writer::open(path, small_segments()), "NFS");
    check_is_refused(cursor::open(directory.path() / "none"), "NFS");
    CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("inspect and verify work on a network file system and say that it is one") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    {
        auto log = must(writer::open(path, small_segments()));
        append_numbered(log, 10);
        must(log.close());
    }
    CHECK(must(inspect(path)).network_file_system.empty());
    CHECK(must(verify(path)).findings.empty());
    const pretended_file_system pretended{pretended_file_system::fuse};
    CHECK(must(inspect(path)).network_file_system == "FUSE");
    const auto report = must(verify(path));
    CHECK(report.sound());
    CHECK(report.events == 10);
    REQUIRE(report.findings.size() == 1);
    CHECK_FALSE(report.findings[0].damage);
    CHECK_FALSE(report.findings[0].unreadable);
    CHECK(report.findings[0].what.code == errc::network_file_system);
}
