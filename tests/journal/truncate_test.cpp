// A log that is cut by force below what was durable.
#include "../support/temporary_directory.hpp"
#include "io_record.hpp"
#include "journal_support.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <pawl/journal/truncate.hpp>

#include <algorithm>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

// 3,000 events in several segments of 64 KiB, closed: all of it is durable.
struct long_journal {
    long_journal() {
        auto log = must(writer::open(directory, by_hand()));
        for (int i = 0; i < 30; ++i) {
            append_numbered(log, 100, 7);
            must(log.poll());
        }
        id = log.id();
        must(log.close());
    }

    [[nodiscard]] result<truncate_report> cut_before(sequence_number before) const {
        return truncate(directory, {.before = before, .confirm = id});
    }
    [[nodiscard]] std::uint64_t segments() const {
        return must(inspect(directory)).segments.size();
    }
    // The log holds these events and no other, and a writer goes on after them.
    void check_that_it_ends_with(std::uint64_t events) const {
        REQUIRE(must(verify(directory, {.deep = true})).findings.empty());
        CHECK(read_numbered(directory) == events);
        auto log = must(writer::open(directory, by_hand()));
        CHECK(log.recovery().state == found::closed);
        CHECK(log.next_sequence() == events);
        CHECK(log.version(7) == events);
        append_numbered(log, 1, 7);
        must(log.close());
        CHECK(read_numbered(directory) == events + 1);
    }

    // A copy of another's files.
    explicit long_journal(const long_journal& other) : id{other.id} {
        fs::copy(other.directory, directory, fs::copy_options::recursive);
    }

    temporary_directory home;
    fs::path directory = home.path() / "journal";
    journal_id id{};
};

[[nodiscard]] std::uint64_t bytes_below(const fs::path& directory) {
    std::uint64_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(directory))
        files += entry.is_regular_file() ? 1 : 0;
    return files;
}

struct kill_switch {
    int left = 0;
};

int count_down(void* context, const detail::io_event&) {
    if (--static_cast<kill_switch*>(context)->left < 0)
        ::_exit(9);
    return 0;
}

// Truncates in a process that dies before system call `calls`; true if it was done before that.
[[nodiscard]] bool cut_and_die(const long_journal& journal, sequence_number before, int calls) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        kill_switch until{calls};
        detail::set_io_hook(count_down, &until);
        ::_exit(journal.cut_before(before) ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    REQUIRE((WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9));
    return WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("a truncation ends the log before the event and keeps the rest") {
    const long_journal journal;
    const std::uint64_t before = journal.segments();
    REQUIRE(before > 3);
    const auto report = must(journal.cut_before(1000));
    CHECK(report.plan.events == 2000);
    CHECK(report.plan.durable == 3000);
    CHECK_FALSE(report.plan.done_before);
    CHECK(report.recovery.next_sequence == 1000);
    for (const std::string& file : report.kept) {
        CHECK(file.starts_with("torn/truncated-1000/"));
        CHECK(fs::exists(journal.directory / file));
    }
    CHECK(bytes_below(journal.directory / "torn" / "truncated-1000") == report.kept.size());
    journal.check_that_it_ends_with(1000);
}

TEST_CASE("a truncation that is repeated changes nothing") {
    const long_journal journal;
    (void)must(journal.cut_before(1500));
    const std::uint64_t files = bytes_below(journal.directory);
    const auto again = must(journal.cut_before(1500));
    CHECK(again.plan.done_before);
    CHECK(again.kept.empty());
    CHECK(bytes_below(journal.directory) == files);
    journal.check_that_it_ends_with(1500);
}

TEST_CASE("a truncation cuts at damage, which recovery refuses, but not after it") {
    const long_journal journal;
    const fs::path second = journal.directory / "0000000001.seg";
    SECTION("a changed byte") {
        overwrite(second, 30000, std::as_bytes(std::span{"damage"}));
    }
    SECTION("a file cut short") {
        fs::resize_file(second, 30000);
    }
    SECTION("a file that is gone") {
        fs::remove(second);
    }
    REQUIRE_FALSE(recover(journal.directory));
    const auto too_late = journal.cut_before(2900);
    REQUIRE_FALSE(too_late);
    CHECK(too_late.error().code == errc::damaged);
    const sequence_number first_bad = too_late.error().sequence;
    REQUIRE(first_bad > 0);
    REQUIRE(first_bad < 2900);
    const auto report = must(journal.cut_before(first_bad));
    CHECK(report.recovery.next_sequence == first_bad);
    journal.check_that_it_ends_with(first_bad);
}

TEST_CASE("a truncation refuses what it cannot do, and changes nothing") {
    const long_journal journal;
    const std::uint64_t files = bytes_below(journal.directory);
    journal_id wrong = journal.id;
    wrong[3] ^= 1;
    const auto other = truncate(journal.directory, {.before = 5, .confirm = wrong});
    REQUIRE_FALSE(other);
    CHECK(other.error().code == errc::invalid_argument);
    CHECK(journal.cut_before(0).error().code == errc::invalid_argument);
    CHECK(journal.cut_before(3001).error().code == errc::not_found);
    const auto planned = must(truncate(journal.directory, {.before = 5, .dry_run = true}));
    CHECK(planned.plan.id == journal.id);
    CHECK(planned.plan.events == 2995);
    CHECK(planned.kept.empty());
    CHECK(bytes_below(journal.directory) == files);
    {
        auto log = must(writer::open(journal.directory, by_hand()));
        CHECK(journal.cut_before(5).error().code == errc::locked);
        auto together = must(log.begin_batch(2, 64));
        (void)must(together.append({.type = 1}, bytes_of("event 3000")));
        (void)must(together.append({.type = 1}, bytes_of("event 3001")));
        (void)must(together.commit());
        must(log.close());
    }
    CHECK(journal.cut_before(3001).error().code == errc::invalid_argument);
    CHECK(must(verify(journal.directory)).findings.empty());
    CHECK(must(journal.cut_before(3000)).recovery.next_sequence == 3000);
}

TEST_CASE(
    "a truncation that is killed at any system call loses no event before the cut, and the next "
    "one completes it") {
    const long_journal original;
    for (int calls = 0;; ++calls) {
        const long_journal journal{original};
        const bool done = cut_and_die(journal, 1000, calls);
        INFO("killed before system call " << calls);
        // Whatever state it is in, an open refuses it or keeps what was before the cut.
        const fs::path copy = journal.home.path() / "copy";
        fs::copy(journal.directory, copy, fs::copy_options::recursive);
        const auto opened = recover(copy);
        if (opened) {
            CHECK(opened->next_sequence >= 1000);
            CHECK(read_numbered(copy) == opened->next_sequence);
        } else {
            CHECK((opened.error().code == errc::damaged ||
                   opened.error().code == errc::missing_segment));
        }
        const auto report = must(journal.cut_before(1000));
        CHECK(report.recovery.next_sequence == 1000);
        journal.check_that_it_ends_with(1000);
        if (done)
            break;
        REQUIRE(calls < 5000);
    }
}
