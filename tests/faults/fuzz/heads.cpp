// Runs of stream heads: once the header passes the check, the appending thread searches the tables,
// and the sealing thread merges them.
#include "format/block_checksum.hpp"
#include "format/hash.hpp"
#include "store/head_run.hpp"
#include "store/heads_file.hpp"
#include "targets.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace pawl::test {

namespace {

using namespace detail;  // NOLINT(google-build-using-namespace): the parsers under test

void repair_heads(std::span<std::byte> file, unsigned char what) {
    heads_header header{};
    std::memcpy(&header, file.data(), sizeof header);
    if ((what & repair_identities) != 0) {
        header.magic = heads_magic;
        header.format_version = 1;
        std::ranges::fill(header.journal, std::uint8_t{0});
    }
    if ((what & repair_hashes) != 0)
        header.checksum = header_checksum(header);
    std::memcpy(file.data(), &header, sizeof header);
    if ((what & repair_hashes) == 0)
        return;
    constexpr std::size_t block = checked_block_bytes;
    const std::size_t blocks = (file.size() + block + 7) / (block + 8);
    const std::size_t end = file.size() - blocks * 8;
    for (std::size_t i = 0; i < blocks && i * block < end; ++i) {
        store_u64(file.data() + end + i * 8,
                  block_checksum(file.first(end), i * block, header.epoch));
    }
}

}  // namespace

// An input is the header and the bytes after its block.
void fuzz_heads(fuzz_input input) {
    if (input.size() < 1 + sizeof(heads_header))
        return;
    const auto body = input.subspan(1 + sizeof(heads_header));
    std::vector<std::byte> made(heads_entries_offset + body.size());
    std::memcpy(made.data(), input.data() + 1, sizeof(heads_header));
    std::ranges::copy(std::as_bytes(body), made.begin() + heads_entries_offset);
    repair_heads(made, static_cast<unsigned char>(input[0]));
    const exact_copy file{made};
    auto run = head_run::over(file.bytes(), "hostile", {});
    if (!run || run->header().first_ordinal != 0)
        return;
    stream_head found{};
    for (stream_id stream = 1; stream < 4; ++stream) {
        if (run->find_stream(stream, found) == head_lookup::present)
            demand(found.stream == stream);
        if (run->find_tag(stream, found) == head_lookup::present)
            demand(found.stream == stream);
    }
    for (const std::string_view name : {"", "a", "orders"}) {
        stream_id stream = 0;
        (void)run->find_name(name, stream);
    }
    const bool right = run->check_all().has_value();
    const head_runs runs{{std::make_shared<const head_run>(std::move(*run))}};
    const auto all = gather_heads(runs, nullptr);
    if (!all)
        return;
    demand(right);
    demand(all->slots.used() < all->slots.slots());
    demand(all->names.size() == runs.names());
}

}  // namespace pawl::test
