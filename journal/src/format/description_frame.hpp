// The system frame that describes an event type.
#pragma once

#include "format/frame_check.hpp"
#include "os/assertion.hpp"

#include <pawl/journal/detail/frame.hpp>

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace pawl::detail {

// The front of the payload. The name follows, zero-padded to a multiple of 8, and then the bytes of
// the description, up to the end of the payload.
struct description_payload {
    std::uint16_t type;
    std::uint16_t schema_version;
    std::uint32_t name_bytes;
};
static_assert(sizeof(description_payload) == 8);
static_assert(offsetof(description_payload, name_bytes) == 4);

inline constexpr std::size_t longest_description_name = 1024;

struct described_type {
    std::uint16_t type = 0;
    std::uint16_t schema_version = 0;
    std::string_view name;             // points into the segment, like `bytes`
    std::span<const std::byte> bytes;  // 8-byte aligned
};

[[nodiscard]] inline bool is_description(commit_word word) noexcept {
    return word.is_system() && classify_system(word) == system_class::description;
}

// The contents of a checked description frame; nullopt if the name runs past the end of the frame.
[[nodiscard]] inline std::optional<described_type> read_description(const std::byte* frame,
                                                                    commit_word word) noexcept {
    PAWL_ASSERT(is_description(word));
    const std::size_t payload_bytes = word.frame_bytes() - frame_header_bytes;
    const std::byte* payload = frame + frame_header_bytes;
    description_payload front{};
    if (payload_bytes < sizeof front)
        return std::nullopt;
    std::memcpy(&front, payload, sizeof front);
    if (front.name_bytes == 0 || front.name_bytes > longest_description_name ||
        padded(front.name_bytes) > payload_bytes - sizeof front) {
        return std::nullopt;
    }
    const std::size_t skip = sizeof front + padded(front.name_bytes);
    return described_type{
        .type = front.type,
        .schema_version = front.schema_version,
        .name = {reinterpret_cast<const char*>(payload + sizeof front), front.name_bytes},
        .bytes = {payload + skip, payload_bytes - skip}};
}

}  // namespace pawl::detail
