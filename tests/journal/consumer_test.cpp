// Named positions of readers: leases, what survives a crash, and what cannot be read.
#include "consumer_support.hpp"
#include "io_record.hpp"
#include "journal_support.hpp"
#include "store/consumer_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/prune.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

constexpr std::chrono::hours never{1000};

}  // namespace

TEST_CASE("a consumer goes on where it committed") {
    const consumed_journal journal;
    {
        auto risk = open_it(journal, {.selection = "types 1"});
        CHECK(risk.position().point == log_point{});
        must(risk.commit(journal.at(7)));
        CHECK(risk.position().point == journal.at(7).point);
        must(risk.close());
        CHECK(risk.commit(journal.at(8)).error().code == errc::closed);
    }
    auto risk = open_it(journal, {.selection = "types 1"});
    CHECK(risk.position().point == journal.at(7).point);
    CHECK(risk.position().event_ns == journal.at(7).event_ns);
    auto events = must(cursor::open(journal.directory, {.from = risk.resume_from()}));
    CHECK(events.next()->sequence() == 7);
    // Also backwards.
    must(risk.commit(journal.at(2)));
    must(risk.close());
    CHECK(open_it(journal, {.selection = "types 1"}).position().point.next == 2);
}

TEST_CASE("a new consumer begins where it is told to, and an old one does not ask") {
    const consumed_journal journal;
    const auto begin = [&] { return result<consumer_position>{journal.at(4)}; };
    CHECK(open_it(journal, {.begin = begin}).position().point.next == 4);
    const auto refuse = []() -> result<consumer_position> { return fail(errc::io); };
    CHECK(open_it(journal, {.begin = refuse}).position().point.next == 4);
    CHECK(consumer::open(journal.directory, "other", {.begin = refuse}).error().code == errc::io);
    CHECK_FALSE(fs::exists(journal.file("other")));
}

TEST_CASE("a consumer is leased to one process, which the refusal names") {
    const consumed_journal journal;
    auto risk = open_it(journal);
    const auto second = consumer::open(journal.directory, "risk");
    REQUIRE_FALSE(second);
    CHECK(second.error().code == errc::locked);
    CHECK(second.error().detail.contains("process " + std::to_string(::getpid())));
    CHECK(journal.only().held);
    CHECK(drop_consumer(journal.directory, "risk").error().code == errc::locked);
    CHECK(consumer::open(journal.directory, "other"));
    must(risk.close());
    CHECK(open_it(journal).position().point.next == 0);
    CHECK_FALSE(must(list_consumers(journal.directory)).consumers.back().held);
}

TEST_CASE("a consumer whose file was removed or replaced commits nothing more") {
    const consumed_journal journal;
    auto risk = open_it(journal);
    fs::remove(journal.file("risk"));
    CHECK(risk.commit(journal.at(3)).error().code == errc::not_found);
    auto next = open_it(journal);
    CHECK(risk.commit(journal.at(3)).error().code == errc::not_found);
    must(next.commit(journal.at(5)));
    CHECK(journal.only().position.point.next == 5);
}

TEST_CASE("in a copy made of hard links, a consumer gets a file of its own") {
    const consumed_journal journal;
    auto risk = open_it(journal);
    must(risk.commit(journal.at(3)));
    const fs::path copy = journal.home.path() / "copy";
    fs::create_directories(copy / "consumers");
    for (const auto& each : fs::recursive_directory_iterator{journal.directory}) {
        if (each.is_regular_file())
            fs::create_hard_link(each, copy / fs::relative(each, journal.directory));
    }
    // The lease in the original does not count in the copy.
    auto other = must(consumer::open(copy, "risk"));
    CHECK(other.position().point.next == 3);
    must(other.commit(journal.at(9)));
    must(risk.commit(journal.at(4)));
    CHECK(journal.only().position.point.next == 4);
    CHECK(other.position().point.next == 9);
    CHECK(must(list_consumers(copy)).consumers.front().position.point.next == 9);
}

TEST_CASE("a torn block costs one commit") {
    const consumed_journal journal;
    {
        auto risk = open_it(journal);
        must(risk.commit(journal.at(3)));
        must(risk.commit(journal.at(5)));
    }
    const std::string good = journal.bytes("risk");
    REQUIRE(good.size() == 8192);
    std::vector<sequence_number> left;
    for (const std::size_t block : {0u, 1u}) {
        std::string torn = good;
        torn.replace(block * 4096 + 100, 3000, 3000, '\0');
        journal.put("risk", torn);
        left.push_back(open_it(journal).position().point.next);
        journal.put("risk", good);
    }
    std::ranges::sort(left);
    CHECK(left == std::vector<sequence_number>{3, 5});
}

