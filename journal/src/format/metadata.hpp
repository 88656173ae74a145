// An event's metadata: entries of tag, length and value before the payload.
#pragma once

#include "os/assertion.hpp"

#include <pawl/journal/detail/frame.hpp>
#include <pawl/journal/metadata.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace pawl::detail {

// What precedes each value. The value is padded to a multiple of 8 bytes.
struct metadata_prefix {
    std::uint16_t tag;
    std::uint16_t flags;
    std::uint32_t value_bytes;
};
static_assert(sizeof(metadata_prefix) == metadata_prefix_bytes);
static_assert(offsetof(metadata_prefix, flags) == 2);
static_assert(offsetof(metadata_prefix, value_bytes) == 4);

enum class metadata_fault : std::uint8_t {
    none,
    does_not_fit,
    unknown_critical,
    bad_order,  // Pawl's own tags do not ascend
    bad_value,  // not a value that the tag allows
};

[[nodiscard]] constexpr std::string_view to_string(metadata_fault fault) noexcept {
    switch (fault) {
        case metadata_fault::none:
            return {};
        case metadata_fault::does_not_fit:
            return "the metadata does not fit its frame";
        case metadata_fault::unknown_critical:
            return "metadata with an unknown critical tag";
        case metadata_fault::bad_order:
            return "metadata whose standard tags do not ascend from 1";
        case metadata_fault::bad_value:
            return "metadata with a value that its tag does not allow";
    }
    return "unknown fault";
}

[[nodiscard]] constexpr bool is_known(metadata_tag tag) noexcept {
    return tag >= metadata_tag::command && tag <= metadata_tag::subjects;
}

[[nodiscard]] inline bool tags_ascend(std::span<const std::byte> value) noexcept {
    constexpr std::size_t most_tags = 16;
    const number_list numbers{value};
    if (numbers.empty() || numbers.size() > most_tags)
        return false;
    std::uint64_t before = 0;
    for (std::size_t i = 0; i < numbers.size(); before = numbers[i], ++i) {
        if (numbers[i] <= before)
            return false;
    }
    return true;
}

// Whether one of Pawl's own tags may have this value. Other tags may have any value.
[[nodiscard]] inline bool value_fits(metadata_tag tag, std::span<const std::byte> value) noexcept {
    constexpr std::size_t id_bytes = 16;
    constexpr std::size_t trace_bytes = 25;
    constexpr std::size_t number_bytes = sizeof(std::uint64_t);
    switch (tag) {
        case metadata_tag::command:
            return value.size() == id_bytes + number_bytes;
        case metadata_tag::correlation:
        case metadata_tag::causation:
            return value.size() == id_bytes;
        case metadata_tag::trace:
            return value.size() >= trace_bytes;
        case metadata_tag::actor:
            return true;
        case metadata_tag::source_time:
            return value.size() == number_bytes;
        case metadata_tag::tags:
            return value.size() % number_bytes == 0 && tags_ascend(value);
        case metadata_tag::subjects:
            return value.size() % number_bytes == 0 && !value.empty();
    }
    return true;
}

// Checks the entries of one event, in order.
class metadata_rules {
  public:
    [[nodiscard]] metadata_fault check(metadata_tag tag, bool critical,
                                       std::span<const std::byte> value) noexcept {
        const auto number = static_cast<std::uint16_t>(tag);
        if (critical && !is_known(tag))
            return metadata_fault::unknown_critical;
        if (number >= first_application_tag)
            return metadata_fault::none;
        if (number <= last_)
            return metadata_fault::bad_order;
        last_ = number;
        return value_fits(tag, value) ? metadata_fault::none : metadata_fault::bad_value;
    }

  private:
    std::uint16_t last_ = 0;  // of Pawl's own tags so far
};

struct metadata_extent {
    metadata_fault fault = metadata_fault::none;
    std::uint32_t bytes = 0;
};

