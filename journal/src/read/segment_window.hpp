// A stretch of a sealed segment, copied to memory that stays in the processor's cache.
//
// Reading a segment once, in order, through a mapping pays for the first access to every page,
// which on virtual machines costs more than copying the page; and what was verified in a mapping
// can still change, or vanish with the file. A copy has neither problem. Segments that are being
// written are read through their mapping, where a reader sees every store at once.
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
    // `what` says whether data that the window brings into the page cache stays there.
    explicit segment_window(file::cached what = file::cached::stays) noexcept : cached_{what} {}

    // Prepares to read the segment in `source`, which must stay open meanwhile. Reads nothing yet:
    // space() is empty.
    void enter(const file& source, std::uint64_t segment_bytes, std::uint64_t epoch) noexcept;
    // Copies the segment from about `offset` on: a whole window, and at least twice as much after
    // `offset` as was readable there before. Replaces what the window held. Throws std::bad_alloc;
    // fails with io, or with damaged if the file is too short.
    [[nodiscard]] result<void> widen(std::uint64_t offset);

    // The window reaches the end of the segment.
    [[nodiscard]] bool reaches_end() const noexcept { return end_ == segment_bytes_; }
    // Frames have their offsets in the segment. Only the window's part can be read; the size of the
    // space is the window's end.
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
