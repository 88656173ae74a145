// The bytes of a sealed segment's index, as FORMAT.md describes them.
#pragma once

#include <pawl/journal/detail/frame.hpp>

#include <cstddef>
#include <cstdint>

namespace pawl::detail {

inline constexpr std::uint64_t index_magic = 0x3158444e494c5750;  // "PWLINDX1"

// A sealed segment's index consists of this header, the table of sections, the sections, and a
// checksum for each block of all that. The header alone is enough to know where the segment ends.
struct index_header {
    std::uint64_t magic;
    std::uint32_t format_version;
    std::uint32_t header_bytes;
    std::uint64_t compatible;
    std::uint64_t read_compatible;
    std::uint64_t incompatible;
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
    std::uint32_t sections;      // entries of the table that follows the header
    std::uint64_t system_types;  // bit t: the segment has a system frame of type t
    std::uint64_t min_timestamp_ns;
    std::uint64_t max_timestamp_ns;
    std::uint64_t checksums_offset;  // the sections end here and the block checksums begin
    // Segments back to the last one before this that holds a command; 0: none.
    std::uint32_t commands_back;
    std::uint32_t reserved1;
    std::uint64_t reserved2[11];
    std::uint64_t checksum;  // XXH3-64 of the header before it
};
static_assert(sizeof(index_header) == 256);
static_assert(offsetof(index_header, journal) == 40);
static_assert(offsetof(index_header, end_type) == 112);
static_assert(offsetof(index_header, sections) == 116);
static_assert(offsetof(index_header, checksums_offset) == 144);
static_assert(offsetof(index_header, commands_back) == 152);
static_assert(offsetof(index_header, checksum) == 248);

// What a section holds. Kinds 7 and 8 are reserved for descriptions and the digest of the segment.
// A segment without commands or tags has no section for them.
enum class index_section_kind : std::uint16_t {
    marks = 1,
    streams = 2,
    names = 3,
    types = 4,
    tags = 5,
    commands = 6,
    postings = 9,
};

// A reader that does not know a section's kind may skip it unless this flag is set.
inline constexpr std::uint16_t section_must_be_known = 1;

struct index_section {  // ascending by kind
    std::uint16_t kind;
    std::uint16_t flags;
    std::uint32_t entry_bytes;
    std::uint64_t count;
    std::uint64_t offset;  // in the file, a multiple of 8
    std::uint64_t bytes;
};
static_assert(sizeof(index_section) == 32);
static_assert(offsetof(index_section, offset) == 16);

struct index_mark {  // one for about every index_stride bytes, beginning at the first frame
    std::uint64_t sequence;
    std::uint64_t offset;
    std::uint64_t max_timestamp_ns;  // running maximum before this frame
};
static_assert(sizeof(index_mark) == 24);
inline constexpr std::uint64_t index_stride = 32 << 10;

struct index_stream {  // sorted by stream
    std::uint64_t stream;
    std::uint64_t version;        // of its last event here
    std::uint32_t last;           // offset of that event / 8
    std::uint32_t segments_back;  // to the previous segment that holds the stream; 0: none

    [[nodiscard]] constexpr std::uint64_t last_offset() const noexcept {
        return std::uint64_t{last} * frame_alignment;
    }
};
static_assert(sizeof(index_stream) == 24);
static_assert(offsetof(index_stream, segments_back) == 20);

struct indexed_name {      // sorted by hash, then offset
    std::uint64_t hash;    // XXH3-64 of the name
    std::uint64_t offset;  // of the name frame
};
static_assert(sizeof(indexed_name) == 16);

struct index_type {  // sorted by type, then schema version
    std::uint16_t type;
    std::uint16_t schema_version;
    std::uint32_t reserved;
    std::uint64_t events;
    std::uint64_t first_sequence;  // of its events here
    std::uint64_t last_sequence;
    std::uint64_t min_timestamp_ns;
    std::uint64_t max_timestamp_ns;
};
static_assert(sizeof(index_type) == 48);
static_assert(offsetof(index_type, max_timestamp_ns) == 40);

struct index_tag {  // sorted by tag
    std::uint64_t tag;
    std::uint32_t first;     // its first entry in the section of postings,
    std::uint32_t postings;  // and how many it has, at least one
};
static_assert(sizeof(index_tag) == 16);
static_assert(offsetof(index_tag, postings) == 12);

// One of a tag's events: its offset / 8. Those of a tag ascend, and lie behind those of the tag
// before it.
using index_posting = std::uint32_t;

struct index_command {  // ascending by first sequence
    std::uint8_t id[16];
    std::uint64_t hash;  // of the command's bytes
    std::uint64_t first_sequence;
    std::uint32_t first;   // offset of its first event / 8
    std::uint32_t events;  // that follow each other in one batch

    [[nodiscard]] constexpr std::uint64_t first_offset() const noexcept {
        return std::uint64_t{first} * frame_alignment;
    }
};
static_assert(sizeof(index_command) == 40);
static_assert(offsetof(index_command, first_sequence) == 24);
static_assert(offsetof(index_command, events) == 36);

}  // namespace pawl::detail
