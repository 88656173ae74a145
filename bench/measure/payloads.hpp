#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bench {

// The events that every contender is given: the same bytes and sizes in the same order.
//
// The bytes come from a pool that stays in the cache, since a caller's event was made just before
// it is appended. Sizes are read from memory at run time, so no compiler can specialise a loop for
// one size.
class payloads {
  public:
    // Every event of one size, at most 64 KiB.
    [[nodiscard]] static payloads of_size(std::size_t bytes);
    // Sizes in the given order, over and over. At least one, each at most 64 KiB.
    [[nodiscard]] static payloads of_sizes(std::span<const std::uint32_t> sizes);

    [[nodiscard]] std::span<const std::byte> at(std::uint64_t index) const noexcept {
        return {pool_.data() + ((index & 63) << 6), sizes_[index & size_mask_]};
    }
    [[nodiscard]] std::size_t mean_bytes() const noexcept { return mean_bytes_; }
    [[nodiscard]] std::size_t largest_bytes() const noexcept { return largest_bytes_; }
    // Room that n events take at most with `header` bytes in front of each, padded to 8.
    [[nodiscard]] std::size_t room(std::uint64_t events, std::size_t header) const noexcept;
    // How many events fit into `room` bytes for sure.
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
