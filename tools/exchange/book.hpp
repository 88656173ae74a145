// The resting orders of one instrument in price-time priority.
#pragma once

#include "events.hpp"

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace exchange {

using order_id = std::uint64_t;
using account_id = std::uint16_t;

[[nodiscard]] constexpr side opposite(side s) noexcept {
    return s == side::buy ? side::sell : side::buy;
}

// True if `price` is better than `other` for an order of side `s`.
[[nodiscard]] constexpr bool better(side s, std::int64_t price, std::int64_t other) noexcept {
    return s == side::buy ? price > other : price < other;
}

struct order {
    order_id id = 0;
    exchange::side side{};
    std::int64_t price = 0;
    std::uint32_t quantity = 0;  // still open
    account_id account = 0;
};

// A regular value: a copy is an independent book. Pointers to orders are valid until the next
// change. Finding, filling and removing an order cost a hash probe and, if its level empties, a
// binary search; entering one costs a binary search. After the book has reached its largest size,
// it allocates only the index's nodes.
class book {
  public:
    // Puts an order after all others at its price. Returns false and changes nothing if the id
    // already rests here, the quantity is 0, or the side is invalid.
    [[nodiscard]] bool add(const order& entering);
    // Takes `quantity` off an order and removes it at 0. Returns false and changes nothing if the
    // id does not rest here or has less left.
    [[nodiscard]] bool reduce(order_id id, std::uint32_t quantity);

    [[nodiscard]] const order* find(order_id id) const;
    // The order of a side that trades first, and the one that trades after `o`, which must be an
    // order of this book; null for none.
    [[nodiscard]] const order* best(side s) const;
    [[nodiscard]] const order* next(const order& o) const;

    // The price levels of a side, and the first order of the level `rank` places from the best.
    [[nodiscard]] std::size_t levels(side s) const { return sides_[index(s)].size(); }
    [[nodiscard]] const order* at(side s, std::size_t rank) const;
    [[nodiscard]] std::size_t orders(side s) const { return counts_[index(s)]; }

  private:
    using slot = std::uint32_t;
    static constexpr slot none = ~slot{0};

    struct node : order {
        slot previous = none;
        slot next = none;
    };
    struct level {
        std::int64_t price = 0;
        slot first = none;
        slot last = none;
    };
    using ladder = std::vector<level>;  // the best level last, because it changes most

    static constexpr std::size_t index(side s) noexcept { return static_cast<std::size_t>(s); }
    // The first level that is not worse than `price`.
    [[nodiscard]] static std::size_t position(const ladder& levels, side s, std::int64_t price);
    [[nodiscard]] slot take_slot(const order& entering);
    void remove(slot leaving);

    ladder sides_[2];
    std::size_t counts_[2] = {};
    std::vector<node> nodes_;
    slot free_ = none;  // head of the list of unused nodes, chained by `next`
    std::unordered_map<order_id, slot> slots_;
};

}  // namespace exchange