// Length of the metadata at the front of `body`, in time proportional to the number of entries.
[[nodiscard]] inline metadata_extent measure_metadata(std::span<const std::byte> body) noexcept {
    PAWL_ASSERT(body.size() <= max_frame_bytes);
    metadata_rules rules;
    std::size_t at = 0;
    for (;;) {
        if (body.size() - at < sizeof(metadata_prefix))
            return {metadata_fault::does_not_fit};
        metadata_prefix entry{};
        std::memcpy(&entry, body.data() + at, sizeof entry);
        at += sizeof entry;
        const std::size_t padded_value = padded(entry.value_bytes);
        if (padded_value > body.size() - at)
            return {metadata_fault::does_not_fit};
        const metadata_fault fault = rules.check(static_cast<metadata_tag>(entry.tag),
                                                 (entry.flags & metadata_critical) != 0,
                                                 body.subspan(at, entry.value_bytes));
        if (fault != metadata_fault::none)
            return {fault};
        at += padded_value;
        if ((entry.flags & metadata_last) != 0) {
            return {metadata_fault::none, static_cast<std::uint32_t>(at)};
        }
    }
}

// Stores an entry and returns where the next one begins.
inline std::byte* store_entry(std::byte* to, const metadata_entry& entry, bool last) noexcept {
    PAWL_ASSERT(reinterpret_cast<std::uintptr_t>(to) % frame_alignment == 0);
    PAWL_ASSERT(entry.value.size() <= max_frame_bytes);
    const metadata_prefix prefix{
        .tag = static_cast<std::uint16_t>(entry.tag),
        .flags = static_cast<std::uint16_t>((entry.critical ? metadata_critical : 0) |
                                            (last ? metadata_last : 0)),
        .value_bytes = static_cast<std::uint32_t>(entry.value.size())};
    std::memcpy(to, &prefix, sizeof prefix);
    to += sizeof prefix;
    if (entry.value.empty())
        return to;
    const std::size_t padded_value = padded(entry.value.size());
    // Zero the last word; the value then overwrites what is not padding.
    store_u64(to + padded_value - frame_alignment, 0);
    std::memcpy(to, entry.value.data(), entry.value.size());
    return to + padded_value;
}

// How many of the entries stand before the event's tags: all up to the last of Pawl's own that is
// smaller.
[[nodiscard]] inline std::size_t entries_before_tags(
    std::span<const metadata_entry> entries) noexcept {
    std::size_t before = entries.size();
    while (before != 0 && entries[before - 1].tag >= metadata_tag::tags)
        --before;
    return before;
}

// Stores the entries at `to`, and the tags, if there are any, as one more. There is room for all.
inline void store_metadata(std::byte* to, std::span<const metadata_entry> entries,
                           std::span<const std::uint64_t> tags) noexcept {
    PAWL_ASSERT(tags.empty() || tags_ascend(std::as_bytes(tags)));
    const std::size_t before = tags.empty() ? entries.size() : entries_before_tags(entries);
    PAWL_ASSERT(before == entries.size() || entries[before].tag != metadata_tag::tags);
    for (const metadata_entry& entry : entries.first(before))
        to = store_entry(to, entry, tags.empty() && &entry == &entries.back());
    if (tags.empty())
        return;
    const metadata_entry own{.tag = metadata_tag::tags, .value = std::as_bytes(tags)};
    to = store_entry(to, own, before == entries.size());
    for (const metadata_entry& entry : entries.subspan(before))
        to = store_entry(to, entry, &entry == &entries.back());
}

// How to read the body of an event's frame.
struct frame_view {
    std::uint32_t metadata_bytes = 0;  // before the payload
    std::string_view fault{};          // why it cannot be read; empty if it can
};

// For a frame that was checked. A later version wrote a payload with an encoding, or metadata that
// this version does not understand.
[[nodiscard]] inline frame_view view_frame(const std::byte* frame, commit_word word) noexcept {
    if ((word.flags() & (flag::metadata | flag::encoding_mask)) == 0) [[likely]]
        return {};
    if ((word.flags() & flag::encoding_mask) != 0)
        return {.fault = "the payload has an encoding this version cannot read"};
    const auto extent =
        measure_metadata({frame + frame_header_bytes, word.frame_bytes() - frame_header_bytes});
    PAWL_ASSERT(extent.bytes <= word.frame_bytes() - frame_header_bytes);
    return {.metadata_bytes = extent.bytes, .fault = to_string(extent.fault)};
}

// The tags of an event whose frame was checked; none if its metadata is malformed.
[[nodiscard]] inline number_list tags_in(const std::byte* frame, commit_word word) noexcept {
    if ((word.flags() & flag::metadata) == 0)
        return {};
    const frame_view view = view_frame(frame, word);
    if (!view.fault.empty())
        return {};
    return metadata_view{{frame + frame_header_bytes, view.metadata_bytes}}.tags();
}

}  // namespace pawl::detail
