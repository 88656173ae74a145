// Removing the oldest segments: what goes, what stays, and what a log without its beginning still
// knows.
#include "prune_support.hpp"
#include "store/directory.hpp"
#include "store/log_begin.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/journal.hpp>
#include <pawl/journal/prune.hpp>
#include <pawl/journal/sealed_segment.hpp>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

// Several segments of numbered events, in streams 1 to 3 and one with a name; stream 1 and the name
// are only in the first.
struct prune_fixture : growing_journal {
    stream_id named = no_stream_id;

    prune_fixture() {
        writer log = open();
        named = must(log.stream("orders", 1));
        must(log.describe({1, 1, "numbered", bytes_of("schema")}, 1));
        append(log, 1);
        append(log, named);
        while (log.statistics().rollovers < 5) {
            append(log, 2 + events % 2);
            must(log.poll());
        }
        must(log.close());
    }
    [[nodiscard]] std::vector<segment_info> segments() const {
        return must(inspect(directory)).segments;
    }
    prune_report prune_before(sequence_number before) const {
        return must(prune(directory, {.before = before}));
    }
    // The sequences from the first kept to the last; fails if one is missing.
    [[nodiscard]] std::pair<sequence_number, sequence_number> read() const {
        auto log = must(cursor::open(directory));
        const sequence_number first = log.next_sequence();
        sequence_number expected = first;
        (void)must(log.for_each([&](const event& e) { REQUIRE(e.sequence() == expected++); }));
        return {first, expected};
    }
    [[nodiscard]] errc open_at(start from) const {
        const auto opened = cursor::open(directory, {.from = from});
        return opened ? errc{} : opened.error().code;
    }
    [[nodiscard]] std::vector<std::string> files() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator{directory})
            names.push_back(entry.path().filename());
        std::ranges::sort(names);
        return names;
    }
};

std::uint64_t digest_of(cursor log) {
    std::uint64_t sum = 0;
    (void)must(log.for_each(
        [&](const event& e) { sum += e.names_digest() + detail::digest_term(e.content_hash()); }));
    return sum;
}

}  // namespace

TEST_CASE_METHOD(prune_fixture, "a prune removes whole sealed segments below a sequence") {
    const auto before = segments();
    REQUIRE(before.size() == 6);
    const sequence_number cut = before[2].first_sequence;
    const auto dry = must(prune(directory, {.before = cut + 1, .dry_run = true}));
    CHECK(dry.segments == 2);
    CHECK(dry.dry_run);
    CHECK(segments().size() == 6);
    CHECK_FALSE(fs::exists(directory / "retained"));

    const auto done = prune_before(cut + 1);
    CHECK(done.segments == 2);
    // What they held; an end frame comes after it.
    CHECK(done.bytes <= 2 * options.segment_bytes);
    CHECK(done.bytes > 2 * (options.segment_bytes - 4096));
    CHECK(done.events == cut);
    CHECK(done.first_sequence == cut);
    CHECK(done.held_by.empty());
    CHECK(segments().size() == 4);
    CHECK(segments()[0].ordinal == 2);
    CHECK_FALSE(fs::exists(directory / "0000000001.seg"));
    CHECK_FALSE(fs::exists(directory / "0000000001.idx"));
    CHECK(must(inspect(directory)).first_sequence == cut);
    CHECK(read() == std::pair{cut, events});
    const auto report = must(verify(directory, {.deep = true}));
    CHECK(report.findings.empty());
    CHECK(report.first_sequence == cut);
    CHECK(report.next_sequence == events);
    // Nothing is left to do.
    CHECK(prune_before(cut + 1).segments == 0);
}

