// Blocks that were stored to but that the file system still reports as unwritten. A failed write
// leaves such blocks; this test uses blocks without any store so far.
#include "store/unwritten_blocks.hpp"

#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"

#include <algorithm>
#include <cstring>

using namespace pawl;
using namespace pawl::detail;
using namespace pawl::test;

namespace {

constexpr std::uint64_t first_block = 8192;
constexpr std::uint64_t block = 4096;

writable_segment fresh_segment(const std::filesystem::path& directory) {
    return must(create_segment({.directory = directory, .segment_bytes = min_segment_bytes}));
}

}  // namespace

TEST_CASE("a block that was stored to and synced is not written a second time") {
    const temporary_directory directory;
    const auto segment = fresh_segment(directory.path());
    std::memset(segment.bytes.data() + first_block, 7, block);
    CHECK_FALSE(must(sync_for_good(segment, first_block, block)));
    CHECK_FALSE(must(has_unwritten_blocks(segment.source, first_block, block)));
}

TEST_CASE("a block that is unwritten after a sync is written past the page cache") {
    const temporary_directory directory;
    const auto segment = fresh_segment(directory.path());
    std::memset(segment.bytes.data() + first_block, 7, block);
    (void)must(segment.bytes.sync(first_block, block));
    if (!must(has_unwritten_blocks(segment.source, first_block + block, block))) {
        WARN("skipped: only ext4 leaves blocks unwritten after a sync");
        return;
    }
    CHECK_FALSE(check_written(segment.source, first_block, 2 * block));
    CHECK(must(sync_for_good(segment, first_block + 100, block)));
    CHECK(check_written(segment.source, first_block, 2 * block));
    CHECK(must(has_unwritten_blocks(segment.source, first_block + 2 * block, block)));
    const std::byte* at = segment.bytes.data() + first_block;
    CHECK(std::all_of(at, at + block, [](std::byte b) { return b == std::byte{7}; }));
    CHECK(std::all_of(at + block, at + 2 * block, [](std::byte b) { return b == std::byte{0}; }));
}
