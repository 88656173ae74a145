// The control file: live status and the durable watermark.
#include "store/control.hpp"

#include "format/hash.hpp"
#include "scratch_file.hpp"
#include "targets.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace pawl::test {

namespace {

using namespace detail;  // NOLINT(google-build-using-namespace): the parsers under test

// An input holds the bytes at the front of each block.
constexpr std::size_t block_input_bytes = 256;

void repair_control(std::span<std::byte> file, unsigned char what) {
    control_identity identity{};
    std::memcpy(&identity, file.data(), sizeof identity);
    if ((what & repair_identities) != 0) {
        identity.magic = control_magic;
        identity.format_version = 1;
        std::ranges::fill(identity.journal, std::uint8_t{0});
    }
    if ((what & repair_hashes) != 0) {
        identity.checksum = header_checksum(identity);
        for (const std::size_t block : {std::size_t{2}, std::size_t{3}}) {
            control_watermark mark{};
            std::byte* at = file.data() + block * control_block_bytes;
            std::memcpy(&mark, at, sizeof mark);
            mark.checksum = header_checksum(mark);
            std::memcpy(at, &mark, sizeof mark);
        }
    }
    std::memcpy(file.data(), &identity, sizeof identity);
}

}  // namespace

void fuzz_control(fuzz_input input) {
    if (input.empty())
        return;
    const auto what = static_cast<unsigned char>(input[0]);
    auto rest = input.subspan(1);
    std::array<std::byte, control_bytes> file{};
    for (std::size_t block = 0; block < 4 && !rest.empty(); ++block) {
        const auto part = rest.first(std::min(rest.size(), block_input_bytes));
        std::ranges::copy(part, file.begin() + static_cast<std::ptrdiff_t>(block * 4096));
        rest = rest.subspan(part.size());
    }
    repair_control(file, what);
    static const scratch_file scratch{"control"};
    // Also try a file that is too short.
    const std::size_t bytes = (what & 0x80) != 0 ? input.size() : file.size();
    demand(scratch.replace(std::span{file}.first(std::min(bytes, file.size()))));
    const auto view = control_view::open(scratch.directory(), {});
    if (!view)
        return;
    (void)view->durable();
    (void)view->published();
    (void)view->stored_watermark();
    demand(view->owner().size() <= 512);
}

}  // namespace pawl::test
