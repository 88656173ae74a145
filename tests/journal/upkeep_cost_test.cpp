// Checks the library's promises about cost by counting: clock calls, page faults, populated pages,
// rewritten files, bytes read in the background.
#include "../support/temporary_directory.hpp"
#include "interposed_calls.hpp"
#include "io_record.hpp"
#include "journal_support.hpp"
#include "os/clock.hpp"
#include "store/heads_file.hpp"
#include "store/segment_index.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <thread>

using namespace pawl;
using namespace pawl::test;
using detail::io_operation;

namespace {

[[nodiscard]] std::uint64_t page_faults_of_this_thread() {
    rusage usage{};
    REQUIRE(::getrusage(RUSAGE_THREAD, &usage) == 0);
    return static_cast<std::uint64_t>(usage.ru_minflt + usage.ru_majflt);
}

// Counts page faults of the appends in several rounds. Where pages are not populated each round has
// some, so fewer than one a round are those of code that was not in memory.
class page_fault_count {
  public:
    template <class Appends>
    void round(const Appends& appends) {
        const auto before = page_faults_of_this_thread();
        appends();
        faults_ += page_faults_of_this_thread() - before;
    }
    // A sanitizer touches shadow pages of its own, so there the count says nothing.
    void check_fewer_than([[maybe_unused]] std::uint64_t rounds) const {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        CHECK(faults_ < rounds);
#endif
    }

  private:
    std::uint64_t faults_ = 0;
};

}  // namespace

TEST_CASE("an append asks the kernel for the time only if the options select that clock") {
    const bool has_counter = detail::tsc_clock::instance() != nullptr;
    for (const auto clock : {clock_source::tsc, clock_source::system, clock_source::caller}) {
        const temporary_directory directory;
        auto options = by_hand();
        options.clock = clock;
        auto log = must(writer::open(directory.path() / "j", options));
        const auto before = clock_calls();
        for (int i = 0; i < 100; ++i)
            (void)must(log.append({.timestamp_ns = 5}, {}));
        const bool asks =
            clock == clock_source::system || (clock == clock_source::tsc && !has_counter);
        CHECK(clock_calls() - before == (asks ? 100 : 0));
    }
}

TEST_CASE("pages are populated one window ahead of the writer and no further") {
    const temporary_directory directory;
    auto options = by_hand();
    options.segment_bytes = std::uint64_t{1} << 20;
    options.populate_bytes = std::uint64_t{128} << 10;
    auto log = must(writer::open(directory.path() / "j", options));
    CHECK(log.statistics().populated_bytes == 0);  // does not count the pages that open populates
    must(log.poll());
    CHECK(log.statistics().populated_bytes == options.populate_bytes);
    must(log.poll());
    CHECK(log.statistics().populated_bytes == options.populate_bytes);
    const std::vector<std::byte> payload(1000);
    // The writer does not populate less than a quarter of the window.
    while (log.statistics().appended_bytes < options.populate_bytes / 4 - 1056)
        (void)must(log.append({}, payload));
    must(log.poll());
    CHECK(log.statistics().populated_bytes == options.populate_bytes);
    page_fault_count faults;
    constexpr int rounds = 10;
    for (int round = 0; round < rounds; ++round) {
        const auto begin = log.statistics().appended_bytes;
        faults.round([&] {
            while (log.statistics().appended_bytes - begin < options.populate_bytes / 2)
                (void)must(log.append({}, payload));
        });
        must(log.poll());
        CHECK(log.statistics().populated_bytes ==
              options.populate_bytes + log.statistics().appended_bytes);
    }
    faults.check_fewer_than(rounds);
    CHECK(log.statistics().rollovers == 0);
}

TEST_CASE("the next segment's first pages are populated before the writer enters it") {
    const temporary_directory directory;
    auto options = by_hand();
    options.populate_bytes = std::uint64_t{64} << 10;
    options.segment_bytes = std::uint64_t{256} << 10;
    auto log = must(writer::open(directory.path() / "j", options));
    const std::vector<std::byte> payload(1000);
    page_fault_count faults;
    for (int round = 0; round < 100; ++round) {
        must(log.poll());
        faults.round([&] {
            for (int i = 0; i < 30; ++i)
                (void)must(log.append({}, payload));
        });
    }
    constexpr std::uint64_t rollovers = 12;
    CHECK(log.statistics().rollovers == rollovers);
    faults.check_fewer_than(rollovers);
}

