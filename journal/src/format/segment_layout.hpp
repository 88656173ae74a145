// The bytes of a segment around its frames: header and end, as FORMAT.md describes them.
#pragma once

#include <pawl/journal/detail/frame.hpp>

#include <cstddef>
#include <cstdint>

namespace pawl::detail {

// A program must know every type below first_skipped_type that it finds; it skips unknown types
// from there on.
enum class system_type : std::uint16_t {
    rolled = 1,       // the segment is full; its successor is durable in the directory
    closed = 2,       // a clean end, everything before it durable
    cut = 3,          // a recovery ended the segment here
    stream_name = 4,  // payload: the name of stream `stream`
    description = 5,  // payload: what the payload of an event type means (description_payload)
    clock_report = 0x8001,  // payload: how accurate the time stamps are (clock_payload)
};

inline constexpr std::uint16_t first_skipped_type = 0x8000;

// In a mask of system types: bit n stands for type n.
[[nodiscard]] constexpr std::uint64_t bit_of(system_type type) noexcept {
    return std::uint64_t{1} << static_cast<unsigned>(type);
}
// Those that this program understands, of those that a program must.
inline constexpr std::uint64_t understood_system_types =
    bit_of(system_type::rolled) | bit_of(system_type::closed) | bit_of(system_type::cut) |
    bit_of(system_type::stream_name) | bit_of(system_type::description);

struct end_payload {
    std::uint64_t successor_epoch;  // of rolled; else 0
    std::uint64_t first_sequence;   // of the segment's first frame
    std::uint64_t events;           // in this segment
    std::uint64_t lost_about;  // cut: published events that were not recovered, as far as known
    std::uint64_t torn_bytes;  // cut: from here to the last byte that was not zero, plus those of
                               // every later segment
};
static_assert(sizeof(end_payload) == 40);
inline constexpr std::size_t end_frame_bytes = frame_header_bytes + sizeof(end_payload);
static_assert(end_frame_bytes % frame_alignment == 0);

inline constexpr std::uint64_t segment_magic = 0x31304745534c5750;  // "PWLSEG01"
inline constexpr std::size_t header_copy_offset = 4096;
inline constexpr std::size_t first_frame_offset = 8192;
inline constexpr std::uint64_t min_segment_bytes = std::uint64_t{64} << 10;
inline constexpr std::uint64_t max_segment_bytes = std::uint64_t{4} << 30;

struct segment_header {
    std::uint64_t magic;
    std::uint32_t format_version;
    std::uint32_t header_bytes;
    std::uint64_t compatible;       // an older program may read and write
    std::uint64_t read_compatible;  // may only read
    std::uint64_t incompatible;     // must refuse
    std::uint8_t journal[16];
    std::uint64_t ordinal;
    std::uint64_t epoch;  // random, never 0
    std::uint64_t segment_bytes;
    std::uint64_t created_ns;
    // The end of the previous segment, if an open or a recovery created this one. Epoch 0 if it was
    // prepared ahead of time or is the first.
    std::uint64_t predecessor_epoch;
    std::uint64_t predecessor_end_offset;  // of the end frame
    std::uint64_t predecessor_end_hash;    // of the end frame; 0 after a cut, which is stored later
    std::uint64_t start_sequence;          // only with a predecessor_epoch
    std::uint64_t reserved[16];            // zero
    std::uint64_t checksum;                // XXH3-64 of the bytes before it
};
static_assert(sizeof(segment_header) == 256);
static_assert(offsetof(segment_header, journal) == 40);
static_assert(offsetof(segment_header, epoch) == 64);
static_assert(offsetof(segment_header, start_sequence) == 112);
static_assert(offsetof(segment_header, checksum) == 248);

}  // namespace pawl::detail
