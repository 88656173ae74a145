// Segments with valid hashes whose contents no writer produces.
#include "../support/temporary_directory.hpp"
#include "format/frame_check.hpp"
#include "journal_support.hpp"
#include "store/directory.hpp"
#include "store/segment_file.hpp"

#include <cstdint>
#include <filesystem>
#include <vector>

using namespace pawl;
using namespace pawl::test;

namespace {

// Writes an event of `bytes` with the given sequence at an offset of segment 0.
void forge_frame(const std::filesystem::path& path, const journal_id& id, std::uint64_t offset,
                 sequence_number sequence, std::size_t bytes) {
    const auto segment = must(detail::open_segment(path, id, 0));
    std::vector<std::byte> frame(detail::padded(bytes));
    detail::store_u64(frame.data() + detail::frame_offset::sequence, sequence);
    const detail::commit_word word{bytes, 0, 1, 0};
    detail::store_u64(
        frame.data() + detail::frame_offset::hash,
        detail::frame_hash(frame.data(), frame.size(), segment.header.epoch, offset, word.value()));
    detail::store_u64(frame.data(), word.value());
    overwrite(detail::segment_path(path, 0), offset, frame);
}

}  // namespace

TEST_CASE("recovery refuses a segment whose frames leave no space for its end") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const writer_options options = small_segments();
    journal_id id{};
    std::uint64_t end = 0;
    {
        auto log = must(writer::open(path, options));
        id = log.id();
        const auto placed = must(log.append({.type = 1}, bytes_of("event 0")));
        end = placed.position.offset + detail::padded(detail::frame_header_bytes + 7);
    }
    const std::uint64_t spare = GENERATE(std::uint64_t{0}, std::uint64_t{8}, std::uint64_t{88});
    forge_frame(path, id, end, 1, options.segment_bytes - end - spare);
    const auto opened = writer::open(path, options);
    REQUIRE(!opened);
    CHECK(opened.error().code == errc::damaged);
    CHECK(opened.error().offset == options.segment_bytes - spare);
    CHECK(opened.error().detail.find("no room") != std::string::npos);
}
