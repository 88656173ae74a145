// The bytes of a snapshot file, as replay/FORMAT.md describes them. Little-endian.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace pawl::detail {

static_assert(std::endian::native == std::endian::little);

inline constexpr std::uint64_t snapshot_magic = 0x3150414e534c5750;  // "PWLSNAP1"
inline constexpr std::uint32_t snapshot_format_version = 1;
inline constexpr std::size_t max_snapshot_name = 32;

// Followed by the payload, up to the end of the file.
struct snapshot_header {
    std::uint64_t magic;
    std::uint32_t format_version;
    std::uint32_t header_bytes;
    std::uint8_t journal[16];     // in which the log point was taken
    std::uint8_t origin[16];      // of that journal: the one it is a copy of, or itself
    std::uint64_t next_sequence;  // the log point
    std::uint64_t content_hash;
    std::uint64_t frame_hash;
    std::uint64_t log_digest;
    std::uint64_t payload_bytes;
    std::uint64_t payload_hash;  // XXH3-64
    std::uint64_t created_ns;
    std::uint32_t state_version;
    std::uint32_t reserved0;
    char name[max_snapshot_name];  // zero-padded
    std::uint64_t reserved1[5];
    std::uint64_t checksum;  // XXH3-64 of the bytes before it
};
static_assert(sizeof(snapshot_header) == 192);
static_assert(offsetof(snapshot_header, journal) == 16);
static_assert(offsetof(snapshot_header, origin) == 32);
static_assert(offsetof(snapshot_header, next_sequence) == 48);
static_assert(offsetof(snapshot_header, log_digest) == 72);
static_assert(offsetof(snapshot_header, payload_bytes) == 80);
static_assert(offsetof(snapshot_header, state_version) == 104);
static_assert(offsetof(snapshot_header, name) == 112);
static_assert(offsetof(snapshot_header, checksum) == 184);

// Alignment of a payload in memory.
inline constexpr std::size_t snapshot_alignment = 64;

}  // namespace pawl::detail
