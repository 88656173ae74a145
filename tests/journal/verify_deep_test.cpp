// Verifies across files, on journals that the writer wrote; tests/golden has journals that it never
// writes.
#include "journal_support.hpp"
#include "prune_support.hpp"
#include "store/heads_file.hpp"
#include "support/rewrite_heads.hpp"
#include "support/temporary_directory.hpp"

#include <pawl/journal/prune.hpp>

#include <filesystem>
#include <string>
#include <utility>

using namespace pawl::test;

namespace {

pawl::verify_report verify_deep(const std::filesystem::path& directory) {
    auto report = must(pawl::verify(directory, {.deep = true}));
    for (const pawl::finding& found : report.findings)
        UNSCOPED_INFO(found.what.message());
    return report;
}

// Every life appends to earlier streams, to new ones, and to one with a name.
void append_to_streams(pawl::writer& log, std::uint64_t streams, std::uint64_t life) {
    const pawl::stream_id named = must(log.stream("orders/" + std::to_string(life)));
    for (std::uint64_t i = 0; i < streams; ++i) {
        append_numbered(log, 1, 1 + i + life * streams / 2);
        if (i % 7 == 0)
            append_numbered(log, 1, named);
        must(log.poll());
    }
}

pawl::writer open_quietly(const std::filesystem::path& directory) {
    auto options = small_segments();
    options.background_threads = false;
    options.full = pawl::when_full::fail;
    return must(pawl::writer::open(directory, options));
}

}  // namespace

TEST_CASE("a journal of many streams, names, segments and lives is sound in depth") {
    const temporary_directory home;
    const auto directory = home.path() / "log";
    constexpr std::uint64_t streams = 2000;
    for (std::uint64_t life = 0; life < 4; ++life) {
        auto log = open_quietly(directory);
        append_to_streams(log, streams, life);
        // The last but one is left as if its process was killed.
        if (life != 2)
            must(log.close());
        else
            must(log.sync());
    }
    const auto report = verify_deep(directory);
    CHECK(report.findings.empty());
    CHECK(report.segments > 8);
    CHECK(report.streams == streams + 3 * streams / 2 + 4);
    CHECK(report.end == pawl::end_of_journal::closed);
    CHECK(report.id == must(pawl::inspect(directory)).id);
}

TEST_CASE("a journal that is being written is sound in depth at every moment") {
    const temporary_directory home;
    const auto directory = home.path() / "log";
    auto log = open_quietly(directory);
    for (std::uint64_t life = 0; life < 5; ++life) {
        append_to_streams(log, 300, life);
        const auto report = verify_deep(directory);
        CHECK(report.findings.empty());
        CHECK(report.events == log.next_sequence());
    }
}

TEST_CASE(
    "verify is not misled by a writer that continues into segments that did not exist at the "
    "start") {
    for (const bool deep : {false, true}) {
        const temporary_directory home;
        const auto directory = home.path() / "log";
        auto log = open_quietly(directory);
        append_to_streams(log, 10, 0);
        bool went_on = false;
        const auto go_on = [&](const pawl::event&) {
            if (std::exchange(went_on, true))
                return;
            append_to_streams(log, 10'000, 1);
            must(log.sync());
        };
        const auto report = must(pawl::verify(directory, {.deep = deep, .visit = go_on}));
        for (const pawl::finding& found : report.findings)
            UNSCOPED_INFO(found.what.message());
        CHECK(report.findings.empty());
        CHECK(report.end == pawl::end_of_journal::open);
        // The writer has used more segments than the prepared ones, which were listed.
        CHECK(report.next_sequence < log.next_sequence());
    }
}

TEST_CASE("wrong heads with a valid checksum are a notice of a deep verify only") {
    const temporary_directory home;
    const auto directory = home.path() / "log";
    {
        auto log = open_quietly(directory);
        append_to_streams(log, 200, 0);
        must(log.close());
    }
    const auto id = must(pawl::inspect(directory)).id;
    auto heads = must(pawl::detail::read_heads(directory, id));
    heads.slots.find(17)->version = 9;
    must_rewrite_heads(directory, id, heads);

    CHECK(must(pawl::verify(directory)).findings.empty());
    const auto report = verify_deep(directory);
    CHECK(report.sound());
    REQUIRE(report.findings.size() == 1);
    const pawl::finding& found = report.findings[0];
    CHECK_FALSE(found.damage);
    CHECK(found.what.file == (directory / "streams").string());
    CHECK(found.what.sequence == heads.end_sequence);
    CHECK(found.what.detail == "stream 17 is at version 1 in the log but at 9 in the heads");

    // As the manual advises: move the file away, and it is rebuilt.
    std::filesystem::remove(directory / "streams");
    must(open_quietly(directory).close());
    CHECK(verify_deep(directory).findings.empty());
    CHECK(must(pawl::detail::read_heads(directory, id)).slots.find(17)->version == 1);
}

TEST_CASE("a deep verify goes on from what a prune has kept of streams and names") {
    growing_journal journal;
    {
        auto log = journal.open();
        const pawl::stream_id named = must(log.stream("orders", 1));
        journal.append(log, 1);
        journal.append(log, named);
        while (log.statistics().rollovers < 5) {
            journal.append(log, 2 + journal.events % 2);
            must(log.poll());
        }
        must(log.close());
    }
    REQUIRE(must(pawl::prune(journal.directory, {.keep_bytes = 0})).segments > 1);
    const auto report = verify_deep(journal.directory);
    CHECK(report.findings.empty());
    CHECK(report.streams == 4);

    // Stream 1 and the name lie in what was pruned.
    const auto id = must(pawl::inspect(journal.directory)).id;
    const auto only_finding = [&](auto change) {
        auto heads = must(pawl::detail::read_heads(journal.directory, id));
        change(heads);
        must_rewrite_heads(journal.directory, id, heads);
        const auto wrong = verify_deep(journal.directory);
        CHECK(wrong.sound());
        REQUIRE(wrong.findings.size() == 1);
        return wrong.findings[0].what.detail;
    };
    const std::string version = only_finding([](auto& heads) { heads.slots.find(1)->version = 9; });
    CHECK(version == "stream 1 is at version 1 in the log but at 9 in the heads");
    const std::string name = only_finding([](auto& heads) {
        heads.slots.find(1)->version = 1;
        heads.names.clear();
    });
    CHECK(name == "the name of stream " + std::to_string(pawl::first_named_stream) +
                      " is in the log but not in the heads");

    // As the manual advises.
    std::filesystem::remove(journal.directory / "streams");
    must(journal.open().close());
    CHECK(verify_deep(journal.directory).findings.empty());
}
