// The bytes of a run of stream heads, as FORMAT.md describes them.
#pragma once

#include <pawl/journal/detail/frame.hpp>

#include <cstddef>
#include <cstdint>

namespace pawl::detail {

inline constexpr std::uint64_t heads_magic = 0x31444145484c5750;  // "PWLHEAD1"

// Followed, from byte 4096, by three open-addressing tables (of streams, of tags, of names), the
// names, and a checksum for each block of all that.
struct heads_header {
    std::uint64_t magic;
    std::uint32_t format_version;
    std::uint32_t header_bytes;
    std::uint8_t journal[16];
    std::uint64_t ordinal;       // the run ends with this segment,
    std::uint64_t epoch;         // which has this epoch
    std::uint64_t end_sequence;  // exclusive
    std::uint64_t slots;
    std::uint64_t streams;
    std::uint64_t names;
    std::uint64_t name_bytes;
    std::uint64_t tag_slots;  // 0 if there are no tags
    std::uint64_t tags;
    std::uint64_t name_slots;      // 0 if there are no names
    std::uint64_t first_ordinal;   // the run begins with this segment; 0: with the journal
    std::uint64_t epoch_before;    // of the segment before that; 0 if there is none
    std::uint64_t streams_so_far;  // of the journal up to the end of the run
    std::uint64_t reserved[6];
    std::uint64_t checksum;  // XXH3-64 of the header before it
};
static_assert(sizeof(heads_header) == 192);
static_assert(offsetof(heads_header, tag_slots) == 88);
static_assert(offsetof(heads_header, name_slots) == 104);
static_assert(offsetof(heads_header, streams_so_far) == 128);
static_assert(offsetof(heads_header, checksum) == 184);
inline constexpr std::size_t heads_entries_offset = 4096;

// Also what is known of a tag: its number, one more than the sequence of the last event that names
// it, and where that event lies. And of a name: its hash, the stream that it was assigned to, and
// where it lies among the names.
struct stream_head {  // stream 0 marks an empty slot
    std::uint64_t stream;
    std::uint64_t version;
    std::uint64_t last;  // ordinal << 32 | offset / 8
};
static_assert(sizeof(stream_head) == 24);

}  // namespace pawl::detail