TEST_CASE_METHOD(prune_fixture, "by time, by bytes, and never the last sealed segment") {
    const auto before = segments();
    CHECK(prune(directory, {}).error().code == errc::invalid_argument);
    CHECK(must(prune(directory, {.before_ns = 0, .dry_run = true})).segments == 0);
    const std::uint64_t second_begins = 1000 + before[1].first_sequence;
    CHECK(must(prune(directory, {.before_ns = second_begins - 1, .dry_run = true})).segments == 0);
    CHECK(must(prune(directory, {.before_ns = second_begins, .dry_run = true})).segments == 1);
    const std::uint64_t each = options.segment_bytes;
    CHECK(must(prune(directory, {.keep_bytes = 6 * each, .dry_run = true})).segments == 0);
    CHECK(must(prune(directory, {.keep_bytes = 3 * each, .dry_run = true})).segments == 2);
    CHECK(must(prune(directory, {.before = 1, .keep_bytes = 0, .dry_run = true})).segments == 0);
    CHECK(must(prune(directory, {.keep_bytes = 0})).segments == 5);
    CHECK(segments().size() == 1);
    CHECK(must(prune(directory, {.keep_bytes = 0})).segments == 0);
    CHECK(read().second == events);
}

TEST_CASE("a segment that was closed early counts as what it holds") {
    growing_journal journal;
    for (int opened = 0; opened < 6; ++opened) {
        writer log = journal.open();
        journal.append(log, 1);
        must(log.close());
    }
    const auto prune_to = [&](std::uint64_t bytes) {
        return must(prune(journal.directory, {.keep_bytes = bytes, .dry_run = true}));
    };
    const auto everything = prune_to(0);
    REQUIRE(everything.segments == 5);
    CHECK(everything.bytes < journal.options.segment_bytes);
    CHECK(prune_to(journal.options.segment_bytes).segments == 0);
    CHECK(prune_to(everything.bytes / 2).segments == 3);
}

TEST_CASE_METHOD(prune_fixture, "holds keep the events from their sequence on, and are named") {
    const auto before = segments();
    const std::array holds{prune_hold{"billing", before[2].first_sequence + 1},
                           prune_hold{"audit", before[3].first_sequence},
                           prune_hold{"mail", before[1].first_sequence}};
    const auto done = must(prune(directory, {.keep_bytes = 0, .holds = holds}));
    CHECK(done.segments == 1);
    REQUIRE(done.held_by.size() == 1);
    CHECK(done.held_by[0].name == "mail");
    CHECK(done.first_sequence == before[1].first_sequence);
}

TEST_CASE_METHOD(prune_fixture, "streams, names and descriptions of what was pruned are known") {
    const sequence_number cut = segments()[3].first_sequence;
    const auto whole = [&] {
        auto log = must(cursor::open(directory));
        return digest_of(std::move(log));
    }();
    (void)prune_before(cut);
    const auto begin = must(detail::read_log_begin(directory, must(inspect(directory)).id));
    CHECK(begin.sequence() == cut);
    CHECK(begin.digest + digest_of(must(cursor::open(directory))) == whole);
    for (const bool without_heads : {false, true}) {
        if (without_heads)
            fs::remove(directory / "streams");
        CHECK(must(find_stream(directory, "orders")) == named);
        REQUIRE(must(stream_names(directory)).size() == 1);
        CHECK(must(stream_names(directory))[0].name == "orders");
        CHECK(must(stream_names(directory))[0].stream == named);
        REQUIRE(must(descriptions(directory)).size() == 1);
        CHECK(must(descriptions(directory))[0].name == "numbered");
        writer log = open();
        CHECK(log.next_sequence() == events);
        CHECK(log.version(1) == 1);
        CHECK(log.version(named) == 1);
        CHECK(must(log.stream("orders", 1)) == named);
        CHECK_FALSE(must(log.describe({1, 1, "numbered", bytes_of("schema")}, 1)));
        CHECK(log.append({.type = 1, .stream = 1, .expected = expect::exactly(2)}, {})
                  .error()
                  .actual_version == 1);
        must(log.close());
    }
    {
        writer log = open();
        CHECK(must(log.stream("more", 1)) == named + 1);
        must(log.close());
    }
    // Pruned again, nothing is forgotten.
    const auto again = must(prune(directory, {.keep_bytes = 0}));
    CHECK(again.segments > 0);
    fs::remove(directory / "streams");
    CHECK(must(find_stream(directory, "orders")) == named);
    writer log = open();
    CHECK(log.version(1) == 1);
    CHECK(log.version(2) + log.version(3) + 2 == events);
    CHECK(must(log.stream("orders", 1)) == named);
}

