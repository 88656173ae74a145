#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"

#include <algorithm>
#include <filesystem>
#include <span>
#include <thread>
#include <vector>

using namespace pawl;
using namespace pawl::test;

namespace {

// Ends the writer as the death of its process does: without a sync and without a close.
void die(writer log) {
    (void)log;
}

}  // namespace

TEST_CASE("a journal whose writer died opens again with every event that was published") {
    const temporary_directory directory;
    {
        auto log = must(writer::open(directory.path() / "j", small_segments()));
        append_numbered(log, 5000);
        die(std::move(log));
    }
    auto log = must(writer::open(directory.path() / "j", small_segments()));
    CHECK(log.recovery().state == found::torn_tail);
    CHECK(log.recovery().next_sequence == 5000);
    CHECK(log.recovery().lost_about == 0);
    CHECK(log.next_sequence() == 5000);
    append_numbered(log, 100);
    must(log.close());
    CHECK(read_numbered(directory.path() / "j") == 5100);
}

TEST_CASE("repeated deaths and opens lose nothing and leave a sound journal", "[concurrency]") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    std::uint64_t count = 0;
    for (int life = 0; life < 20; ++life) {
        auto log = must(writer::open(path, small_segments()));
        REQUIRE(log.next_sequence() == count);
        const std::uint64_t more = static_cast<std::uint64_t>(life) * 97 % 1500;
        append_numbered(log, more);
        count += more;
        if (life % 3 == 2) {
            must(log.close());
        } else {
            die(std::move(log));
        }
    }
    auto log = must(writer::open(path, small_segments()));
    must(log.close());
    CHECK(read_numbered(path) == count);
    const auto report = must(verify(path));
    for (const auto& one : report.findings)
        UNSCOPED_INFO(one.what.message());
    CHECK(report.findings.empty());
    CHECK(report.events == count);
}

TEST_CASE("a dry run reports what a recovery would do and changes nothing") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    {
        auto log = must(writer::open(path, small_segments()));
        append_numbered(log, 3000);
        die(std::move(log));
    }
    const auto snapshot = [&] {
        std::vector<std::pair<std::string, std::filesystem::file_time_type>> files;
        for (const auto& entry : std::filesystem::recursive_directory_iterator{path}) {
            files.emplace_back(entry.path().string(), entry.last_write_time());
        }
        std::ranges::sort(files);
        return files;
    };
    const auto before = snapshot();
    const auto rehearsed = must(recover(path, {.dry_run = true}));
    CHECK(snapshot() == before);
    CHECK(rehearsed.dry_run);
    const auto done = must(recover(path));
    CHECK(done.state == rehearsed.state);
    CHECK(done.cut == rehearsed.cut);
    CHECK(done.next_sequence == 3000);
    CHECK(rehearsed.next_sequence == 3000);
    CHECK(must(recover(path)).state == found::closed);
}

TEST_CASE("a recovery explains its plan also where the lock file is missing") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    {
        auto log = must(writer::open(path, small_segments()));
        append_numbered(log, 10);
        die(std::move(log));
    }
    std::filesystem::remove(path / "writer.lock");
    int plans = 0;
    recovery_report planned;
    const auto done = must(recover(path, {.plan = [&](const recovery_report& plan) {
                                       ++plans;
                                       planned = plan;
                                   }}));
    CHECK(plans == 1);
    CHECK(planned.dry_run);
    CHECK(planned.state == done.state);
    CHECK(planned.next_sequence == 10);
    CHECK(must(recover(path)).state == found::closed);

    const temporary_directory foreign;
    CHECK(recover(foreign.path()).error().code == errc::not_a_journal);
    CHECK(std::filesystem::is_empty(foreign.path()));
}

TEST_CASE("a torn tail is cut, kept and counted, and the log continues after it") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    log_position last{};
    {
        auto log = must(writer::open(path, small_segments()));
        append_numbered(log, 10);
        last = must(log.append({.type = 1}, bytes_of("event 10"))).position;
        die(std::move(log));
    }
    // The last event's payload never reached the disk.
    overwrite(segment(path, last.ordinal), last.offset + 56, bytes_of("XXXX"));
    const auto damaged_frame = read_bytes(segment(path, last.ordinal), last.offset, 96);
    CHECK(read_numbered(path) == 10);

    auto log = must(writer::open(path, small_segments()));
    const auto& report = log.recovery();
    CHECK(report.state == found::torn_tail);
    CHECK(report.next_sequence == 10);
    CHECK(report.cut.offset == last.offset);
    CHECK(report.torn_bytes == 64);
    REQUIRE(report.kept.size() == 1);
    CHECK(read_bytes(path / report.kept.front(), 0, 96) == damaged_frame);
    append_numbered(log, 5);
    must(log.close());
    CHECK(read_numbered(path) == 15);
    CHECK(must(verify(path)).findings.empty());
}

// Each number looks like the first word of a frame that could be a witness.
TEST_CASE("a torn tail that is full of small numbers is still a torn tail") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const std::vector<std::uint64_t> numbers(5000, 800);
    log_position torn{};
    {
        auto log = must(writer::open(path, small_segments()));
        append_numbered(log, 10);
        torn = must(log.append({.type = 1}, std::as_bytes(std::span{numbers}))).position;
        die(std::move(log));
    }
    overwrite(segment(path, torn.ordinal), torn.offset + 56, bytes_of("XXXX"));
    auto log = must(writer::open(path, small_segments()));
    CHECK(log.recovery().state == found::torn_tail);
    CHECK(log.recovery().next_sequence == 10);
}

