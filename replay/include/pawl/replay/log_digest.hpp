// A digest of all events of a log up to some point.
#pragma once

#include <pawl/journal/event.hpp>

#include <cstdint>

namespace pawl {

// The sum of the mixed content hashes of the events and of the stream names before them. A content
// hash covers an event's sequence and bytes but not its position: two logs with the same digest
// hold the same events, short of malice, and a copy has the digest of its original. A sum can be
// taken in parts and in parallel.
class log_digest {
  public:
    log_digest() = default;
    constexpr explicit log_digest(std::uint64_t value) noexcept : value_{value} {}

    void add(const event& from) noexcept {
        value_ += detail::digest_term(from.content_hash()) + from.names_digest();
    }
    constexpr void add(log_digest other) noexcept { value_ += other.value_; }

    [[nodiscard]] constexpr std::uint64_t value() const noexcept { return value_; }
    friend constexpr bool operator==(log_digest, log_digest) = default;

  private:
    std::uint64_t value_ = 0;
};

}  // namespace pawl
