// The golden journals: what is in them, and the bytes that FORMAT.md says they are.
#pragma once

#include "encoder.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace golden {

inline constexpr std::uint64_t segment_bytes = 65536;
inline constexpr std::uint64_t created_ns = 1'700'000'000'000'000'000;  // 2023-11-14 22:13:20 UTC
inline constexpr std::uint64_t first_named = std::uint64_t{1} << 63;

// Types and flags of §4 and §7.
inline constexpr std::uint16_t rolled = 1;
inline constexpr std::uint16_t closed = 2;
inline constexpr std::uint16_t cut = 3;
inline constexpr std::uint16_t stream_name = 4;
inline constexpr std::uint16_t description = 5;
inline constexpr std::uint16_t clock_report = 0x8001;
inline constexpr std::uint8_t system_flag = 0x01;
inline constexpr std::uint8_t batch_first = 0x02;
inline constexpr std::uint8_t batch_middle = 0x04;
inline constexpr std::uint8_t batch_last = 0x08;
inline constexpr std::uint8_t with_metadata = 0x10;

struct golden_file {
    std::string path;  // below tests/golden/files
    std::string bytes;
};

// An event of a scene and where it lies.
struct placed_frame {
    std::uint64_t ordinal;
    std::uint64_t offset;
    frame_fields fields;
};

struct scene {
    std::string name;
    std::string_view journal;             // its id
    std::vector<std::uint64_t> epochs{};  // of its segments
    std::vector<placed_frame> events{};
    std::vector<golden_file> files{};
};

// Two segments, the first rolled, the second closed: the firehose, numbered and named streams, a
// batch of three, a clock that steps back, a frame of 32 KiB, indexes, heads and a control page.
[[nodiscard]] scene make_rolled();
// A journal that was cut, continued and closed, and then opened and closed again without an event.
[[nodiscard]] scene make_cut();
// What a crash left: two whole events, the second half of a third, and a segment prepared ahead.
[[nodiscard]] scene make_torn();
// What is said about events: a clock report, descriptions of an event type, the second in place of
// the first, and every standard entry of metadata.
[[nodiscard]] scene make_described();
// A journal whose first segment was pruned.
[[nodiscard]] scene make_pruned();
// Commands: two in one batch, of which the first led to two events, one that led to none, and a
// segment without any.
[[nodiscard]] scene make_commands();
// All of these, and those that were closed.
[[nodiscard]] std::vector<scene> all_scenes();
[[nodiscard]] std::vector<scene> closed_scenes();

// A file as it is committed: segments and control without the zeros at their end.
[[nodiscard]] std::string_view committed(const golden_file& file);

}  // namespace golden