TEST_CASE("damage below the durable watermark is refused with its place, and nothing is changed") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    log_position wrong{};
    {
        auto log = must(writer::open(path, small_segments()));
        append_numbered(log, 10);
        wrong = must(log.append({.type = 1}, bytes_of("event 10"))).position;
        append_numbered(log, 10);
        (void)must(log.sync());
        append_numbered(log, 1);  // carries the witness
        die(std::move(log));
    }
    SECTION("a flipped bit") {
        flip_bit(segment(path, wrong.ordinal), wrong.offset + 60, 3);
    }
    SECTION("a length that cannot be") {
        flip_bit(segment(path, wrong.ordinal), wrong.offset + 2, 7);
    }
    SECTION("zeros") {
        overwrite(segment(path, wrong.ordinal), wrong.offset, std::vector<std::byte>(64));
    }
    const auto opened = writer::open(path, small_segments());
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == errc::damaged);
    CHECK(opened.error().file == segment(path, wrong.ordinal).string());
    CHECK(opened.error().offset == wrong.offset);
    CHECK(opened.error().sequence == 10);

    auto events = must(cursor::open(path));
    std::uint64_t seen = 0;
    while (events.next() != nullptr)
        ++seen;
    CHECK(seen == 10);
    const auto end = events.finish();
    REQUIRE_FALSE(end);
    CHECK(end.error().code == errc::damaged);
    CHECK(end.error().offset == wrong.offset);

    const auto report = must(verify(path));
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings.front().what.offset == wrong.offset);
    CHECK(report.findings.front().what.sequence == 10);
}

TEST_CASE("damage in a sealed segment stops cursors and is refused by a full verification") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    log_position wrong{};
    {
        auto log = must(writer::open(path, small_segments()));
        append_numbered(log, 100);
        wrong = must(log.append({.type = 1}, bytes_of("event 100"))).position;
        append_numbered(log, 5000);
        must(log.close());
    }
    overwrite(segment(path, wrong.ordinal), wrong.offset, std::vector<std::byte>(4096));
    auto events = must(cursor::open(path));
    std::uint64_t seen = 0;
    while (events.next() != nullptr)
        ++seen;
    CHECK(seen == 100);
    REQUIRE_FALSE(events.finish());
    CHECK(events.finish().error().code == errc::damaged);
    CHECK(events.finish().error().offset == wrong.offset);

    auto strict = small_segments();
    strict.verify = verify_at_open::all;
    const auto opened = writer::open(path, strict);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == errc::damaged);
    CHECK(opened.error().sequence == 100);
}

TEST_CASE("the background finds damage in a sealed segment and poisons the writer",
          "[concurrency]") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    log_position wrong{};
    {
        auto log = must(writer::open(path, small_segments()));
        append_numbered(log, 100);
        wrong = must(log.append({.type = 1}, bytes_of("event 100"))).position;
        append_numbered(log, 5000);
        must(log.close());
    }
    flip_bit(segment(path, wrong.ordinal), wrong.offset + 57, 0);
    auto log = must(writer::open(path, small_segments()));
    while (!log.failure())
        std::this_thread::yield();
    CHECK(log.failure()->code == errc::damaged);
    CHECK(log.failure()->offset == wrong.offset);
    CHECK(log.failure()->sequence == 100);
    CHECK(log.append({.type = 1}, {}).error().code == errc::poisoned);
}

TEST_CASE("a missing segment is named") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    {
        auto log = must(writer::open(path, small_segments()));
        append_numbered(log, 5000);
        must(log.close());
    }
    std::filesystem::remove(segment(path, 2));
    auto strict = small_segments();
    strict.verify = verify_at_open::all;
    const auto opened = writer::open(path, strict);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == errc::missing_segment);
    CHECK(opened.error().file == segment(path, 2).string());
    const auto report = must(verify(path));
    CHECK_FALSE(report.sound());
    auto events = must(cursor::open(path));
    while (events.next() != nullptr)
        continue;
    CHECK(events.finish().error().code == errc::missing_segment);
}

TEST_CASE("derived files are rebuilt when they are missing") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    {
        auto log = must(writer::open(path, small_segments()));
        append_numbered(log, 3000, 5);
        must(log.close());
    }
    for (const auto& entry : std::filesystem::directory_iterator{path}) {
        if (entry.path().extension() == ".idx")
            std::filesystem::remove(entry.path());
    }
    std::filesystem::remove(path / "streams");
    std::filesystem::remove(path / "control");
    auto log = must(writer::open(path, small_segments()));
    CHECK(log.version(5) == 3000);
    CHECK(log.next_sequence() == 3000);
    must(log.close());
    CHECK(std::filesystem::exists(path / "0000000000.idx"));
    CHECK(std::filesystem::exists(path / "streams"));
    CHECK(read_numbered(path) == 3000);
    CHECK(must(verify(path)).findings.empty());
}
