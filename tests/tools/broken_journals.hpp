// Journals that broke in the ways in which journals break, made by the steps that break them.
#pragma once

#include "cli_support.hpp"

#include <xxhash.h>

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/cursor.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace pawl::test {

namespace broken {

inline void overwrite(const std::filesystem::path& path, std::uint64_t offset,
                      const std::string& bytes) {
    std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
    file.seekp(static_cast<std::streamoff>(offset));
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!file.flush())
        throw std::runtime_error("cannot change " + path.string());
}

[[nodiscard]] inline std::string read_all(const std::filesystem::path& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

// Every file and its bytes, by name.
[[nodiscard]] inline std::vector<std::pair<std::string, std::string>> contents(
    const std::string& directory) {
    std::vector<std::pair<std::string, std::string>> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{directory})
        if (entry.is_regular_file())
            files.emplace_back(entry.path(), read_all(entry.path()));
    std::ranges::sort(files);
    return files;
}

// Where the frame of an event lies in its segment.
[[nodiscard]] inline std::uint64_t offset_of(const sample_journal& journal,
                                             std::uint64_t sequence) {
    auto events = must(cursor::open(journal.directory(), {.from = from_sequence{sequence}}));
    return events.next()->position().offset;
}

// 100 events that are durable and 20 that are published, when the process dies.
inline void crash_with_events_in_flight(const sample_journal& journal) {
    writer log = journal.open();
    sample_journal::append(log, 100);
    must(log.sync());
    sample_journal::append(log, 20);
}

// The power fails: the disk has the first half of event 110, and nothing after it.
inline void torn_tail(const sample_journal& journal) {
    crash_with_events_in_flight(journal);
    overwrite(journal.file("0000000000.seg"), offset_of(journal, 110) + 32, std::string(720, '\0'));
}

inline void flipped_bit_above_the_watermark(const sample_journal& journal) {
    crash_with_events_in_flight(journal);
    flip_bit(journal.file("0000000000.seg"),
             static_cast<std::streamoff>(offset_of(journal, 110) + 60));
}

inline void flipped_bit_below_the_watermark(const sample_journal& journal) {
    crash_with_events_in_flight(journal);
    flip_bit(journal.file("0000000000.seg"),
             static_cast<std::streamoff>(offset_of(journal, 50) + 60));
}

inline void missing_middle_segment(const sample_journal& journal) {
    journal.fill(3000);
    std::filesystem::remove(journal.file("0000000001.seg"));
}

inline void truncated_segment(const sample_journal& journal) {
    journal.fill(3000);
    std::filesystem::resize_file(journal.file("0000000001.seg"), 20000);
}

inline void zeroed_page(const sample_journal& journal) {
    journal.fill(3000);
    overwrite(journal.file("0000000001.seg"), 16384, std::string(4096, '\0'));
}

inline void wrong_permissions(const sample_journal& journal) {
    journal.fill(3000);
    std::filesystem::permissions(journal.file("0000000001.seg"), std::filesystem::perms::none);
}

inline void segment_of_another_journal(const sample_journal& journal) {
    journal.fill(3000);
    const sample_journal other;
    other.fill(3000);
    std::filesystem::copy_file(other.file("0000000001.seg"), journal.file("0000000001.seg"),
                               std::filesystem::copy_options::overwrite_existing);
}

inline void newer_format(const sample_journal& journal) {
    journal.fill(100);
    constexpr std::size_t checked_bytes = 120;
    std::string identity = read_all(journal.file("journal.pawl"));
    identity[8] = 2;
    const std::uint64_t checksum = XXH3_64bits(identity.data(), checked_bytes);
    std::memcpy(identity.data() + checked_bytes, &checksum, sizeof checksum);
    overwrite(journal.file("journal.pawl"), 0, identity);
}

inline void damaged_index_heads_and_snapshot(const sample_journal& journal) {
    journal.fill(3000);
    flip_bit(journal.file("0000000001.idx"), 200);
    flip_bit(journal.file("streams"), 4100);
    std::filesystem::create_directory(journal.file("snapshots"));
    std::ofstream{journal.file("snapshots") / "books-v1-00000000000000000100.snap"}
        << "not a snapshot";
}

// A copy is made, the journal goes on, and a consumer follows it. Then the copy is put back, but
// what the consumer has handled stays.
inline void older_backup_with_newer_consumer(const sample_journal& journal) {
    journal.fill(100);
    const auto backup = journal.file("../backup").lexically_normal();
    std::filesystem::copy(journal.directory(), backup, std::filesystem::copy_options::recursive);
    journal.fill(50);
    auto risk = must(consumer::open(journal.directory(), "risk"));
    auto events = must(cursor::open(journal.directory()));
    (void)must(events.for_each([](const event&) {}));
    must(risk.commit({.point = events.point()}));
    must(risk.close());
    std::filesystem::rename(journal.file("consumers"), backup / "consumers");
    std::filesystem::remove_all(journal.directory());
    std::filesystem::rename(backup, journal.directory());
}

// Two machines wrote to copies of one journal, and then the files of one were copied over those of
// the other: those that the other had longer are from both.
inline void two_copies_both_written(const sample_journal& journal) {
    journal.fill(100);
    const auto copy = journal.file("../copy").lexically_normal();
    std::filesystem::copy(journal.directory(), copy, std::filesystem::copy_options::recursive);
    journal.fill(50);
    journal.fill(50);
    {
        writer log = must(writer::open(copy, {.sync = sync_policy::manual(),
                                              .clock_report_interval_s = 0,
                                              .full = when_full::fail,
                                              .background_threads = false}));
        sample_journal::append(log, 70);
        must(log.close());
    }
    for (const auto& each : std::filesystem::directory_iterator{copy}) {
        if (each.is_regular_file())
            std::filesystem::copy_file(each, journal.file(each.path().filename()),
                                       std::filesystem::copy_options::overwrite_existing);
    }
}

}  // namespace broken

}  // namespace pawl::test
