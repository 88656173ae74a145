// The bytes of a sealed segment's index, as FORMAT.md describes them.
#pragma once

#include <pawl/journal/detail/frame.hpp>

#include <cstddef>
#include <cstdint>

namespace pawl::detail {

inline constexpr std::uint64_t index_magic = 0x3158444e494c5750;  // "PWLINDX1"

// A sealed segment's index: this header, then the marks, the stream heads, the offsets of name
// frames (u64 each) and the types.
struct index_header {
    std::uint64_t magic;
    std::uint32_t format_version;
    std::uint32_t header_bytes;
    std::uint8_t journal[16];
    std::uint64_t ordinal;
    std::uint64_t epoch;
    std::uint64_t first_sequence;
    std::uint64_t end_sequence;  // exclusive
    std::uint64_t end_offset;    // of the end frame
    std::uint64_t end_hash;      // of the end frame
    std::uint64_t successor_epoch;
    std::uint16_t end_type;  // system_type
    std::uint16_t reserved0;
    std::uint32_t reserved1;
    std::uint64_t min_timestamp_ns;
    std::uint64_t max_timestamp_ns;
    std::uint64_t marks;    // sparse entries behind the header
    std::uint64_t streams;  // stream heads behind the marks
    std::uint64_t names;    // name frames behind the heads
    std::uint64_t types;    // event types behind the names
    std::uint64_t reserved2[4];
    std::uint64_t body_checksum;  // XXH3-64 of everything behind the header
    std::uint64_t
        checksum;  // XXH3-64 of the header before it: enough to trust where the segment ends
};
static_assert(sizeof(index_header) == 192);
static_assert(offsetof(index_header, marks) == 112);
static_assert(offsetof(index_header, checksum) == 184);

struct index_mark {  // one about every index_stride bytes of frames, the first at the first frame
    std::uint64_t sequence;
    std::uint64_t offset;
    std::uint64_t max_timestamp_ns;  // running maximum before this frame
};
static_assert(sizeof(index_mark) == 24);
inline constexpr std::uint64_t index_stride = 32 << 10;

struct index_stream {  // sorted by stream
    std::uint64_t stream;
    std::uint64_t version;      // of its last event here
    std::uint64_t last_offset;  // of that event
};
static_assert(sizeof(index_stream) == 24);

struct index_type {  // sorted by type, then schema version
    std::uint16_t type;
    std::uint16_t schema_version;
    std::uint32_t reserved;
    std::uint64_t events;
};
static_assert(sizeof(index_type) == 16);

}  // namespace pawl::detail
