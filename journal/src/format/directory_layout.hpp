// The bytes of journal.pawl and control, as FORMAT.md describes them.
#pragma once

#include <pawl/journal/detail/frame.hpp>

#include <cstddef>
#include <cstdint>

namespace pawl::detail {

inline constexpr std::uint64_t identity_magic = 0x314c4e524a4c5750;  // "PWLJRNL1"

struct identity {
    std::uint64_t magic;
    std::uint32_t format_version;
    std::uint32_t identity_bytes;
    std::uint64_t compatible;
    std::uint64_t read_compatible;
    std::uint64_t incompatible;
    std::uint8_t journal[16];
    std::uint64_t created_ns;
    std::uint64_t segment_bytes;
    std::uint8_t
        origin[16];  // id of the journal that this is a copy of; in an original, its own id
    std::uint64_t reserved[4];
    std::uint64_t checksum;  // XXH3-64 of the bytes before it
};
static_assert(sizeof(identity) == 128);
static_assert(offsetof(identity, journal) == 40);
static_assert(offsetof(identity, origin) == 72);
static_assert(offsetof(identity, checksum) == 120);

// Four blocks of 4 KiB: identity, live status, and two for the durable watermark, written
// alternately.
inline constexpr std::uint64_t control_magic = 0x3152544e434c5750;  // "PWLCNTR1"
inline constexpr std::size_t control_block_bytes = 4096;
inline constexpr std::size_t control_bytes = 4 * control_block_bytes;

struct control_identity {
    std::uint64_t magic;
    std::uint32_t format_version;
    std::uint32_t block_bytes;
    std::uint8_t journal[16];
    std::uint64_t checksum;
};
static_assert(sizeof(control_identity) == 40);

// Live values for readers and operators, stored without a sync. They prove nothing after a crash;
// `durable` may only limit which events a reader returns.
struct control_status {
    std::uint64_t durable;        // exclusive sequence
    std::uint64_t durable_check;  // mix64(durable ^ first 8 bytes of the journal id)
    std::uint64_t published;      // a lower bound
    std::uint64_t heartbeat_ns;   // since the Unix epoch
    std::uint64_t process;        // pid
    std::uint64_t state;          // control_state
    std::uint32_t wake;           // a futex: incremented when there is something new to read
    std::uint32_t os_error;       // of the sync that poisoned the writer
    char host[64];
    char program[64];
    char boot[40];
};
static_assert(offsetof(control_status, wake) == 48);
static_assert(sizeof(control_status) == 224);

// What the writer has done since it was opened, for operators: in the block of the live status,
// after it, and stored without a sync, too.
inline constexpr std::size_t control_statistics_offset = control_block_bytes + 256;
inline constexpr std::size_t sync_time_buckets = 24;
inline constexpr std::size_t most_counters = 48;
inline constexpr std::size_t counter_name_bytes = 40;

struct control_counter {
    char name[counter_name_bytes];  // zero-terminated
    std::uint64_t kind;             // pawl::counter_kind
    std::uint64_t value;
};
static_assert(sizeof(control_counter) == 56);

struct control_statistics {
    std::uint64_t opened_ns;  // since the Unix epoch; 0: there are no statistics
    std::uint64_t first_sequence;
    std::uint64_t appended_bytes;
    std::uint64_t rollovers;
    std::uint64_t back_pressure;
    std::uint64_t segments_ready;
    std::uint64_t shortage;  // errno of the last attempt to prepare a segment
    std::uint64_t populated_bytes;
    std::uint64_t streams;
    std::uint64_t syncs;
    std::uint64_t sync_ns;
    std::uint64_t longest_sync_ns;
    std::uint64_t sync_times[sync_time_buckets];  // bucket i: syncs of less than 2^i us; last: rest
    std::uint64_t counters_used;
    control_counter counters[most_counters];
};
static_assert(offsetof(control_statistics, sync_times) == 96);
static_assert(offsetof(control_statistics, counters_used) == 288);
static_assert(offsetof(control_statistics, counters) == 296);
static_assert(sizeof(control_statistics) == 2984);
static_assert(control_statistics_offset + sizeof(control_statistics) <= 2 * control_block_bytes);

enum class control_state : std::uint64_t { closed = 0, open = 1, poisoned = 2, disk_full = 3 };

struct control_watermark {
    std::uint64_t generation;  // the greater of two valid ones counts
    std::uint64_t durable;
    std::uint64_t
        checksum;  // XXH3-64 of the bytes before it, XOR the first 8 bytes of the journal id
};
static_assert(sizeof(control_watermark) == 24);

}  // namespace pawl::detail
