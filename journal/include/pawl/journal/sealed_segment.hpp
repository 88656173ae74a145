// One complete segment, read apart from the rest of the log: for work that is spread over threads.
// Who reads a journal from one thread wants a cursor.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/journal/types.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

namespace pawl {

namespace detail {
class sealed_segment_state;
}

// A sealed segment is full or closed, on stable storage, and will never change. Used by one thread
// at a time, except for at(), which any number may call once reading is done.
class sealed_segment {
  public:
    // Maps it. not_found where the segment is not sealed (yet), missing_segment where it is not
    // there; damaged, io.
    [[nodiscard]] static result<sealed_segment> open(const std::filesystem::path& directory,
                                                     std::uint64_t ordinal);
    sealed_segment(sealed_segment&&) noexcept;
    sealed_segment& operator=(sealed_segment&&) noexcept;
    ~sealed_segment();

    // What its index says it holds.
    [[nodiscard]] sequence_number first_sequence() const noexcept;
    [[nodiscard]] sequence_number end_sequence() const noexcept;
    // Of the file that is mapped.
    [[nodiscard]] std::uint64_t bytes() const noexcept;

    // The next event, checked as a cursor checks it, or null at the end or where a frame is wrong;
    // finish() tells which. What the pointer names is overwritten by the next call; a copy of the
    // event stays valid as long as the segment is held.
    [[nodiscard]] const event* next() noexcept;

    // damaged or malformed, with file, offset and sequence, where next() met a wrong frame, or
    // where the segment does not end as its index says.
    [[nodiscard]] result<void> finish() const;

    // damaged where this segment cannot be the one behind `before`, which has been read to its end,
    // or, behind nothing, cannot be a journal's first.
    [[nodiscard]] result<void> check_follows(const sealed_segment* before) const;

    // The event at an offset that next() gave one for, without checking it again.
    [[nodiscard]] event at(std::uint64_t offset) const noexcept;
    // Asks for the memory that at(offset) will look at.
    void prefetch(std::uint64_t offset) const noexcept { __builtin_prefetch(base_ + offset); }

  private:
    explicit sealed_segment(std::unique_ptr<detail::sealed_segment_state> state) noexcept;

    std::unique_ptr<detail::sealed_segment_state> state_;
    const std::byte* base_ = nullptr;
    std::uint64_t ordinal_ = 0;
};

}  // namespace pawl
