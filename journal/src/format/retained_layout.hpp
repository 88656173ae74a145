// The bytes of `retained`, as FORMAT.md describes them.
#pragma once

#include <pawl/journal/detail/frame.hpp>

#include <cstddef>
#include <cstdint>

namespace pawl::detail {

inline constexpr std::uint64_t retained_magic = 0x314e5445524c5750;  // "PWLRETN1"

struct retained_header {
    std::uint64_t magic;
    std::uint32_t format_version;
    std::uint32_t header_bytes;
    std::uint64_t compatible;
    std::uint64_t read_compatible;
    std::uint64_t incompatible;
    std::uint8_t journal[16];
    std::uint64_t first_ordinal;   // of the first segment that is kept
    std::uint64_t first_sequence;  // of its first frame
    // How the segment before it ended.
    std::uint64_t before_epoch;
    std::uint64_t before_offset;
    std::uint64_t before_hash;
    std::uint64_t before_successor_epoch;
    std::uint64_t before_type;
    // The log point and digest there.
    std::uint64_t content_hash;
    std::uint64_t frame_hash;
    std::uint64_t digest;
    std::uint64_t names_digest;   // of the names after the last event that was pruned
    std::uint64_t must_know;      // bit n: system frames of type n were among what was pruned
    std::uint64_t pruned_events;  // so far, as the next is
    std::uint64_t pruned_bytes;
    std::uint64_t pruned_ns;  // when the last prune was
    std::uint64_t streams;    // the body: heads of 24 bytes,
    std::uint64_t names;      // names as in `streams`,
    std::uint64_t name_bytes;
    std::uint64_t descriptions;  // and descriptions
    std::uint64_t description_bytes;
    std::uint64_t tags;           // heads of 24 bytes, behind those of streams,
    std::uint64_t commands;       // and commands behind those
    std::uint64_t body_checksum;  // XXH3-64 of everything after the header
    std::uint64_t checksum;       // XXH3-64 of the header before it
};
static_assert(sizeof(retained_header) == 248);
static_assert(offsetof(retained_header, first_ordinal) == 56);
static_assert(offsetof(retained_header, content_hash) == 112);
static_assert(offsetof(retained_header, streams) == 176);
static_assert(offsetof(retained_header, commands) == 224);
static_assert(offsetof(retained_header, checksum) == 240);

// A command that a writer may still have to remember. The oldest first.
struct retained_command {
    std::uint8_t id[16];
    std::uint64_t hash;  // of the command's bytes
    std::uint64_t first_sequence;
    std::uint64_t events;
};
static_assert(sizeof(retained_command) == 40);
static_assert(offsetof(retained_command, first_sequence) == 24);

// In front of a description's payload.
struct retained_description {
    std::uint64_t next_sequence;
    std::uint64_t timestamp_ns;
    std::uint64_t payload_bytes;  // the payload follows, padded to 8
};
static_assert(sizeof(retained_description) == 24);

}  // namespace pawl::detail
