// A snapshot: its header, its payload, and its description of itself.
#include "scratch_file.hpp"
#include "snapshot/snapshot_file.hpp"
#include "targets.hpp"

#include <xxhash.h>

#include <pawl/replay/snapshot_store.hpp>

#include <algorithm>
#include <cstring>
#include <vector>

namespace pawl::test {

namespace {

using namespace detail;  // NOLINT(google-build-using-namespace): the parsers under test

void repair_snapshot(std::span<std::byte> bytes, unsigned char what) {
    snapshot_header header{};
    if (bytes.size() < sizeof header)
        return;
    std::memcpy(&header, bytes.data(), sizeof header);
    const auto payload = bytes.subspan(sizeof header);
    if ((what & repair_identities) != 0) {
        header.magic = snapshot_magic;
        header.format_version = 1;
        header.header_bytes = sizeof header;
        header.payload_bytes = payload.size();
    }
    if ((what & repair_hashes) != 0) {
        header.payload_hash = XXH3_64bits(payload.data(), payload.size());
        header.checksum = XXH3_64bits(&header, offsetof(snapshot_header, checksum));
    }
    std::memcpy(bytes.data(), &header, sizeof header);
}

}  // namespace

void fuzz_snapshot(fuzz_input input) {
    if (input.empty())
        return;
    const exact_copy copy{input.subspan(1)};
    repair_snapshot(copy.bytes(), static_cast<unsigned char>(input[0]));
    static const scratch_file scratch{"state-1-0.snap"};
    demand(scratch.replace(copy.bytes()));
    const auto reader = snapshot_reader::open(scratch.path());
    if (!reader)
        return;
    demand(reader->header().payload_bytes == copy.bytes().size() - sizeof(snapshot_header));
    std::vector<std::byte> payload(reader->header().payload_bytes);
    (void)reader->read_payload(payload);
}

}  // namespace pawl::test
