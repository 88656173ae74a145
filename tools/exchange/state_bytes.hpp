// Converts the state to bytes and back, for snapshots and fingerprints.
//
// A state has exactly one form: books by number, bids before asks, levels from the best, orders in
// their priority, whatever the order of slots in memory, and each book's trades. What accounts have
// in open orders follows from the books. All numbers are little-endian.
#pragma once

#include "engine.hpp"

#include <pawl/journal/error.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace exchange {

[[nodiscard]] std::vector<std::byte> to_bytes(const exchange_state& s);

// Fails with malformed, naming the byte, for anything that to_bytes cannot have written. Allocates
// at most in proportion to the given bytes.
[[nodiscard]] pawl::result<exchange_state> from_bytes(std::span<const std::byte> bytes);

// XXH3 over to_bytes: equal states give the same value on every machine.
[[nodiscard]] std::uint64_t fingerprint(const exchange_state& s);

}  // namespace exchange