TEST_CASE("a commit that is not synced leaves the last synced one untouched") {
    const consumed_journal journal;
    auto risk = open_it(journal, {.sync_interval = never});
    must(risk.commit(journal.at(3)));
    must(risk.sync());
    CHECK(risk.sync_due() == std::chrono::steady_clock::time_point::max());
    CHECK(journal.only().holds_from == 3);
    for (sequence_number next = 4; next < 9; ++next) {
        must(risk.commit(journal.at(next)));
        // What is in the page cache; a power cut takes the newer block, and then 3 counts.
        CHECK(journal.only().position.point.next == next);
        CHECK(journal.only().holds_from == 3);
    }
    CHECK(risk.sync_due() < std::chrono::steady_clock::time_point::max());
    must(risk.close());
    CHECK(journal.only().holds_from == 8);
}

TEST_CASE("after a failed sync a consumer commits nothing more") {
    const consumed_journal journal;
    auto risk = open_it(journal);
    must(risk.commit(journal.at(3)));
    {
        const io_record disk{[](const io_call& asked) {
            return asked.operation == detail::io_operation::sync_file ? EIO : 0;
        }};
        CHECK(risk.commit(journal.at(4)).error().code == errc::io);
    }
    const auto refused = risk.commit(journal.at(5));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::poisoned);
    CHECK(refused.error().cause == errc::io);
    CHECK(risk.close().error().code == errc::poisoned);
    CHECK(risk.commit(journal.at(5)).error().code == errc::closed);
}

TEST_CASE("another selection is refused unless it is allowed") {
    const consumed_journal journal;
    must(open_it(journal, {.selection = "types 1"}).commit(journal.at(3)));
    const auto refused = consumer::open(journal.directory, "risk", {.selection = "types 2"});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::invalid_argument);
    CHECK(refused.error().detail.contains("'types 1', not 'types 2'"));
    CHECK(open_it(journal, {.selection = "types 2", .replace_selection = true})
              .position()
              .point.next == 3);
    CHECK(journal.only().selection == "types 2");
    CHECK(open_it(journal, {.selection = "types 2"}).position().point.next == 3);
}

TEST_CASE("a consumer that cannot be read is an error of its own, and can be dropped") {
    const consumed_journal journal;
    must(open_it(journal).commit(journal.at(3)));
    must(must(consumer::open(journal.directory, "other")).commit(journal.at(5)));
    const std::string good = journal.bytes("risk");
    const auto refused_with = [&](const std::string& bytes) {
        journal.put("risk", bytes);
        const auto list = must(list_consumers(journal.directory));
        REQUIRE(list.unreadable.size() == 1);
        CHECK(list.unreadable.front().name == "risk");
        REQUIRE(list.consumers.size() == 1);
        CHECK(list.consumers.front().position.point.next == 5);
        const errc code = list.unreadable.front().why.code;
        CHECK(consumer::open(journal.directory, "risk").error().code == code);
        return code;
    };
    CHECK(refused_with("") == errc::damaged);
    CHECK(refused_with(std::string(8192, '\0')) == errc::damaged);
    CHECK(refused_with(good.substr(0, 4096)) == errc::damaged);
    CHECK(refused_with(good + "x") == errc::damaged);
    // Of another consumer, of another journal, and of a newer program.
    fs::copy_file(journal.file("other"), journal.file("third"));
    CHECK(must(list_consumers(journal.directory)).unreadable.back().name == "third");
    must(drop_consumer(journal.directory, "third"));
    REQUIRE(::mkfifo(journal.file("pipe").c_str(), 0600) == 0);
    CHECK(must(list_consumers(journal.directory)).unreadable.front().name == "pipe");
    CHECK(consumer::open(journal.directory, "pipe").error().code == errc::damaged);
    CHECK(prune(journal.directory, {.keep_bytes = 0}).error().code == errc::unreadable_consumer);
    must(drop_consumer(journal.directory, "pipe"));
    const auto changed = [&](std::size_t at, char to) {
        std::string bytes = good;
        for (const std::size_t block : {0u, 4096u}) {
            bytes[block + at] = to;
            detail::consumer_block sealed{};
            std::memcpy(&sealed, bytes.data() + block, sizeof sealed);
            detail::seal(sealed);
            std::memcpy(bytes.data() + block, &sealed, sizeof sealed);
        }
        return bytes;
    };
    CHECK(refused_with(changed(56, static_cast<char>(good[56] ^ 1))) == errc::diverged);
    CHECK(refused_with(changed(8, 2)) == errc::newer_format);
    CHECK(refused_with(changed(32, 1)) == errc::newer_format);
    must(drop_consumer(journal.directory, "risk"));
    CHECK(drop_consumer(journal.directory, "risk").error().code == errc::not_found);
    CHECK(open_it(journal).position().point.next == 0);
}

