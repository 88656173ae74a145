// `pawl backup` and `pawl restore`.
#include "backup/backup.hpp"

#include "backup/backup_lock.hpp"
#include "broken_journals.hpp"

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include <pawl/journal/journal.hpp>
#include <pawl/journal/prune.hpp>
#include <pawl/replay/subscription.hpp>

using namespace pawl::test;
using nlohmann::json;

namespace {

class backed_up_journal : public sample_journal {
  public:
    [[nodiscard]] std::filesystem::path out() const { return file("../backup").lexically_normal(); }
    [[nodiscard]] std::string current() const { return out() / "current"; }
    [[nodiscard]] std::string restored() const { return file("../restored").lexically_normal(); }

    [[nodiscard]] json back_up() const {
        const finished_process done = run_pawl({"backup", "--json", directory(), out()});
        INFO(done.err);
        REQUIRE(done.exit_code == 0);
        return json::parse(done.out);
    }
    [[nodiscard]] finished_process restore(std::vector<std::string> more = {}) const {
        std::vector<std::string> words{"restore", "--json", out(), restored()};
        words.insert(words.end(), more.begin(), more.end());
        return run_pawl(words);
    }
};

[[nodiscard]] std::string events_in(const std::string& directory) {
    const finished_process done = run_pawl({"dump", "--exact", directory});
    REQUIRE(done.exit_code == 0);
    return done.out;
}

[[nodiscard]] json verified(const std::string& directory) {
    return json::parse(run_pawl({"verify", "--deep", "--json", directory}).out);
}

[[nodiscard]] ino_t inode_of(const std::filesystem::path& path) {
    struct stat status{};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_ino;
}

}  // namespace

TEST_CASE("a backup of a closed journal restores to the same journal") {
    const backed_up_journal journal;
    journal.fill(3000);
    const json report = journal.back_up();
    CHECK(report["next_sequence"] == 3000);
    CHECK(report["kept_segments"] == 0);
    CHECK(events_in(journal.current()) == events_in(journal.directory()));
    CHECK(verified(journal.current())["sound"] == true);

    const finished_process done = journal.restore();
    CHECK(done.exit_code == 0);
    CHECK(contains(done.err, "notice: this is the same journal as the one that was backed up"));
    CHECK(must(pawl::inspect(journal.restored())).id ==
          must(pawl::inspect(journal.directory())).id);
    CHECK(events_in(journal.restored()) == events_in(journal.directory()));
    CHECK(run_pawl({"append", journal.restored()}).exit_code == 0);
    CHECK(verified(journal.restored())["sound"] == true);
}

TEST_CASE("a backup of a live journal holds exactly what is durable") {
    const backed_up_journal journal;
    pawl::writer log = journal.open();
    sample_journal::append(log, 1500);
    must(log.sync());
    const std::string durable = events_in(journal.directory());
    sample_journal::append(log, 3);

    CHECK(journal.back_up()["next_sequence"] == 1500);
    const json found = verified(journal.current());
    CHECK(found["sound"] == true);
    CHECK(found["end"] == "torn");
    CHECK(found["next_sequence"] == 1500);
    CHECK(events_in(journal.current()) == durable);
    REQUIRE(journal.restore().exit_code == 0);
    CHECK(run_pawl({"recover", journal.restored()}).exit_code == 0);
    CHECK(events_in(journal.restored()) == durable);

    // Right after a rollover, no event of the newest segment is durable.
    while (log.last_position(7) && log.last_position(7)->ordinal < 4)
        sample_journal::append(log, 1);
    must(log.sync());
    const std::uint64_t next = log.next_sequence();
    CHECK(journal.back_up()["next_sequence"] == next);
    CHECK(verified(journal.current())["sound"] == true);
}

TEST_CASE("every number of events in a live journal can be backed up and restored") {
    const backed_up_journal journal;
    pawl::writer log = journal.open();
    for (int round = 0; round < 12; ++round) {
        sample_journal::append(log, 150);
        must(log.sync());
        CHECK(journal.back_up()["next_sequence"] == log.next_sequence());
        const json found = verified(journal.current());
        INFO(found.dump(2));
        CHECK(found["sound"] == true);
        CHECK(found["next_sequence"] == log.next_sequence());
    }
}

TEST_CASE("the second backup copies only what is new") {
    const backed_up_journal journal;
    journal.fill(3000);
    const json first = journal.back_up();
    const ino_t before = inode_of(journal.out() / "current/0000000001.seg");
    journal.fill(1000);
    const json second = journal.back_up();
    CHECK(second["kept_segments"] == first["copied_segments"]);
    CHECK(second["copied_segments"] < first["copied_segments"]);
    CHECK(second["next_sequence"] == 4000);
    CHECK(inode_of(journal.out() / "current/0000000001.seg") == before);
    CHECK(events_in(journal.current()) == events_in(journal.directory()));
    CHECK_FALSE(std::filesystem::exists(journal.out() / "next"));
    // A third one has nothing to copy but the files that may change.
    CHECK(journal.back_up()["copied_segments"] == 0);
}

