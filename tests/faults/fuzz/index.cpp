// The index of a sealed segment, and the code that follows it: stream heads and names.
#include "audit/name_search.hpp"
#include "format/block_checksum.hpp"
#include "store/heads_rebuild.hpp"
#include "store/index_file.hpp"
#include "store/segment_index.hpp"
#include "targets.hpp"

#include <algorithm>
#include <cstring>

namespace pawl::test {

namespace {

using namespace detail;  // NOLINT(google-build-using-namespace): the parsers under test

void repair_blocks(std::span<std::byte> bytes, const index_header& header) {
    const std::uint64_t end = header.checksums_offset;
    if (end > bytes.size())
        return;
    const auto content = bytes.first(static_cast<std::size_t>(end));
    for (std::uint64_t block = 0; block < checked_blocks(end); ++block) {
        const std::uint64_t at = end + block * sizeof(std::uint64_t);
        if (bytes.size() - at < sizeof(std::uint64_t))
            return;
        store_u64(bytes.data() + at,
                  block_checksum(content, block * checked_block_bytes, header.epoch));
    }
}

void repair_index(std::span<std::byte> bytes, unsigned char what) {
    index_header header{};
    if (bytes.size() < sizeof header)
        return;
    std::memcpy(&header, bytes.data(), sizeof header);
    if ((what & repair_identities) != 0) {
        header.magic = index_magic;
        header.format_version = 1;
        header.ordinal = 0;
        std::ranges::fill(header.journal, std::uint8_t{0});
    }
    if ((what & repair_hashes) != 0) {
        header.checksum = header_checksum(header);
        std::memcpy(bytes.data(), &header, sizeof header);
        repair_blocks(bytes, header);
    }
    std::memcpy(bytes.data(), &header, sizeof header);
}

// Does what a reader that probes does; the rest of the index need not be sound.
void probe(std::span<const std::byte> bytes) {
    auto index = index_file::over(bytes, "hostile", {}, 0);
    if (!index)
        return;
    const std::uint64_t blocks = checked_blocks(index->header().checksums_offset);
    for (const stream_id stream :
         {stream_id{1}, stream_id{42}, first_named_stream, ~stream_id{0}}) {
        const auto found = index->find_stream(stream);
        demand(!found || !*found || (*found)->stream == stream);
        demand(!found || !*found || (*found)->last_offset() < index->header().end_offset);
    }
    for (const sequence_number sequence :
         {sequence_number{0}, sequence_number{5}, ~sequence_number{0}}) {
        const auto mark = index->mark_before(sequence);
        demand(!mark || !*mark || (*mark)->sequence <= sequence);
    }
    const auto named = index->find_name("orders");
    demand(!named || named->size() <= bytes.size() / sizeof(indexed_name));
    const auto commands = index->commands();
    for (const index_command& command : commands.value_or(std::vector<index_command>{}))
        demand(command.first_offset() < index->header().end_offset && command.events != 0);
    for (const tag_id tag : {tag_id{1}, tag_id{42}, ~tag_id{0}}) {
        const auto tagged = index->find_tag(tag);
        for (const std::uint64_t offset : tagged.value_or(std::vector<std::uint64_t>{}))
            demand(offset >= first_frame_offset && offset < index->header().end_offset);
    }
    // A block that was right is not checked again.
    demand(index->blocks_checked() <= blocks + 8);
}

// The segment to which the index supposedly belongs, which may be smaller than the index claims.
// All code that follows an index into a segment is called here.
void use_index(index_file& file, const segment_index& index) {
    static const std::vector<std::byte> segment(first_frame_offset + 256);
    const exact_copy bytes{segment};
    const frame_space space{bytes.bytes().data(), bytes.bytes().size(), index.header.epoch};
    demand(!lists_what_is_there(index, space));
    auto heads = empty_heads(1);
    if (heads)
        (void)merge_segment(*heads, index, space);
    // The segment has no frames, so a name can only be missing, or the index wrong.
    const auto found = find_name(file, space, "orders");
    demand(found ? !*found : found.error().code == errc::damaged);
}

}  // namespace

void fuzz_index(fuzz_input input) {
    if (input.empty())
        return;
    const exact_copy copy{input.subspan(1)};
    repair_index(copy.bytes(), static_cast<unsigned char>(input[0]));
    probe(copy.bytes());
    const auto index = parse_index(copy.bytes(), "hostile", {}, 0);
    auto file = index_file::over(copy.bytes(), "hostile", {}, 0);
    if (!index || !file)
        return;
    demand(index->marks.size() * sizeof(index_mark) <= copy.bytes().size());
    for (const index_mark& mark : index->marks)
        demand(mark.offset >= first_frame_offset);
    for (const index_stream& stream : index->streams)
        demand(index->find_stream(stream.stream) != nullptr);
    for (const index_tag& tag : index->tags)
        demand(tag.postings != 0 && tag.first + tag.postings <= index->postings.size());
    if (!index->names.empty() || !index->streams.empty() || !index->tags.empty())
        use_index(*file, *index);
}

}  // namespace pawl::test