namespace {

constexpr std::uint64_t events_of_short_stream = 2;

// Appends streams of two events each until `segments` more segments are full.
void append_short_streams(writer& log, std::uint64_t segments) {
    const std::uint64_t end = log.statistics().rollovers + segments;
    while (log.statistics().rollovers < end) {
        const stream_id stream = 1 + log.next_sequence() / events_of_short_stream;
        const auto placed = log.append({.type = 1, .stream = stream}, {});
        if (!placed)
            must(log.poll());
    }
    must(log.poll());
}

[[nodiscard]] std::size_t count_runs(const std::filesystem::path& path) {
    std::size_t runs = 0;
    for (const auto& file : std::filesystem::directory_iterator{path})
        runs += detail::is_run_name(file.path().filename().native()) ? 1 : 0;
    return runs;
}

// Returns the number of index entries that the runs of heads lack.
[[nodiscard]] std::uint64_t entries_to_merge(const std::filesystem::path& path,
                                             const journal_id& id) {
    const auto heads = detail::read_heads(path, id);
    std::uint64_t entries = 0;
    for (std::uint64_t ordinal = heads ? heads->ordinal + 1 : 0;; ++ordinal) {
        const auto index = detail::read_index(path, id, ordinal);
        if (!index)
            return entries;
        entries += index->streams.size();
    }
}

}  // namespace

TEST_CASE("an open merges no more entries into the stream heads than they hold") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    constexpr std::uint64_t few = 32 << 10;
    const io_record record;
    const auto written = [&] { return record.calls(io_operation::create, "streams.tmp").size(); };
    // Several short lives add up, because none of them closes the journal.
    for (int life = 0; life < 6; ++life) {
        auto log = must(writer::open(path, by_hand()));
        append_short_streams(log, 20);
        CHECK(entries_to_merge(path, log.id()) <=
              std::max<std::uint64_t>(few, log.statistics().streams));
    }
    // The merged sizes double, except for the first.
    CHECK(written() >= 1);
    CHECK(written() <= 4);
}

TEST_CASE("a writer that appends nothing does not rewrite the stream heads") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    {
        auto log = must(writer::open(path, by_hand()));
        append_short_streams(log, 40);
        must(log.close());
    }
    const auto runs = count_runs(path);
    const io_record record;
    const auto written = [&] { return record.calls(io_operation::create, "streams.tmp").size(); };
    for (int life = 0; life < 2; ++life) {
        auto log = must(writer::open(path, by_hand()));
        CHECK(log.version(1) == events_of_short_stream);
        must(log.close());
    }
    CHECK(written() == 0);
    CHECK(count_runs(path) == runs);
    // One read by each open, none by a close.
    CHECK(record.calls(io_operation::open, "streams").size() == 2);
    CHECK(must(verify(path, {.deep = true})).findings.empty());
    // But not forever.
    for (int life = 0; life < 6; ++life) {
        auto log = must(writer::open(path, by_hand()));
        must(log.close());
    }
    CHECK(written() == 0);
    CHECK(count_runs(path) == runs + 1);
}

TEST_CASE("the scrub reads each sealed segment once, a slice at a time, within its rate",
          "[concurrency]") {
    constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto options = small_segments();
    options.segment_bytes = 2 * mebibyte;
    std::uint64_t bytes = 0;
    {
        auto log = must(writer::open(path, options));
        const std::vector<std::byte> payload(100'000);
        while (log.statistics().rollovers < 2)
            (void)must(log.append({}, payload));
        bytes = log.statistics().appended_bytes;
        must(log.close());
    }
    const auto begin = std::chrono::steady_clock::now();
    options.scrub_bytes_per_second = 4 * mebibyte;
    auto log = must(writer::open(path, options));
    std::uint64_t scrubbed = 0;
    while (scrubbed < bytes && !log.failure()) {
        const auto now = log.statistics().scrubbed_bytes;
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        if (now == scrubbed) {
            REQUIRE(took < std::chrono::seconds{60});
            std::this_thread::yield();
            continue;
        }
        scrubbed = now;
        // Never ahead of its rate by more than its first slice.
        const double allowed = took.count() * 4 * mebibyte + 1.2 * mebibyte;
        CHECK(static_cast<double>(scrubbed) <= allowed);
    }
    CHECK_FALSE(log.failure().has_value());
    CHECK(log.statistics().scrubbed_bytes == bytes + 96);  // the end frame of the last one
}

TEST_CASE("nothing is scrubbed without a rate") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto options = by_hand();
    {
        auto log = must(writer::open(path, options));
        append_numbered(log, 100);
        must(log.close());
    }
    options.scrub_bytes_per_second = 0;
    auto log = must(writer::open(path, options));
    for (int i = 0; i < 5; ++i)
        must(log.poll());
    CHECK(log.statistics().scrubbed_bytes == 0);
}
