// An event's metadata: entries of tag, length and value in front of the payload.
#pragma once

#include <pawl/journal/detail/frame.hpp>

#include <cstdint>
#include <span>

namespace pawl::detail {

struct metadata_entry {
    std::uint16_t tag;
    std::uint16_t flags;
    std::uint32_t value_bytes;  // the value follows, padded to 8
};
static_assert(sizeof(metadata_entry) == 8);

inline constexpr std::uint16_t metadata_critical =
    1;  // whoever does not know the tag must not go on
inline constexpr std::uint16_t metadata_last = 2;

enum class metadata_fault : std::uint8_t { none, does_not_fit, unknown_critical };

struct metadata_extent {
    metadata_fault fault = metadata_fault::none;
    std::uint32_t bytes = 0;
};

// Length of the metadata at the front of `body`, in time proportional to the number of entries.
// This version knows no tag.
[[nodiscard]] inline metadata_extent measure_metadata(std::span<const std::byte> body) noexcept {
    std::size_t at = 0;
    for (;;) {
        if (body.size() - at < sizeof(metadata_entry))
            return {metadata_fault::does_not_fit};
        metadata_entry entry{};
        std::memcpy(&entry, body.data() + at, sizeof entry);
        at += sizeof entry;
        const std::size_t value = padded(entry.value_bytes);
        if (value > body.size() - at)
            return {metadata_fault::does_not_fit};
        if ((entry.flags & metadata_critical) != 0)
            return {metadata_fault::unknown_critical};
        at += value;
        if ((entry.flags & metadata_last) != 0) {
            return {metadata_fault::none, static_cast<std::uint32_t>(at)};
        }
    }
}

}  // namespace pawl::detail