TEST_CASE("a backup that was killed is not seen, and the next one is whole") {
    const backed_up_journal journal;
    journal.fill(1000);
    (void)journal.back_up();
    const auto before = broken::contents(journal.current());
    journal.fill(2000);
    // What a backup leaves that is killed while it copies.
    std::filesystem::create_directory(journal.out() / "next");
    std::filesystem::copy_file(journal.file("journal.pawl"), journal.out() / "next/journal.pawl");
    std::filesystem::copy_file(journal.file("0000000001.seg"),
                               journal.out() / "next/0000000001.seg");
    CHECK(broken::contents(journal.current()) == before);
    CHECK(journal.back_up()["next_sequence"] == 3000);
    CHECK(events_in(journal.current()) == events_in(journal.directory()));
}

TEST_CASE("a backup that was killed between two renames is put back") {
    const backed_up_journal journal;
    journal.fill(1000);
    const json first = journal.back_up();
    // Where directories cannot be exchanged, current has made way for next, which follows.
    std::filesystem::rename(journal.current(), journal.out() / "previous");
    const json second = journal.back_up();
    CHECK(second["kept_segments"] == first["copied_segments"]);
    CHECK(second["copied_segments"] == 0);
    CHECK_FALSE(std::filesystem::exists(journal.out() / "previous"));
    CHECK(events_in(journal.current()) == events_in(journal.directory()));
    // It had followed, and previous was about to go.
    std::filesystem::copy(journal.current(), journal.out() / "previous");
    CHECK(journal.back_up()["kept_segments"] == first["copied_segments"]);
    CHECK_FALSE(std::filesystem::exists(journal.out() / "previous"));
}

TEST_CASE("a backup refuses what is damaged, and leaves the last one as it was") {
    const backed_up_journal journal;
    journal.fill(1000);
    (void)journal.back_up();
    journal.fill(2000);
    const auto before = broken::contents(journal.current());
    flip_bit(journal.file("0000000002.seg"), 8192 + 60);
    const finished_process done = run_pawl({"backup", journal.directory(), journal.out()});
    CHECK(done.exit_code == 1);
    CHECK(contains(done.err, "0000000002.seg"));
    CHECK(broken::contents(journal.current()) == before);
    CHECK_FALSE(std::filesystem::exists(journal.out() / "next"));
}

TEST_CASE("segments without events are backed up, too, when an index is missing") {
    const backed_up_journal journal;
    journal.fill(1000);
    for (int i = 0; i < 3; ++i)
        must(journal.open().close());
    journal.fill(10);
    for (int i = 0; i < 2; ++i)
        must(journal.open().close());
    std::filesystem::remove(journal.file("0000000000.idx"));
    CHECK(journal.back_up()["next_sequence"] == 1010);
    CHECK(events_in(journal.current()) == events_in(journal.directory()));
    CHECK(verified(journal.current())["sound"] == true);
    REQUIRE(journal.restore().exit_code == 0);
    CHECK(run_pawl({"append", journal.restored()}).exit_code == 0);
    CHECK(events_in(journal.restored()) == events_in(journal.directory()));
}

TEST_CASE("a backup refuses another journal, another history, and a directory in use") {
    const backed_up_journal journal;
    journal.fill(1000);
    const auto original = journal.file("../original").lexically_normal();
    std::filesystem::copy(journal.directory(), original);
    journal.fill(1000);
    (void)journal.back_up();
    const auto refused = [&](const std::string& from, const std::string& why) {
        const finished_process done = run_pawl({"backup", from, journal.out()});
        INFO(done.err);
        CHECK(done.exit_code == 1);
        CHECK(contains(done.err, why));
    };
    const sample_journal other;
    other.fill(10);
    refused(other.directory(), "it is a backup of another journal");
    // The older copy goes on by itself.
    {
        pawl::writer log = must(pawl::writer::open(original, {.clock_report_interval_s = 0,
                                                              .full = pawl::when_full::fail,
                                                              .background_threads = false}));
        sample_journal::append(log, 500);
        must(log.close());
    }
    refused(original, "one of the two is of another history");
    std::ofstream{journal.out() / "notes.txt"} << "mine";
    refused(journal.directory(), "holds something else than a backup: notes.txt");
}

