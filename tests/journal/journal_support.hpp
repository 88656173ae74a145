// Helpers for tests of journals.
#pragma once

#include "../support/must.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/writer.hpp>

#include <cstring>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace pawl::test {

inline std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text.data(), text.size()});
}

inline std::string text_of(const event& e) {
    const auto payload = e.payload();
    return {reinterpret_cast<const char*>(payload.data()), payload.size()};
}

// The smallest possible segments, no frames but the test's own, no sync unless it requests one.
inline writer_options small_segments() {
    writer_options options;
    options.segment_bytes = std::uint64_t{64} << 10;
    options.sync = sync_policy::manual();
    options.clock_report_interval_s = 0;
    return options;
}

// Without background threads: the test calls poll().
inline writer_options by_hand() {
    auto options = small_segments();
    options.background_threads = false;
    options.full = when_full::fail;
    return options;
}

// The same, and no page is populated ahead of the writer.
inline writer_options by_hand_unpopulated() {
    auto options = by_hand();
    options.populate_bytes = 0;
    return options;
}

// Appends `count` events "event N", where N is the sequence.
inline void append_numbered(writer& log, std::uint64_t count, stream_id stream = no_stream_id) {
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::string text = "event " + std::to_string(log.next_sequence());
        (void)must(log.append({.type = 1, .stream = stream}, bytes_of(text)));
    }
}

// Reads all events and checks that they are "event N" in order; returns their number.
inline std::uint64_t read_numbered(const std::filesystem::path& directory,
                                   cursor_options options = {}) {
    auto events = must(cursor::open(directory, options));
    sequence_number expected = events.next_sequence();
    return must(events.for_each([&](const event& e) {
        REQUIRE(e.sequence() == expected);
        REQUIRE(text_of(e) == "event " + std::to_string(expected));
        ++expected;
    }));
}

// Overwrites bytes of a file, like bit rot or a stray write.
inline void overwrite(const std::filesystem::path& file, std::uint64_t offset,
                      std::span<const std::byte> with) {
    std::fstream target{file, std::ios::in | std::ios::out | std::ios::binary};
    REQUIRE(target);
    target.seekp(static_cast<std::streamoff>(offset));
    target.write(reinterpret_cast<const char*>(with.data()),
                 static_cast<std::streamsize>(with.size()));
    REQUIRE(target);
}

inline std::vector<std::byte> read_bytes(const std::filesystem::path& file, std::uint64_t offset,
                                         std::size_t count) {
    std::ifstream source{file, std::ios::binary};
    std::vector<std::byte> bytes(count);
    source.seekg(static_cast<std::streamoff>(offset));
    source.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(count));
    REQUIRE(source);
    return bytes;
}

inline void flip_bit(const std::filesystem::path& file, std::uint64_t offset, unsigned bit) {
    auto byte = read_bytes(file, offset, 1);
    byte[0] ^= std::byte{static_cast<unsigned char>(1U << bit)};
    overwrite(file, offset, byte);
}

inline std::filesystem::path segment(const std::filesystem::path& directory,
                                     std::uint64_t ordinal) {
    std::string name = std::to_string(ordinal);
    name.insert(0, 10 - name.size(), '0');
    return directory / (name + ".seg");
}

// Ten durable events in a stream, then a torn one, and `after` events in the segment after that;
// the writer died.
inline void make_torn_journal(const std::filesystem::path& path, const writer_options& options,
                              std::uint64_t after, stream_id stream = no_stream_id) {
    std::uint64_t torn_at = 0;
    {
        auto log = must(writer::open(path, options));
        append_numbered(log, 10, stream);
        (void)must(log.sync());
        torn_at = must(log.append({.type = 1}, bytes_of("torn"))).position.offset;
        while (log.statistics().rollovers == 0) {
            append_numbered(log, 1);
            must(log.poll());
        }
        append_numbered(log, after);
    }
    std::filesystem::remove(path / "0000000000.idx");
    overwrite(segment(path, 0), torn_at + 60, bytes_of("XXXXXXXX"));
}

}  // namespace pawl::test
