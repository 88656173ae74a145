// What the library promises about cost, by counting: clock calls, page faults, pages made ready,
// files rewritten, bytes read in the background.
#include "../support/temporary_directory.hpp"
#include "interposed_calls.hpp"
#include "io_record.hpp"
#include "journal_support.hpp"
#include "os/clock.hpp"

#include <sys/resource.h>

#include <chrono>
#include <thread>

using namespace pawl;
using namespace pawl::test;
using detail::io_operation;

namespace {

[[nodiscard]] writer_options by_hand() {
    auto options = small_segments();
    options.background_threads = false;
    options.full = when_full::fail;
    return options;
}

[[nodiscard]] std::uint64_t page_faults_of_this_thread() {
    rusage usage{};
    REQUIRE(::getrusage(RUSAGE_THREAD, &usage) == 0);
    return static_cast<std::uint64_t>(usage.ru_minflt + usage.ru_majflt);
}

}  // namespace

TEST_CASE("an append asks the kernel for the time only where it was told to") {
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

TEST_CASE("pages are made ready one window ahead of the writer and no further") {
    const temporary_directory directory;
    auto options = by_hand();
    options.segment_bytes = std::uint64_t{1} << 20;
    options.populate_bytes = std::uint64_t{128} << 10;
    auto log = must(writer::open(directory.path() / "j", options));
    CHECK(log.statistics().populated_bytes == 0);  // what open itself does is not counted
    must(log.poll());
    CHECK(log.statistics().populated_bytes == options.populate_bytes);
    must(log.poll());
    CHECK(log.statistics().populated_bytes == options.populate_bytes);
    const std::vector<std::byte> payload(1000);
    // Less than a quarter of the window is not worth a call.
    while (log.statistics().appended_bytes < options.populate_bytes / 4 - 1056)
        (void)must(log.append({}, payload));
    must(log.poll());
    CHECK(log.statistics().populated_bytes == options.populate_bytes);
    for (int round = 0; round < 10; ++round) {
        const auto faults = page_faults_of_this_thread();
        const auto begin = log.statistics().appended_bytes;
        while (log.statistics().appended_bytes - begin < options.populate_bytes / 2)
            (void)must(log.append({}, payload));
        CHECK(page_faults_of_this_thread() == faults);
        must(log.poll());
        CHECK(log.statistics().populated_bytes ==
              options.populate_bytes + log.statistics().appended_bytes);
    }
    CHECK(log.statistics().rollovers == 0);
}

TEST_CASE("the next segment's first pages are made ready before the writer enters it") {
    const temporary_directory directory;
    auto options = by_hand();
    options.populate_bytes = std::uint64_t{64} << 10;
    options.segment_bytes = std::uint64_t{256} << 10;
    auto log = must(writer::open(directory.path() / "j", options));
    const std::vector<std::byte> payload(1000);
    for (int round = 0; round < 100; ++round) {
        must(log.poll());
        const auto faults = page_faults_of_this_thread();
        for (int i = 0; i < 30; ++i)
            (void)must(log.append({}, payload));
        CHECK(page_faults_of_this_thread() == faults);
    }
    CHECK(log.statistics().rollovers == 12);
}

TEST_CASE("the file of stream heads is written when the sealed segments outweigh it eight times") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const io_record record;
    auto options = by_hand();
    options.expected_streams = 4096;
    auto log = must(writer::open(path, options));
    const auto written = [&] { return record.calls(io_operation::create, "streams.tmp").size(); };
    std::vector<std::uint64_t> written_after;  // rollovers
    must(log.poll());
    for (std::uint64_t sealed = 1; sealed <= 60; ++sealed) {
        while (log.statistics().rollovers < sealed)
            append_numbered(log, 1, 1 + log.next_sequence() % 9);
        must(log.poll());
        must(log.poll());
        if (written() != written_after.size())
            written_after.push_back(sealed);
        REQUIRE(written() == written_after.size());
    }
    REQUIRE(written_after.size() >= 2);
    const std::uint64_t file_bytes = std::filesystem::file_size(path / "streams");
    CHECK(file_bytes > 4096 * 24);
    const std::uint64_t expected =
        (file_bytes * 8 + options.segment_bytes - 1) / options.segment_bytes;
    for (std::size_t i = 0; i < written_after.size(); ++i)
        CHECK(written_after[i] == (i + 1) * expected);
    CHECK(written_after.size() == 60 / expected);
    must(log.close());
    CHECK(written() == written_after.size() + 1);
}

TEST_CASE("the scrub reads each sealed segment once, a slice at a time, no faster than it was told",
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
        // Never ahead of its rate by more than the slice it begins with.
        const double allowed = took.count() * 4 * mebibyte + 1.2 * mebibyte;
        CHECK(static_cast<double>(scrubbed) <= allowed);
    }
    CHECK_FALSE(log.failure().has_value());
    CHECK(log.statistics().scrubbed_bytes == bytes + 96);  // the end frame of the last one
}

TEST_CASE("nothing is scrubbed where no rate is given") {
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
