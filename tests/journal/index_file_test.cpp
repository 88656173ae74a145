// An index is probed in place, and only the blocks that a lookup reads are checked.
#include "store/index_file.hpp"

#include "../support/temporary_directory.hpp"
#include "format/block_checksum.hpp"
#include "journal_support.hpp"
#include "store/segment_index.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

using namespace pawl;
using namespace pawl::test;
using namespace pawl::detail;  // NOLINT(google-build-using-namespace): the parts under test

namespace {

constexpr std::uint64_t many = 200'000;

[[nodiscard]] segment_index large_index() {
    segment_index index;
    index.header.magic = index_magic;
    index.header.format_version = format_version;
    index.header.header_bytes = sizeof(index_header);
    index.header.epoch = 77;
    index.header.end_sequence = many;
    index.header.end_offset = first_frame_offset + many * 64;
    for (std::uint64_t i = 0; i < many; ++i) {
        const std::uint64_t offset = first_frame_offset + i * 64;
        index.streams.push_back({.stream = 3 * (i + 1),
                                 .version = 2,
                                 .last = static_cast<std::uint32_t>(offset / frame_alignment),
                                 .segments_back = 0});
    }
    return index;
}

// Recomputes the checksums of a changed header and its block.
void repair(std::vector<std::byte>& bytes, index_header header) {
    header.checksum = header_checksum(header);
    std::memcpy(bytes.data(), &header, sizeof header);
    const std::uint64_t checksum = block_checksum(
        std::span{bytes}.first(static_cast<std::size_t>(header.checksums_offset)), 0, header.epoch);
    std::memcpy(bytes.data() + header.checksums_offset, &checksum, sizeof checksum);
}

[[nodiscard]] index_header header_of(const std::vector<std::byte>& bytes) {
    index_header header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    return header;
}

[[nodiscard]] errc refusal(const std::vector<std::byte>& bytes) {
    const auto opened = index_file::over(bytes, "x.idx", {}, 0);
    REQUIRE_FALSE(opened);
    return opened.error().code;
}

}  // namespace

TEST_CASE("one stream of two hundred thousand is found by reading few blocks") {
    const auto bytes = encode_index(large_index());
    for (const std::uint64_t i : {std::uint64_t{0}, std::uint64_t{1}, many / 3, many - 1}) {
        auto index = must(index_file::over(bytes, "x.idx", {}, 0));
        const auto found = must(index.find_stream(3 * (i + 1)));
        REQUIRE(found);
        CHECK(found->last_offset() == first_frame_offset + i * 64);
        CHECK_FALSE(must(index.find_stream(3 * (i + 1) + 1)));
        CHECK(index.blocks_checked() < 32);
    }
}

TEST_CASE("a bad block of an index is an error only for lookups that read it") {
    auto bytes = encode_index(large_index());
    const auto whole = must(index_file::over(bytes, "x.idx", {}, 0));
    const auto streams = whole.section(index_section_kind::streams);
    const auto at = static_cast<std::size_t>(streams.data() - bytes.data()) + 24 * 1000;
    bytes[at] ^= std::byte{1};
    auto index = must(index_file::over(bytes, "x.idx", {}, 0));
    CHECK(must(index.find_stream(3 * many)));
    const auto touched = index.find_stream(3 * 1001);
    REQUIRE_FALSE(touched);
    CHECK(touched.error().code == errc::damaged);
    CHECK(touched.error().offset == at / 4096 * 4096);
    CHECK(index.check_all().error().code == errc::damaged);
    CHECK_FALSE(parse_index(bytes, "x.idx", {}, 0));
}

TEST_CASE("a block in another block's place is rejected") {
    auto bytes = encode_index(large_index());
    std::vector<std::byte> block(bytes.begin() + 4096, bytes.begin() + 8192);
    std::copy(bytes.begin() + 8192, bytes.begin() + 12288, bytes.begin() + 4096);
    std::copy(block.begin(), block.end(), bytes.begin() + 8192);
    const auto end = static_cast<std::ptrdiff_t>(header_of(bytes).checksums_offset);
    std::swap_ranges(bytes.begin() + end + 8, bytes.begin() + end + 16, bytes.begin() + end + 16);
    auto index = must(index_file::over(bytes, "x.idx", {}, 0));
    CHECK(index.check_all().error().code == errc::damaged);
}

TEST_CASE("an unknown critical part of an index means a newer format") {
    const auto sound = encode_index(large_index());
    auto bytes = sound;
    auto header = header_of(bytes);
    SECTION("an incompatible feature") {
        header.incompatible = 1;
        repair(bytes, header);
        CHECK(refusal(bytes) == errc::newer_format);
    }
    SECTION("a system frame that must be understood") {
        header.system_types |= std::uint64_t{1} << 63;
        repair(bytes, header);
        CHECK(refusal(bytes) == errc::newer_format);
    }
    SECTION("a section that must be known") {
        index_section section{};
        std::memcpy(&section, bytes.data() + sizeof header, sizeof section);
        section.kind = 99;
        section.flags = section_must_be_known;
        std::memcpy(bytes.data() + sizeof header, &section, sizeof section);
        repair(bytes, header);
        CHECK(refusal(bytes) == errc::newer_format);
        section.flags = 0;
        std::memcpy(bytes.data() + sizeof header, &section, sizeof section);
        repair(bytes, header);
        auto index = must(index_file::over(bytes, "x.idx", {}, 0));
        CHECK(must(index.find_stream(3)));
        CHECK_FALSE(must(index.mark_before(0)));
    }
    SECTION("a section that reaches past the checksums is damage") {
        index_section section{};
        const std::size_t at = sizeof header + sizeof section;
        std::memcpy(&section, bytes.data() + at, sizeof section);
        section.count += 1;
        section.bytes += section.entry_bytes * (bytes.size() / section.entry_bytes);
        std::memcpy(bytes.data() + at, &section, sizeof section);
        repair(bytes, header);
        CHECK(refusal(bytes) == errc::damaged);
    }
}
