// One complete segment, read separately from the rest of the log, for work spread over threads. To
// read a journal from one thread, use a cursor.
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
    // Maps it. Fails with not_found if the segment is not sealed yet, missing_segment if it does
    // not exist, pruned, damaged, or io.
    [[nodiscard]] static result<sealed_segment> open(const std::filesystem::path& directory,
                                                     std::uint64_t ordinal);
    sealed_segment(sealed_segment&&) noexcept;
    sealed_segment& operator=(sealed_segment&&) noexcept;
    ~sealed_segment();

    // From its index.
    [[nodiscard]] sequence_number first_sequence() const noexcept;
    [[nodiscard]] sequence_number end_sequence() const noexcept;
    // Of the file that is mapped.
    [[nodiscard]] std::uint64_t bytes() const noexcept;

    // The next event, checked like a cursor's, or null at the end or at a wrong frame; finish()
    // distinguishes the two. The next call overwrites what the pointer refers to; a copy of the
    // event is valid as long as this object lives.
    [[nodiscard]] const event* next() noexcept;

    // Fails with damaged or malformed, with file, offset and sequence, if next() met a wrong frame
    // or if the segment does not end where its index says.
    [[nodiscard]] result<void> finish() const;

    // Fails with damaged if this segment cannot follow `before`, which has been read to its end,
    // or, if `before` is null, cannot be a journal's first.
    [[nodiscard]] result<void> check_follows(const sealed_segment* before) const;

    // What the names after the last event add to the digest of the log; they belong to the first
    // event of the next segment. Call it after next() has returned null.
    [[nodiscard]] std::uint64_t names_digest() const noexcept;

    // The event at an offset at which next() returned one, without checking it again. Its
    // names_digest() is 0.
    [[nodiscard]] event at(std::uint64_t offset) const noexcept;
    // Prefetches the memory that at(offset) will read.
    void prefetch(std::uint64_t offset) const noexcept { __builtin_prefetch(base_ + offset); }

  private:
    explicit sealed_segment(std::unique_ptr<detail::sealed_segment_state> state) noexcept;

    std::unique_ptr<detail::sealed_segment_state> state_;
    const std::byte* base_ = nullptr;
    std::uint64_t ordinal_ = 0;
    std::uint64_t epoch_ = 0;
};

}  // namespace pawl
