// The cursor has its own copy of the frame check for the common case. It must agree with the walk
// that recovery, verification and the index builder use, for every frame and every damage.
#include "../support/temporary_directory.hpp"
#include "format/segment_walk.hpp"
#include "journal_support.hpp"
#include "store/directory.hpp"
#include "store/segment_file.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>

using namespace pawl;
using namespace pawl::test;

namespace {

// Single events, with and without a stream, a name, and a batch, in one segment.
journal_id write_journal(const std::filesystem::path& path, bool close) {
    auto log = must(writer::open(path, small_segments()));
    const auto named = must(log.stream("orders"));
    append_numbered(log, 4);
    append_numbered(log, 2, named);
    auto batch = must(log.begin_batch(3, 64));
    for (int i = 0; i < 3; ++i)
        (void)must(batch.append({.type = 2}, bytes_of("part")));
    (void)must(batch.commit());
    append_numbered(log, 3);
    const auto id = log.id();
    if (close)
        must(log.close());
    return id;
}

// Counts the events up to the first place without a valid frame, or to the end.
std::uint64_t walked(const std::filesystem::path& path, const journal_id& id) {
    const auto segment = must(detail::open_segment(path, id, 0));
    return detail::walk_segment(segment.space(), {}, [](std::uint64_t, detail::commit_word) {})
        .events;
}

std::uint64_t shown(const std::filesystem::path& path) {
    auto events = cursor::open(path);
    if (!events)
        return 0;
    std::uint64_t count = 0;
    while (events->next() != nullptr)
        ++count;
    return count;
}

}  // namespace

TEST_CASE("a cursor stops at the same frame as the walk, whichever byte is damaged") {
    const bool close = GENERATE(true, false);
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const auto id = write_journal(path, close);
    const auto file = detail::segment_path(path, 0);
    constexpr std::uint64_t events = 12;
    REQUIRE(walked(path, id) == events);
    REQUIRE(shown(path) == events);

    const auto segment = must(detail::open_segment(path, id, 0));
    const auto end =
        detail::walk_segment(segment.space(), {}, [](std::uint64_t, detail::commit_word) {}).offset;
    std::uint64_t stopped_early = 0;
    for (std::uint64_t at = detail::first_frame_offset; at < end; ++at) {
        const auto before = read_bytes(file, at, 1);
        const std::array changed{before[0] ^ std::byte{static_cast<unsigned char>(1U << at % 8)}};
        overwrite(file, at, changed);
        const std::uint64_t expected = walked(path, id);
        const std::uint64_t got = shown(path);
        overwrite(file, at, before);
        INFO("byte " << at);
        REQUIRE(got == expected);
        stopped_early += expected < events ? 1 : 0;
    }
    // Every byte of every frame is covered by a check.
    CHECK(stopped_early == end - detail::first_frame_offset);
}