TEST_CASE("names that no consumer can have are refused") {
    const consumed_journal journal;
    for (const char* name : {"", "Risk", "a/b", "../a", ".", ".hidden", "-a", "a b", "risk.tmp"}) {
        INFO(name);
        CHECK(consumer::open(journal.directory, name).error().code == errc::invalid_argument);
    }
    CHECK(consumer::open(journal.directory, std::string(81, 'a')).error().code ==
          errc::invalid_argument);
    CHECK(consumer::open(journal.directory, "a", {.selection = std::string(2049, 'a')})
              .error()
              .code == errc::invalid_argument);
    for (const char* name : {"", "a/b", "../journal.pawl", "x.tmp"})
        CHECK(drop_consumer(journal.directory, name).error().code == errc::invalid_argument);
    CHECK(drop_consumer(journal.directory, "absent").error().code == errc::not_found);
    CHECK(consumer::open(journal.home.path(), "risk").error().code == errc::not_a_journal);
    CHECK(list_consumers(journal.home.path()).error().code == errc::not_a_journal);
}

TEST_CASE("a prune keeps what a consumer has not committed, whoever prunes") {
    const consumed_journal journal;
    journal.grow(8);
    const auto everything = prune_options{.keep_bytes = 0};
    auto risk = open_it(journal);
    const auto held = must(prune(journal.directory, everything));
    CHECK(held.segments == 0);
    REQUIRE(held.held_by.size() == 1);
    CHECK(held.held_by.front().name == "consumer risk");
    CHECK(held.held_by.front().sequence == 0);

    must(risk.commit(journal.at(100)));
    const auto some = must(prune(journal.directory, everything));
    CHECK(some.segments > 0);
    CHECK(some.first_sequence <= 100);
    CHECK(some.held_by.front().sequence == 100);
    auto events = must(cursor::open(journal.directory, {.from = risk.resume_from()}));
    CHECK(events.next()->sequence() == 100);

    must(risk.commit(journal.at(300)));
    auto log = must(writer::open(journal.directory, small_segments()));
    const auto live = must(log.prune(everything));
    CHECK(live.segments > 0);
    CHECK(live.first_sequence <= 300);
    must(log.close());

    must(risk.close());
    must(drop_consumer(journal.directory, "risk"));
    CHECK(must(prune(journal.directory, everything)).first_sequence > 300);
}

TEST_CASE("a commit that a power cut may take holds nothing back less") {
    const consumed_journal journal;
    journal.grow(8);
    auto risk = open_it(journal, {.sync_interval = never});
    must(risk.commit(journal.at(300)));
    CHECK(must(prune(journal.directory, {.keep_bytes = 0, .dry_run = true})).segments == 0);
    must(risk.sync());
    CHECK(must(prune(journal.directory, {.keep_bytes = 0, .dry_run = true})).segments > 0);
}

TEST_CASE("a consumer that cannot be read stops every prune until it is dropped") {
    const consumed_journal journal;
    journal.grow(8);
    must(open_it(journal).close());
    journal.put("risk", "not a consumer");
    for (const bool dry_run : {true, false}) {
        const auto refused = prune(journal.directory, {.keep_bytes = 0, .dry_run = dry_run});
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == errc::unreadable_consumer);
        CHECK(refused.error().file == journal.file("risk"));
        CHECK(refused.error().detail.contains("pawl consumers drop DIR risk"));
    }
    auto options = small_segments();
    options.background_threads = false;
    options.full = when_full::fail;
    options.retention.keep_bytes = 1;
    auto log = must(writer::open(journal.directory, options));
    CHECK(log.prune({.keep_bytes = 0}).error().code == errc::unreadable_consumer);
    must(log.poll());
    // The writer itself goes on.
    CHECK_FALSE(log.failure());
    CHECK(log.statistics().pruned_segments == 0);
    append_numbered(log, 1);
    must(log.close());
    must(drop_consumer(journal.directory, "risk"));
    CHECK(must(prune(journal.directory, {.keep_bytes = 0})).segments > 0);
}
