// An event's metadata: entries of tag, length and value in front of the payload.
#pragma once

#include <pawl/journal/detail/frame.hpp>

#include <cstdint>
#include <span>
#include <string_view>

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

// How the body of an event's frame is to be read.
struct frame_view {
    std::uint32_t metadata_bytes = 0;  // in front of the payload
    std::string_view fault{};          // why it cannot be; empty where it can
};

// Of a frame that was checked. A payload with an encoding, or metadata that this version does not
// understand, was written by a later one.
[[nodiscard]] inline frame_view view_frame(const std::byte* frame, commit_word word) noexcept {
    if ((word.flags() & (flag::metadata | flag::encoding_mask)) == 0) [[likely]]
        return {};
    if ((word.flags() & flag::encoding_mask) != 0)
        return {.fault = "the payload has an encoding this version cannot read"};
    const auto extent =
        measure_metadata({frame + frame_header_bytes, word.frame_bytes() - frame_header_bytes});
    if (extent.fault == metadata_fault::does_not_fit)
        return {.fault = "the metadata does not fit its frame"};
    if (extent.fault == metadata_fault::unknown_critical)
        return {.fault = "metadata with an unknown critical tag"};
    return {.metadata_bytes = extent.bytes};
}

}  // namespace pawl::detail
