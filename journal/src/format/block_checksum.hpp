// Checksums of a derived file by block, so that a reader that probes it checks only the blocks that
// it touches.
#pragma once

#include "format/hash.hpp"
#include "os/assertion.hpp"

#include <pawl/journal/detail/frame.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace pawl::detail {

inline constexpr std::uint64_t checked_block_bytes = 4096;

[[nodiscard]] constexpr std::uint64_t checked_blocks(std::uint64_t bytes) noexcept {
    return bytes / checked_block_bytes + (bytes % checked_block_bytes != 0 ? 1 : 0);
}

// The checksum of a block that lies at `offset` in its file; the last block may be shorter. It
// depends on epoch and place: the right bytes in another place, or in a file derived from another
// segment, do not match it.
[[nodiscard]] inline std::uint64_t block_checksum_at(std::span<const std::byte> block,
                                                     std::uint64_t offset,
                                                     std::uint64_t epoch) noexcept {
    PAWL_ASSERT(offset % checked_block_bytes == 0 && block.size() <= checked_block_bytes);
    constexpr std::uint64_t spread = 0x9e3779b97f4a7c15;
    return hash_bytes(block.data(), block.size()) ^ mix64(epoch + offset * spread);
}

// The same for the block that begins at `offset` of a file that is in memory.
[[nodiscard]] inline std::uint64_t block_checksum(std::span<const std::byte> file,
                                                  std::uint64_t offset,
                                                  std::uint64_t epoch) noexcept {
    PAWL_ASSERT(offset % checked_block_bytes == 0 && offset < file.size());
    const auto bytes = std::min<std::uint64_t>(checked_block_bytes, file.size() - offset);
    return block_checksum_at(
        file.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(bytes)), offset,
        epoch);
}

}  // namespace pawl::detail
