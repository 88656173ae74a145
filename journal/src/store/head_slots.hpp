// The version and last position of every stream: an open-addressing table in flat memory, laid out
// as in a run of stream heads.
#pragma once

#include "format/heads_layout.hpp"
#include "os/assertion.hpp"
#include "os/page_memory.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace pawl::detail {

[[nodiscard]] constexpr std::uint64_t pack_position(std::uint64_t ordinal,
                                                    std::uint64_t offset) noexcept {
    PAWL_ASSERT(ordinal >> 32 == 0);
    PAWL_ASSERT(offset % frame_alignment == 0 && offset / frame_alignment >> 32 == 0);
    return ordinal << 32 | offset / frame_alignment;
}
[[nodiscard]] constexpr log_position unpack_position(std::uint64_t packed) noexcept {
    return {packed >> 32, (packed & 0xffffffff) * frame_alignment};
}

class head_slots {
  public:
    head_slots() noexcept = default;
    head_slots(head_slots&& other) noexcept;
    head_slots& operator=(head_slots&& other) noexcept;
    ~head_slots() = default;

    // An empty table in fresh memory whose pages are present.
    [[nodiscard]] static result<head_slots> make(std::uint64_t slots);
    // The table at the beginning of a checked file's entries.
    [[nodiscard]] static head_slots over(page_memory entries, std::uint64_t slots,
                                         std::uint64_t used) noexcept;

    // The same over memory that the caller keeps.
    [[nodiscard]] static head_slots at(std::byte* entries, std::uint64_t slots,
                                       std::uint64_t used) noexcept;

    [[nodiscard]] std::uint64_t slots() const noexcept { return slots_; }
    [[nodiscard]] std::uint64_t used() const noexcept { return used_; }
    [[nodiscard]] bool wants_to_grow() const noexcept { return used_ * 4 >= slots_ * 3; }
    // A search ends at a free slot, so one is kept, however small the table is.
    [[nodiscard]] bool is_full() const noexcept {
        return used_ * 16 >= slots_ * 15 || used_ + 1 >= slots_;
    }

    // Null if the stream is not in the table.
    [[nodiscard]] stream_head* find(stream_id stream) const noexcept {
        if (slots_ == 0)
            return nullptr;
        for (std::uint64_t at = begin_search(stream);; at = at + 1 == slots_ ? 0 : at + 1) {
            if (table_[at].stream == stream)
                return &table_[at];
            if (table_[at].stream == no_stream_id)
                return nullptr;
        }
    }
    // The stream's slot, with version 0 if the stream is new; null if the table is full.
    [[nodiscard]] stream_head* find_or_insert(stream_id stream) noexcept {
        if (slots_ == 0)
            return nullptr;
        for (std::uint64_t at = begin_search(stream);; at = at + 1 == slots_ ? 0 : at + 1) {
            if (table_[at].stream == stream)
                return &table_[at];
            if (table_[at].stream != no_stream_id)
                continue;
            if (is_full())
                return nullptr;
            ++used_;
            PAWL_ASSERT(used_ < slots_);
            table_[at] = {.stream = stream, .version = 0, .last = 0};
            return &table_[at];
        }
    }

    // Removes the stream. Entries after it may move, so pointers to them are no longer valid.
    void erase(stream_id stream) noexcept;

    [[nodiscard]] std::span<const stream_head> all() const noexcept { return {table_, slots_}; }
    // A copy with twice as many slots.
    [[nodiscard]] result<head_slots> grown() const { return copy_with(slots_ * 2); }
    // A copy with so many slots, which must be enough.
    [[nodiscard]] result<head_slots> copy_with(std::uint64_t slots) const;
    // Like find_or_insert, but a larger table takes the place of one that fills up. Null without
    // memory for it.
    [[nodiscard]] stream_head* find_or_grow(stream_id stream);

    // The slot at which the search for a stream begins, in a table of this many: a 64-bit hash
    // scaled to the number of slots, so that any number of slots will do.
    [[nodiscard]] static std::uint64_t home(stream_id stream, std::uint64_t slots) noexcept {
        __extension__ using wide = unsigned __int128;
        return static_cast<std::uint64_t>(static_cast<wide>(mix64(stream)) * slots >> 64);
    }

  private:
    // Where the search for a stream begins. Since slots are not aligned and searches pass over
    // others, it often ends in the next cache line, which is therefore fetched at the same time.
    [[nodiscard]] std::uint64_t begin_search(stream_id stream) const noexcept {
        constexpr std::size_t cache_line = 64;
        const std::uint64_t first = home(stream);
        __builtin_prefetch(reinterpret_cast<const std::byte*>(table_ + first) + cache_line);
        return first;
    }
    [[nodiscard]] std::uint64_t home(stream_id stream) const noexcept {
        return home(stream, slots_);
    }

    stream_head* table_ = nullptr;
    std::uint64_t slots_ = 0;
    std::uint64_t used_ = 0;
    page_memory memory_;
};

}  // namespace pawl::detail
