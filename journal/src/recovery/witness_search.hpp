// Tells a torn tail from damage: does any frame after a hole prove that the missing one was
// durable?
#pragma once

#include "format/frame_check.hpp"
#include "os/data_ranges.hpp"

#include <pawl/journal/types.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace pawl::detail {

// Searches for whole frames after a hole at sequence `expected`. They may begin anywhere, since
// nothing after the hole can be read in order.
class witness_search {
  public:
    // `bytes_behind`: the size of the segments from the hole on, which limits how much may be
    // hashed. If that is not enough, the verdict is damage, because refusing is safe.
    witness_search(sequence_number expected, std::uint64_t bytes_behind) noexcept;

    // Searches one segment from an offset on. Once it returns true, the verdict is damage and
    // nothing more need be searched.
    bool search(const frame_space& space, const data_ranges& data, std::uint64_t from) noexcept;

    // A watermark above the hole was proven, or the search had to give up.
    [[nodiscard]] bool proves_damage() const noexcept { return proven_ || spent_; }
    [[nodiscard]] std::string reason() const;
    // One after the last whole event found, at least `expected`: a lower bound of what was
    // published.
    [[nodiscard]] sequence_number seen() const noexcept { return seen_; }

  private:
    [[nodiscard]] bool plausible(const frame_space& space, std::uint64_t offset,
                                 commit_word word) const noexcept;

    sequence_number expected_;
    std::uint64_t most_events_;  // that fit after the hole
    sequence_number seen_ = expected_;
    std::uint64_t budget_;
    bool proven_ = false;
    bool spent_ = false;
    sequence_number proven_durable_ = 0;
    std::uint64_t proven_at_ = 0;
};

}  // namespace pawl::detail