TEST_CASE("a backup of what is no journal makes nothing") {
    const backed_up_journal journal;
    for (const char* command : {"backup", "restore"}) {
        const finished_process done = run_pawl({command, journal.directory(), journal.out()});
        CHECK(done.exit_code == (command == std::string{"backup"} ? 3 : 1));
        CHECK(done.out.empty());
        CHECK(contains(done.err, journal.directory()));
        CHECK_FALSE(std::filesystem::exists(journal.out()));
    }
}

TEST_CASE("consumers are backed up, but none that is ahead of the backup") {
    const backed_up_journal journal;
    pawl::writer log = journal.open();
    sample_journal::append(log, 100);
    must(log.sync());
    const auto commit = [&](const std::string& name, std::uint64_t events) {
        auto reader = must(pawl::consumer::open(journal.directory(), name));
        auto from = must(pawl::cursor::open(journal.directory()));
        for (std::uint64_t i = 0; i < events; ++i)
            REQUIRE(from.next() != nullptr);
        must(reader.commit({.point = from.point()}));
        must(reader.close());
    };
    commit("audit", 50);
    sample_journal::append(log, 5);
    commit("fast", 103);
    std::ofstream{journal.file("consumers/torn")} << "?";
    const finished_process done =
        run_pawl({"backup", "--json", journal.directory(), journal.out()});
    CHECK(done.exit_code == 0);
    CHECK(json::parse(done.out)["consumers"] == 1);
    CHECK(contains(done.err, "notice: a consumer is not in the backup: damaged: "));
    CHECK(contains(done.err, "consumers/torn"));
    REQUIRE(journal.restore().exit_code == 0);
    const finished_process list = run_pawl({"consumers", "--json", journal.restored()});
    CHECK(list.exit_code == 0);
    const json found = json::parse(list.out)["consumers"];
    REQUIRE(found.size() == 1);
    CHECK(found[0]["name"] == "audit");
    CHECK(found[0]["next_sequence"] == 50);
}

TEST_CASE("a pruned journal is backed up from where it begins") {
    const backed_up_journal journal;
    journal.fill(3000);
    (void)journal.back_up();
    REQUIRE(run_pawl({"prune", "--before", "2000", journal.directory()}).exit_code == 0);
    const json report = journal.back_up();
    CHECK(report["first_sequence"] > 0);
    CHECK(report["copied_segments"] == 0);
    CHECK(verified(journal.current())["sound"] == true);
    CHECK(events_in(journal.current()) == events_in(journal.directory()));
    CHECK_FALSE(std::filesystem::exists(journal.out() / "current/0000000000.seg"));
    REQUIRE(journal.restore().exit_code == 0);
    CHECK(events_in(journal.restored()) == events_in(journal.directory()));
}

TEST_CASE("restore --as-new makes another journal of the same events") {
    const backed_up_journal journal;
    journal.fill(2000);
    (void)journal.back_up();
    const finished_process done = journal.restore({"--as-new"});
    INFO(done.err);
    CHECK(done.exit_code == 0);
    const auto old = must(pawl::inspect(journal.directory()));
    const auto made = must(pawl::inspect(journal.restored()));
    CHECK(made.id != old.id);
    CHECK(made.origin == old.id);
    CHECK(events_in(journal.restored()) == events_in(journal.directory()));
}

TEST_CASE("restore refuses a directory that holds something, and a backup that is damaged") {
    const backed_up_journal journal;
    journal.fill(2000);
    (void)journal.back_up();
    std::filesystem::create_directory(journal.restored());
    flip_bit(journal.out() / "current/0000000001.seg", 8192 + 60);
    const finished_process damaged = journal.restore();
    CHECK(damaged.exit_code == 1);
    CHECK(contains(damaged.err, "0000000001.seg, byte 8192"));
    CHECK(std::filesystem::is_empty(journal.restored()));
    CHECK_FALSE(std::filesystem::exists(journal.restored() + ".restoring"));
    flip_bit(journal.out() / "current/0000000001.seg", 8192 + 60);

    std::ofstream{std::filesystem::path{journal.restored()} / "notes.txt"} << "mine";
    CHECK(journal.restore().exit_code == 1);
    std::filesystem::remove(std::filesystem::path{journal.restored()} / "notes.txt");
    CHECK(journal.restore().exit_code == 0);
    CHECK(events_in(journal.restored()) == events_in(journal.directory()));
}

