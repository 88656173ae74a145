#include "measure/payloads.hpp"

#include <algorithm>
#include <bit>
#include <random>
#include <utility>

namespace bench {
namespace {

constexpr std::size_t largest_payload = std::size_t{64} << 10;
constexpr std::size_t size_limit = 8192;

}  // namespace

payloads payloads::of_size(std::size_t bytes) {
    return payloads({static_cast<std::uint32_t>(std::min(bytes, largest_payload))});
}

payloads payloads::of_sizes(std::span<const std::uint32_t> sizes) {
    const std::size_t kept = std::bit_ceil(std::min(sizes.size(), size_limit));
    std::vector<std::uint32_t> repeated(kept);
    for (std::size_t i = 0; i < kept; ++i) {
        repeated[i] =
            std::min(sizes[i % sizes.size()], static_cast<std::uint32_t>(largest_payload));
    }
    return payloads(std::move(repeated));
}

payloads::payloads(std::vector<std::uint32_t> sizes)
    : sizes_(std::move(sizes)), size_mask_(sizes_.size() - 1) {
    std::uint64_t sum = 0;
    for (const auto size : sizes_) {
        sum += size;
        largest_bytes_ = std::max<std::size_t>(largest_bytes_, size);
    }
    mean_bytes_ = static_cast<std::size_t>(sum / sizes_.size());
    pool_.resize(largest_bytes_ + std::size_t{64} * 64);
    std::mt19937_64 random(7);
    for (auto& value : pool_) {
        value = static_cast<std::byte>(random());
    }
}

std::size_t payloads::room(std::uint64_t events, std::size_t header) const noexcept {
    return static_cast<std::size_t>(events) * ((header + largest_bytes_ + 7) & ~std::size_t{7});
}

std::uint64_t payloads::fitting(std::size_t room, std::size_t header) const noexcept {
    return room / ((header + largest_bytes_ + 7) & ~std::size_t{7});
}

}  // namespace bench
