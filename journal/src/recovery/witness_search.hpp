// Tells a torn tail from damage: does anything behind a hole prove that the hole was durable once?
#pragma once

#include "format/frame_check.hpp"
#include "os/data_ranges.hpp"

#include <pawl/journal/types.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace pawl::detail {

// Looks for whole frames behind a hole that expects `expected`, anywhere at all, since nothing
// there can be read in order any more.
class witness_search {
  public:
    // `bytes_behind`: of the segments from the hole on. How much may be hashed depends on it;
    // spent, the verdict is damage, for refusing is safe.
    witness_search(sequence_number expected, std::uint64_t bytes_behind) noexcept;

    // Searches one segment from an offset on. Nothing more is to be searched once it returns true.
    bool search(const frame_space& space, const data_ranges& data, std::uint64_t from) noexcept;

    // A watermark above the hole was proven, or the search had to give up.
    [[nodiscard]] bool proves_damage() const noexcept { return proven_ || spent_; }
    [[nodiscard]] std::string reason() const;
    // One behind the last whole event found, at least `expected`: what was published at least.
    [[nodiscard]] sequence_number seen() const noexcept { return seen_; }

  private:
    [[nodiscard]] bool plausible(const frame_space& space, std::uint64_t offset,
                                 commit_word word) const noexcept;

    sequence_number expected_;
    std::uint64_t most_events_;  // that can lie behind the hole
    sequence_number seen_ = expected_;
    std::uint64_t budget_;
    bool proven_ = false;
    bool spent_ = false;
    sequence_number proven_durable_ = 0;
    std::uint64_t proven_at_ = 0;
};

}  // namespace pawl::detail
