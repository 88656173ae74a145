// Which parts of a file hold data. The rest is zero and need not be read: a segment is allocated
// whole, and scanning what was never written would read all of it in.
#pragma once

#include "os/assertion.hpp"
#include "os/file.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace pawl::detail {

struct byte_range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;  // exclusive
};

class data_ranges {
  public:
    // Everything counts as data.
    explicit data_ranges(std::uint64_t bytes) : ranges_{{0, bytes}} {}
    // As the file system reports them. It may report zeros as data, never data as a hole. Only for
    // files that no one writes to: later stores are not included.
    [[nodiscard]] static data_ranges of(const file& source, std::uint64_t bytes);

    [[nodiscard]] std::span<const byte_range> all() const noexcept { return ranges_; }
    // After the last byte of data; 0 if all is a hole.
    [[nodiscard]] std::uint64_t end() const noexcept {
        return ranges_.empty() ? 0 : ranges_.back().end;
    }
    // The first byte of data at or after `offset`; `end` if there is none before it.
    [[nodiscard]] std::uint64_t next_data(std::uint64_t offset, std::uint64_t end) const noexcept {
        PAWL_ASSERT(offset <= end);
        const auto range = std::ranges::upper_bound(ranges_, offset, {}, &byte_range::end);
        return range == ranges_.end() ? end : std::clamp(range->begin, offset, end);
    }

  private:
    std::vector<byte_range> ranges_;  // ascending
};

}  // namespace pawl::detail
