// The one hash of the format: XXH3-64, inlined so that no shared library is needed at run time.
#pragma once

#include "os/assertion.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace pawl::detail {

[[nodiscard]] inline std::uint64_t hash_bytes(const std::byte* at, std::size_t bytes) noexcept {
    PAWL_ASSERT(at != nullptr || bytes == 0);
    return XXH3_64bits(at, bytes);
}

[[nodiscard]] inline std::uint64_t hash_bytes(const std::byte* at, std::size_t bytes,
                                              std::uint64_t seed) noexcept {
    PAWL_ASSERT(at != nullptr || bytes == 0);
    return XXH3_64bits_withSeed(at, bytes, seed);
}

// The hash of these bytes one after the other.
[[nodiscard]] inline std::uint64_t hash_parts(
    std::initializer_list<std::span<const std::byte>> parts) noexcept {
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    for (const auto part : parts)
        XXH3_64bits_update(&state, part.data(), part.size());
    return XXH3_64bits_digest(&state);
}

// The checksum of a fixed-size header whose last 8 bytes hold it.
template <class Header>
[[nodiscard]] std::uint64_t header_checksum(const Header& header) noexcept {
    return XXH3_64bits(&header, sizeof(Header) - sizeof(std::uint64_t));
}

}  // namespace pawl::detail
