// Simulated clients: an endless, repeatable flow of commands that keeps the books busy and bounded.
#pragma once

#include "engine.hpp"

#include <cstdint>

namespace exchange {

// The next command depends only on the seed, on the number of commands so far and on the books, so
// a run that continues from a journal sends the same commands as an uninterrupted one. Uses its own
// arithmetic, because the standard distributions differ between libraries.
class order_flow {
  public:
    explicit order_flow(std::uint64_t seed) noexcept : seed_{seed} {}

    [[nodiscard]] command next(const exchange_state& s) const;

    // No side of a book gets more orders than this.
    static constexpr std::size_t most_orders = 256;

  private:
    std::uint64_t seed_;
};

}  // namespace exchange
