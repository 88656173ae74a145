// A stretch of a sealed segment, copied to memory that stays in the processor's cache.
//
// Reading a segment once, in order, through a mapping pays for the first touch of every page, which
// on virtual machines costs more than copying the page; and what was verified in a mapping can
// still change, or go away with the file. A copy has neither trouble. Segments that are being
// written are read through their mapping: there every store must be seen at once.
#pragma once

#include "format/frame_check.hpp"
#include "os/file.hpp"

#include <pawl/journal/error.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pawl::detail {

class segment_window {
  public:
    // What the window brings into the page cache stays there, or not.
    explicit segment_window(file::cached what = file::cached::stays) noexcept : cached_{what} {}

    // Will show the segment that `source` holds; the file must stay open meanwhile. Nothing is read
    // yet: space() is empty.
    void enter(const file& source, std::uint64_t segment_bytes, std::uint64_t epoch) noexcept;
    // Copies the segment from about `offset` on: a window's worth, and at least twice as much
    // behind `offset` as was readable there before. What was shown before is gone. Throws
    // std::bad_alloc; fails with io, damaged (a file that is too short).
    [[nodiscard]] result<void> widen(std::uint64_t offset);

    // The whole segment is behind the window's end.
    [[nodiscard]] bool reaches_end() const noexcept { return end_ == segment_bytes_; }
    // Frames are found at their offsets in the segment. Only the window's part can be read, and its
    // end is given as the segment's.
    [[nodiscard]] frame_space space() const noexcept;

  private:
    file::cached cached_;
    const file* source_ = nullptr;
    std::uint64_t segment_bytes_ = 0;
    std::uint64_t epoch_ = 0;
    std::uint64_t begin_ = 0;
    std::uint64_t end_ = 0;
    std::vector<std::byte> bytes_;
};

}  // namespace pawl::detail
