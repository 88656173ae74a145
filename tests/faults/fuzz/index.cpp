// The index of a sealed segment, and what finds its way by it: stream heads and names.
#include "audit/name_search.hpp"
#include "format/hash.hpp"
#include "store/heads_rebuild.hpp"
#include "store/segment_index.hpp"
#include "targets.hpp"

#include <algorithm>
#include <cstring>

namespace pawl::test {

namespace {

using namespace detail;  // NOLINT(google-build-using-namespace): the parsers under test

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
        const auto body = bytes.subspan(sizeof header);
        header.body_checksum = hash_bytes(body.data(), body.size());
        header.checksum = header_checksum(header);
    }
    std::memcpy(bytes.data(), &header, sizeof header);
}

// The segment that the index is said to be of: smaller than the index may say. Whatever uses an
// index to find its way in a segment is driven here.
void use_index(const segment_index& index) {
    static const std::vector<std::byte> segment(first_frame_offset + 256);
    const exact_copy bytes{segment};
    const frame_space space{bytes.bytes().data(), bytes.bytes().size(), index.header.epoch};
    auto heads = empty_heads(1);
    if (heads)
        (void)take_in(*heads, index, space);
    const auto found = find_name(index, space, "orders");
    // No frame is there, so a name can only be missing or the index wrong.
    demand(found ? !*found && index.names.empty() : found.error().code == errc::damaged);
}

}  // namespace

void fuzz_index(fuzz_input input) {
    if (input.empty())
        return;
    const exact_copy copy{input.subspan(1)};
    repair_index(copy.bytes(), static_cast<unsigned char>(input[0]));
    const auto index = parse_index(copy.bytes(), "hostile", {}, 0);
    if (!index)
        return;
    demand(index->marks.size() * sizeof(index_mark) <= copy.bytes().size());
    for (const index_mark& mark : index->marks)
        demand(mark.offset >= first_frame_offset);
    for (const index_stream& stream : index->streams)
        demand(index->find_stream(stream.stream) != nullptr);
    if (!index->names.empty() || !index->streams.empty())
        use_index(*index);
}

}  // namespace pawl::test
