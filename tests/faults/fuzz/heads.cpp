// The file of stream heads: once it passes the check, the appending thread searches it.
#include "format/hash.hpp"
#include "store/heads_file.hpp"
#include "targets.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace pawl::test {

namespace {

using namespace detail;  // NOLINT(google-build-using-namespace): the parsers under test

// An input is the header and the bytes after its block.
struct heads_input {
    heads_header header{};
    std::span<const std::byte> body;
};

void repair_heads(heads_input& file, unsigned char what) {
    if ((what & repair_identities) != 0) {
        file.header.magic = heads_magic;
        file.header.format_version = 1;
        std::ranges::fill(file.header.journal, std::uint8_t{0});
    }
    if ((what & repair_hashes) != 0) {
        file.header.body_checksum = hash_bytes(file.body.data(), file.body.size());
        file.header.checksum = header_checksum(file.header);
    }
}

}  // namespace

void fuzz_heads(fuzz_input input) {
    if (input.size() < 1 + sizeof(heads_header))
        return;
    const exact_copy body{input.subspan(1 + sizeof(heads_header))};
    heads_input file{.body = body.bytes()};
    std::memcpy(&file.header, input.data() + 1, sizeof file.header);
    repair_heads(file, static_cast<unsigned char>(input[0]));
    std::array<std::byte, heads_entries_offset> first{};
    std::memcpy(first.data(), &file.header, sizeof file.header);
    const auto header = check_heads_header(first, file.body.size(), "hostile", {});
    if (!header)
        return;
    name_map names;
    if (!check_heads_body(*header, file.body, "hostile", names))
        return;
    demand(names.size() == header->names);
    head_slots slots = head_slots::at(body.bytes().data(), header->slots, header->streams);
    for (stream_id stream = 1; stream < 4; ++stream) {
        (void)slots.find(stream);
        (void)slots.find_or_insert(stream);
    }
    demand(slots.used() < slots.slots());
    if (header->tag_slots == 0)
        return;  // no event names a tag, and there is no table
    const std::size_t streams = static_cast<std::size_t>(header->slots) * sizeof(stream_head);
    const head_slots tags =
        head_slots::at(body.bytes().data() + streams, header->tag_slots, header->tags);
    for (tag_id tag = 1; tag < 4; ++tag)
        (void)tags.find(tag);
}

}  // namespace pawl::test
