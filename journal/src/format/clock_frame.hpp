// The system frame that says how accurate the time stamps around it are.
#pragma once

#include "format/segment_layout.hpp"

#include <pawl/journal/detail/frame.hpp>

#include <cstdint>

namespace pawl::detail {

// The payload of a clock report.
struct clock_payload {
    std::uint8_t source;               // of the time stamps: a clock_source
    std::uint8_t synchronised;         // 1 if the kernel's clock follows another
    std::uint8_t reserved[6];          // zero
    std::uint64_t estimated_error_ns;  // the kernel's, like the next
    std::uint64_t maximum_error_ns;
    std::uint64_t tsc_hz;   // 0 unless the source is the time stamp counter
    std::int64_t drift_ns;  // of the counter against the system clock, since the last report
    std::uint64_t steps;    // of the system clock, seen since the writer was opened
};
static_assert(sizeof(clock_payload) == 48);
static_assert(offsetof(clock_payload, estimated_error_ns) == 8);
static_assert(offsetof(clock_payload, tsc_hz) == 24);
static_assert(offsetof(clock_payload, steps) == 40);
inline constexpr std::size_t clock_frame_bytes = frame_header_bytes + sizeof(clock_payload);
static_assert(clock_frame_bytes % frame_alignment == 0);

}  // namespace pawl::detail