TEST_CASE("restore takes a directory in every way in which it can be named") {
    const backed_up_journal journal;
    journal.fill(100);
    (void)journal.back_up();
    const auto restored_to = [&](const std::string& name, const std::string& place) {
        const finished_process done = run_pawl({"restore", journal.out(), name});
        INFO(done.err);
        CHECK(done.exit_code == 0);
        CHECK(events_in(place) == events_in(journal.directory()));
        CHECK_FALSE(std::filesystem::exists(place + ".restoring"));
    };
    restored_to(journal.restored() + "/", journal.restored());
    const std::string empty = journal.file("../empty").lexically_normal();
    std::filesystem::create_directory(empty);
    restored_to(empty + "/", empty);
    // The file system that a link leads to, and not that of the link.
    const std::string linked = journal.file("../linked").lexically_normal();
    const std::string link = journal.file("../link").lexically_normal();
    std::filesystem::create_directory(linked);
    std::filesystem::create_directory_symlink(linked, link);
    restored_to(link, linked);
    CHECK(std::filesystem::is_symlink(link));
}

TEST_CASE("restore never removes what is there") {
    const backed_up_journal journal;
    journal.fill(100);
    (void)journal.back_up();
    std::ofstream{journal.restored()}.flush();
    CHECK(journal.restore().exit_code == 1);
    CHECK(std::filesystem::is_regular_file(journal.restored()));
    std::filesystem::remove(journal.restored());

    // A service starts, and makes a journal of its own, while the copy is being verified.
    const auto mine = std::filesystem::path{journal.restored()} / "notes.txt";
    const auto done =
        pawl::cli::restore(journal.out(), journal.restored(), [&](std::uint64_t, std::uint64_t) {
            std::filesystem::create_directory(journal.restored());
            std::ofstream{mine} << "mine";
        });
    REQUIRE_FALSE(done.has_value());
    CHECK(contains(done.error().message(), "cannot put the copy in its place"));
    CHECK(broken::read_all(mine) == "mine");

    // As a new journal, it does not go into the old one.
    const auto before = broken::contents(journal.directory());
    const finished_process same =
        run_pawl({"restore", "--as-new", journal.out(), journal.directory()});
    CHECK(same.exit_code == 1);
    CHECK(contains(same.err, "is the same journal, or a copy of it"));
    CHECK(broken::contents(journal.directory()) == before);
}

TEST_CASE("two programs do not work on one backup") {
    const backed_up_journal journal;
    journal.fill(100);
    (void)journal.back_up();
    const auto before = broken::contents(journal.out());
    using use = pawl::cli::backup_lock::to;
    {
        const auto writing = must(pawl::cli::backup_lock::take(journal.out(), use::write));
        const finished_process done = run_pawl({"backup", journal.directory(), journal.out()});
        CHECK(done.exit_code == 3);
        CHECK(contains(done.err, "another backup or restore uses it"));
        CHECK(journal.restore().exit_code == 3);
        CHECK(journal.restore({"--as-new"}).exit_code == 3);
    }
    const auto reading = must(pawl::cli::backup_lock::take(journal.out(), use::read));
    CHECK(run_pawl({"backup", journal.directory(), journal.out()}).exit_code == 3);
    CHECK(broken::contents(journal.out()) == before);
    CHECK(journal.restore().exit_code == 0);
}

TEST_CASE("a journal is not backed up into its own place") {
    for (const std::string name : {"current", "next"}) {
        const backed_up_journal journal;
        journal.fill(100);
        std::filesystem::create_directory(journal.out());
        const std::string place = journal.out() / name;
        std::filesystem::rename(journal.directory(), place);
        const auto before = broken::contents(journal.out());
        const finished_process done = run_pawl({"backup", place, journal.out()});
        CHECK(done.exit_code == 1);
        CHECK(contains(done.err, place + " is the place of the backup itself"));
        CHECK(broken::contents(journal.out()) == before);
    }
}

TEST_CASE("a journal may be pruned and written while it is backed up") {
    const backed_up_journal journal;
    pawl::writer log = journal.open();
    sample_journal::append(log, 3000);
    must(log.sync());
    // The first attempt sees both happen after its first segment, the later ones only new events.
    bool pruned = false;
    const auto report = must(
        pawl::cli::backup(journal.directory(), journal.out(), [&](std::uint64_t, std::uint64_t) {
            sample_journal::append(log, 100);
            must(log.sync());
            if (!pruned)
                REQUIRE(must(log.prune({.before = 1500})).events > 0);
            pruned = true;
        }));
    CHECK(report.first_sequence > 0);
    CHECK(report.next_sequence == log.next_sequence());
    const json found = verified(journal.current());
    CHECK(found["sound"] == true);
    CHECK(found["first_sequence"] == report.first_sequence);
    CHECK(found["next_sequence"] == report.next_sequence);
    CHECK(events_in(journal.current()) == events_in(journal.directory()));
    REQUIRE(journal.restore().exit_code == 0);
    CHECK(run_pawl({"append", journal.restored()}).exit_code == 0);
}
