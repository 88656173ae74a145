// `retained`: what it says of the pruned part of a log goes into the writer's tables and into every
// cursor that opens the journal.
#include "store/retained.hpp"

#include "format/hash.hpp"
#include "targets.hpp"

#include <algorithm>
#include <cstring>

namespace pawl::test {

namespace {

using namespace detail;  // NOLINT(google-build-using-namespace): the parsers under test

void repair_retained(std::span<std::byte> file, unsigned char what) {
    if (file.size() < sizeof(retained_header))
        return;
    retained_header header{};
    std::memcpy(&header, file.data(), sizeof header);
    const auto body = file.subspan(sizeof header);
    if ((what & repair_identities) != 0) {
        header.magic = retained_magic;
        header.format_version = 1;
        header.incompatible = 0;
        header.must_know = 0;
        std::ranges::fill(header.journal, std::uint8_t{0});
    }
    if ((what & repair_hashes) != 0) {
        header.body_checksum = hash_bytes(body.data(), body.size());
        header.checksum = header_checksum(header);
    }
    std::memcpy(file.data(), &header, sizeof header);
}

}  // namespace

void fuzz_retained(fuzz_input input) {
    if (input.empty())
        return;
    const exact_copy file{input.subspan(1)};
    repair_retained(file.bytes(), static_cast<unsigned char>(input[0]));
    const auto kept = parse_retained(file.bytes(), "hostile", {});
    if (!kept)
        return;
    demand(kept->begin.is_pruned());
    // What was parsed came out of the file, so it takes no more memory than a few times its size.
    demand(kept->streams.size() * sizeof(stream_head) <= file.bytes().size());
    demand(kept->tags.size() * sizeof(stream_head) <= file.bytes().size());
    demand(kept->commands.size() * sizeof(retained_command) <= file.bytes().size());
    demand(kept->names.size() <= file.bytes().size());
    demand(kept->descriptions.size() <= file.bytes().size());
    const auto heads = heads_of(*kept, 0);
    demand(heads.has_value() && heads->slots.used() == kept->streams.size());
    demand(heads->tags.used() == kept->tags.size());
    for (const stream_head& each : kept->streams) {
        const stream_head* found = heads->slots.find(each.stream);
        demand(found != nullptr && found->version == each.version);
    }
}

}  // namespace pawl::test
