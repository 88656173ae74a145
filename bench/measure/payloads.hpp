#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bench {

// The events for every contender: the same bytes and sizes in the same order.
//
// The bytes come from a pool that stays in the cache, because a real caller builds an event just
// before it appends it. Sizes are read from memory at run time, so no compiler can specialise a
// loop for one size.
class payloads {
  public:
    // Every event of one size, at most 64 KiB.
    [[nodiscard]] static payloads of_size(std::size_t bytes);
    // Repeats the sizes in the given order. At least one, each at most 64 KiB.
    [[nodiscard]] static payloads of_sizes(std::span<const std::uint32_t> sizes);

    [[nodiscard]] std::span<const std::byte> at(std::uint64_t index) const noexcept {
        return {pool_.data() + ((index & 63) << 6), sizes_[index & size_mask_]};
    }
    [[nodiscard]] std::size_t mean_bytes() const noexcept { return mean_bytes_; }
    [[nodiscard]] std::size_t largest_bytes() const noexcept { return largest_bytes_; }
    // An upper bound on the bytes of n events with `header` bytes before each, padded to 8.
    [[nodiscard]] std::size_t room(std::uint64_t events, std::size_t header) const noexcept;
    // The number of events that surely fit into `room` bytes.
    [[nodiscard]] std::uint64_t fitting(std::size_t room, std::size_t header) const noexcept;

  private:
    payloads(std::vector<std::uint32_t> sizes);

    std::vector<std::byte> pool_;
    std::vector<std::uint32_t> sizes_;
    std::uint64_t size_mask_ = 0;
    std::size_t mean_bytes_ = 0;
    std::size_t largest_bytes_ = 0;
};

}  // namespace bench