TEST_CASE_METHOD(prune_fixture, "a reader before the beginning gets pruned, one at it goes on") {
    const sequence_number cut = segments()[2].first_sequence;
    const auto point_after = [&](sequence_number last) {
        auto log = must(cursor::open(directory, {.from = from_sequence{last}}));
        REQUIRE(log.next() != nullptr);
        return log.point();
    };
    const log_point at = point_after(cut - 1);
    const log_point before = point_after(cut - 2);
    const log_point after = point_after(cut);
    auto reading = must(cursor::open(directory));
    REQUIRE(reading.next() != nullptr);
    auto waiting = must(cursor::open(directory, {.from = from_sequence{cut - 1}}));
    (void)prune_before(cut);

    const auto refused = cursor::open(directory, {.from = from_sequence{cut - 1}});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::pruned);
    CHECK(refused.error().sequence == cut);
    CHECK(open_at(from_sequence{cut}) == errc{});
    CHECK(open_at(from_point{}) == errc::pruned);
    CHECK(open_at(from_point{before}) == errc::pruned);
    CHECK(open_at(from_point{at}) == errc{});
    CHECK(open_at(from_point{after}) == errc{});
    log_point other = at;
    other.content_hash ^= 1;
    CHECK(open_at(from_point{other}) == errc::diverged);

    // What is mapped is read to its end, and then the next segment is gone.
    sequence_number seen = 1;
    while (const event* e = reading.next())
        CHECK(e->sequence() == seen++);
    const auto stopped = reading.finish();
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().code == errc::pruned);
    CHECK(stopped.error().sequence == cut);
    CHECK(seen < cut);
    // One in the last segment that went comes out at the beginning.
    CHECK(must(waiting.for_each([](const event&) {})) == events - cut + 1);
}

TEST_CASE_METHOD(prune_fixture, "a follower at the cut goes on if what was pruned held no events") {
    // All events but the last two segments' go; the first of those that follow hold none.
    auto all = must(cursor::open(directory, {.follow = true}));
    auto stream = must(cursor::open(directory, {.follow = true, .stream = 1}));
    auto behind = must(cursor::open(directory, {.follow = true}));
    const auto read_all = [](cursor& from) {
        while (from.next() != nullptr) {
        }
    };
    read_all(all);
    read_all(stream);
    REQUIRE(behind.next() != nullptr);
    for (int n = 0; n < 4; ++n)
        must(open().close());
    CHECK(prune_before(events).first_sequence == events);
    CHECK(segments().size() < 4);
    {
        writer log = open();
        append(log, 1);
        must(log.close());
    }
    for (cursor* each : {&all, &stream}) {
        REQUIRE(must(each->wait(std::chrono::seconds{60})));
        const event* next = each->next();
        REQUIRE(next != nullptr);
        CHECK(next->sequence() == events - 1);
        CHECK(each->next() == nullptr);
        CHECK(each->finish());
    }
    read_all(behind);
    const auto stopped = behind.finish();
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().code == errc::pruned);
}

