// A digest of all events of a log up to some point.
#pragma once

#include <pawl/journal/event.hpp>

#include <cstdint>

namespace pawl {

// The sum of the frames' hashes, each mixed. A frame's hash covers its sequence, place and bytes,
// so that two logs with the same digest hold the same events, short of malice; a sum can be taken
// in parts and in parallel.
class log_digest {
  public:
    log_digest() = default;
    constexpr explicit log_digest(std::uint64_t value) noexcept : value_{value} {}

    void add(const event& from) noexcept { value_ += mixed(from.frame_hash()); }
    constexpr void add(log_digest other) noexcept { value_ += other.value_; }

    [[nodiscard]] constexpr std::uint64_t value() const noexcept { return value_; }
    friend constexpr bool operator==(log_digest, log_digest) = default;

  private:
    // The finalizer of splitmix64 (Steele, Lea, Flood 2014).
    [[nodiscard]] static constexpr std::uint64_t mixed(std::uint64_t x) noexcept {
        x ^= x >> 30;
        x *= 0xbf58476d1ce4e5b9;
        x ^= x >> 27;
        x *= 0x94d049bb133111eb;
        return x ^ (x >> 31);
    }

    std::uint64_t value_ = 0;
};

}  // namespace pawl
