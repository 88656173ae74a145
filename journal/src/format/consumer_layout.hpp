// The bytes of a file in `consumers`, as FORMAT.md describes them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pawl::detail {

inline constexpr std::uint64_t consumer_magic = 0x31534e4f434c5750;  // "PWLCONS1"
inline constexpr std::size_t consumer_block_bytes = 4096;
inline constexpr std::size_t consumer_file_bytes = 2 * consumer_block_bytes;
inline constexpr std::size_t longest_consumer_name = 80;
inline constexpr std::size_t longest_selection = 2048;

// Of consumer_block::state. Set if the block is on stable storage before the other one is written.
inline constexpr std::uint64_t consumer_settled = 1;

struct consumer_block {
    std::uint64_t magic;
    std::uint32_t format_version;
    std::uint32_t block_bytes;
    std::uint64_t compatible;
    std::uint64_t read_compatible;
    std::uint64_t incompatible;
    std::uint8_t journal[16];  // that the log point was taken in
    std::uint8_t origin[16];
    std::uint64_t generation;  // the greater of two valid ones counts
    // The log point.
    std::uint64_t next_sequence;
    std::uint64_t content_hash;
    std::uint64_t frame_hash;
    std::uint64_t event_ns;      // time stamp of the event before it; 0 if there is none
    std::uint64_t committed_ns;  // when it was stored
    std::uint64_t state;
    // The process that last took the lease.
    std::uint64_t process;
    char host[64];
    char program[64];
    char boot[40];
    char name[96];
    std::uint64_t selection_hash;  // XXH3-64 of the text
    std::uint32_t selection_bytes;
    std::uint32_t reserved;
    char selection[longest_selection];  // what it reads, as text
    std::uint64_t zero[203];
    std::uint64_t checksum;  // XXH3-64 of the bytes before it
};
static_assert(sizeof(consumer_block) == consumer_block_bytes);
static_assert(offsetof(consumer_block, journal) == 40);
static_assert(offsetof(consumer_block, generation) == 72);
static_assert(offsetof(consumer_block, next_sequence) == 80);
static_assert(offsetof(consumer_block, state) == 120);
static_assert(offsetof(consumer_block, host) == 136);
static_assert(offsetof(consumer_block, name) == 304);
static_assert(offsetof(consumer_block, selection_hash) == 400);
static_assert(offsetof(consumer_block, selection) == 416);
static_assert(offsetof(consumer_block, checksum) == 4088);

}  // namespace pawl::detail