TEST_CASE_METHOD(prune_fixture, "either copy of retained is enough, and none is damage") {
    const auto before = segments();
    (void)prune_before(before[1].first_sequence);
    const auto older = read_bytes(directory / "retained", 0, fs::file_size(directory / "retained"));
    (void)prune_before(before[2].first_sequence);
    const sequence_number cut = before[2].first_sequence;
    const auto damage = [&](const char* name, std::uint64_t at) {
        const auto good = read_bytes(directory / name, at, 1);
        overwrite(directory / name, at, std::array{good[0] ^ std::byte{1}});
        return good;
    };
    for (const char* name : {"retained", "retained.copy"}) {
        const auto good = damage(name, 100);
        CHECK(read() == std::pair{cut, events});
        must(open().close());
        overwrite(directory / name, 100, good);
        // The greater ordinal counts.
        const auto newer = read_bytes(directory / name, 0, fs::file_size(directory / name));
        fs::resize_file(directory / name, 0);
        overwrite(directory / name, 0, older);
        CHECK(read() == std::pair{cut, events});
        fs::resize_file(directory / name, 0);
        overwrite(directory / name, 0, newer);
    }
    const auto first = damage("retained", 100);
    const auto second = damage("retained.copy", 200);
    CHECK(cursor::open(directory).error().code == errc::damaged);
    CHECK(writer::open(directory, options).error().code == errc::damaged);
    CHECK(prune(directory, {.keep_bytes = 0}).error().code == errc::damaged);
    overwrite(directory / "retained", 100, first);
    overwrite(directory / "retained.copy", 200, second);
    fs::remove(directory / "0000000002.seg");
    CHECK(writer::open(directory, options).error().code == errc::missing_segment);
    CHECK_FALSE(must(verify(directory)).sound());
}

TEST_CASE_METHOD(prune_fixture,
                 "segments below the beginning are not the log, and stay till a prune") {
    const fs::path copy = home.path() / "copy";
    fs::copy(directory, copy);
    const sequence_number cut = segments()[2].first_sequence;
    (void)prune_before(cut);
    // As a prune leaves it that was killed after the first copy, before any segment went.
    fs::remove(directory / "retained.copy");
    for (const char* name : {"0000000000.seg", "0000000000.idx", "0000000001.seg"})
        fs::copy_file(copy / name, directory / name);
    CHECK(read() == std::pair{cut, events});
    CHECK(must(verify(directory, {.deep = true})).findings.empty());
    CHECK(segments().size() == 4);
    must(open().close());
    CHECK(fs::exists(directory / "0000000000.seg"));
    CHECK(must(prune(directory, {.before = cut})).segments == 0);
    CHECK_FALSE(fs::exists(directory / "0000000000.seg"));
    CHECK_FALSE(fs::exists(directory / "0000000000.idx"));
    CHECK_FALSE(fs::exists(directory / "0000000001.seg"));
    CHECK(fs::exists(directory / "retained.copy"));
}

TEST_CASE_METHOD(prune_fixture, "what is damaged is not pruned, and a writer keeps its journal") {
    const auto before = segments();
    const auto names = files();
    {
        const writer log = open();
        CHECK(prune(directory, {.keep_bytes = 0}).error().code == errc::locked);
    }
    must(recover(directory));
    const auto good = read_bytes(directory / "0000000001.seg", 9000, 1);
    overwrite(directory / "0000000001.seg", 9000, std::array{good[0] ^ std::byte{1}});
    CHECK(prune(directory, {.before = before[3].first_sequence}).error().code == errc::damaged);
    CHECK_FALSE(fs::exists(directory / "retained"));
    CHECK(fs::exists(directory / "0000000000.seg"));
    CHECK(prune_before(before[1].first_sequence).segments == 1);
    CHECK(prune(home.path() / "absent", {.keep_bytes = 0}).error().code == errc::not_a_journal);
}

TEST_CASE_METHOD(prune_fixture, "one stream is read from the beginning of the log on") {
    (void)prune_before(segments()[3].first_sequence);
    auto idle = must(cursor::open(directory, {.stream = 1}));
    CHECK(must(idle.for_each([](const event&) {})) == 0);
    stream_version version = 0;
    auto busy = must(cursor::open(directory, {.stream = 2}));
    (void)must(busy.for_each([&](const event& e) {
        CHECK((version == 0 || e.version() == version + 1));
        version = e.version();
    }));
    CHECK(version == open().version(2));
}

TEST_CASE_METHOD(prune_fixture, "a reader that asks for a version that was pruned gets pruned") {
    const sequence_number cut = segments()[3].first_sequence;
    (void)prune_before(cut);
    const auto outcome = [&](stream_id stream, stream_version from) {
        auto log = cursor::open(directory, {.from = from_version{from}, .stream = stream});
        if (!log)
            return log.error();
        const auto read = log->for_each([](const event&) {});
        return read ? error{} : read.error();
    };
    // Stream 1 has no event left, stream 2 later ones.
    for (const stream_id stream : {stream_id{1}, stream_id{2}}) {
        const error refused = outcome(stream, 1);
        CHECK(refused.code == errc::pruned);
        CHECK(refused.sequence == cut);
        CHECK(refused.detail.starts_with("version 1 of stream " + std::to_string(stream)));
    }
    CHECK(outcome(1, 2).code == errc{});
    CHECK(outcome(9, 1).code == errc{});
    writer log = open();
    const stream_version last = log.version(2);
    CHECK(outcome(2, last).code == errc{});
    const auto missed = log.read_since(2, 0, [](const event&) {});
    REQUIRE_FALSE(missed);
    CHECK(missed.error().code == errc::pruned);
    CHECK(must(log.read_since(2, last - 1, [](const event&) {})) == 1);
}

TEST_CASE_METHOD(prune_fixture, "an open says that an interrupted prune left segments") {
    const fs::path copy = home.path() / "copy";
    fs::copy(directory, copy);
    (void)prune_before(segments()[2].first_sequence);
    CHECK(open().recovery().notices.empty());
    fs::copy_file(copy / "0000000001.seg", directory / "0000000001.seg");
    const auto notices = open().recovery().notices;
    REQUIRE(notices.size() == 1);
    CHECK(notices[0].starts_with("1 segments before the beginning"));
}

TEST_CASE_METHOD(prune_fixture, "a sealed segment that was pruned is not called missing") {
    const sequence_number cut = segments()[2].first_sequence;
    (void)prune_before(cut);
    const auto gone = sealed_segment::open(directory, 1);
    REQUIRE_FALSE(gone);
    CHECK(gone.error().code == errc::pruned);
    CHECK(gone.error().sequence == cut);
    CHECK(sealed_segment::open(directory, 2).has_value());
}

TEST_CASE_METHOD(prune_fixture, "indexes that are made again after a prune say the same") {
    const std::uint64_t last = segments().back().ordinal;
    (void)prune_before(segments()[4].first_sequence);
    const fs::path index = detail::index_path(directory, last);
    const auto before = read_bytes(index, 0, fs::file_size(index));
    fs::remove(index);
    must(open().close());
    CHECK(read_bytes(index, 0, fs::file_size(index)) == before);
    CHECK(must(verify(directory, {.deep = true})).findings.empty());
}

TEST_CASE_METHOD(prune_fixture, "a newer copy of retained that is damaged gives way to the older") {
    // As after a crash between the two copies: the second one is the earlier prune's, and all
    // segments that it counts on are there.
    const auto before = segments();
    (void)prune_before(before[1].first_sequence);
    const fs::path whole = home.path() / "whole";
    fs::copy(directory, whole);
    (void)prune_before(before[3].first_sequence);
    fs::copy(directory / "retained", whole / "retained", fs::copy_options::overwrite_existing);
    const auto begins = [&] { return must(inspect(whole)).first_sequence; };
    CHECK(begins() == before[3].first_sequence);
    // In the header: its version, which is none of a newer program's. In the body: the heads.
    for (const std::uint64_t at : {std::uint64_t{8}, std::uint64_t{250}}) {
        INFO("byte " << at);
        const auto good = read_bytes(whole / "retained", at, 1);
        overwrite(whole / "retained", at, std::array{good[0] ^ std::byte{4}});
        fs::remove(whole / "streams");
        CHECK(begins() == before[1].first_sequence);
        writer log = must(writer::open(whole, options));
        CHECK(log.version(1) == 1);
        CHECK(log.version(2) + log.version(3) + 2 == events);
        CHECK(must(log.stream("orders", 1)) == named);
        must(log.close());
        overwrite(whole / "retained", at, good);
    }
}
