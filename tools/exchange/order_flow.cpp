#include "order_flow.hpp"

#include <algorithm>

namespace exchange {
namespace {

using enum command::action;

// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
class dice {
  public:
    explicit dice(std::uint64_t seed) noexcept : state_{seed} {}

    std::uint64_t roll() noexcept {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    // One of 0 … n - 1, near enough to uniform for this purpose.
    std::uint32_t below(std::uint32_t n) noexcept {
        return static_cast<std::uint32_t>(((roll() >> 32) * n) >> 32);
    }

  private:
    std::uint64_t state_;
};

constexpr std::size_t fewest_orders = 8;  // a side with fewer only gets new ones

// Prices stay within half of this value around it, so that a long run does not drift away.
std::int64_t centre(std::uint16_t instrument) {
    return std::int64_t{10'000} * (instrument + 1);
}

std::int64_t passive_price(dice& d, const book& b, const command& c) {
    const order* other = b.best(opposite(c.side));
    const std::int64_t anchor = other ? other->price : centre(c.instrument);
    const std::int64_t distance = 1 + d.below(24);
    const std::int64_t price = c.side == side::buy ? anchor - distance : anchor + distance;
    return std::clamp(price, centre(c.instrument) / 2, centre(c.instrument) * 3 / 2);
}

std::int64_t crossing_price(dice& d, const book& b, const command& c) {
    const order* other = b.best(opposite(c.side));
    const std::int64_t anchor = other ? other->price : centre(c.instrument);
    const std::int64_t depth = d.below(3);
    return c.side == side::buy ? anchor + depth : anchor - depth;
}

command limit_order(dice& d, const book& b, command c) {
    c.asks = limit;
    c.quantity = 1 + d.below(100);
    c.price = d.below(6) == 0 ? crossing_price(d, b, c) : passive_price(d, b, c);
    return c;
}

// The client of a random level's first order cuts it, or moves it to another price.
command replacement(dice& d, const book& b, command c) {
    const order& chosen = *b.at(c.side, d.below(static_cast<std::uint32_t>(b.levels(c.side))));
    c.asks = replace;
    c.order = chosen.id;
    const bool cut = chosen.quantity > 1 && d.below(2) == 0;
    c.price = cut ? chosen.price : passive_price(d, b, c);
    c.quantity = cut ? 1 + d.below(chosen.quantity - 1) : 1 + d.below(100);
    return c;
}

command cancellation(const book& b, command c, std::size_t rank) {
    c.asks = cancel;
    c.order = b.at(c.side, rank)->id;
    return c;
}

// Builds a command that must be rejected, of several kinds.
command mistake(dice& d, command c) {
    switch (d.below(4)) {
        case 0:
            return {.asks = limit, .instrument = engine::instruments, .price = 1, .quantity = 1};
        case 1:
            c.asks = cancel;
            break;  // cancels order 0, an id that is never assigned
        case 2:
            c.asks = limit, c.quantity = 1;
            break;
        default:
            c.asks = market;
            break;
    }
    return c;
}

}  // namespace

command order_flow::next(const exchange_state& s) const {
    dice d{dice{seed_ ^ (s.commands * 0xd1342543de82ef95)}.roll()};
    const auto instrument = static_cast<std::uint16_t>(d.below(engine::instruments));
    const command c{.instrument = instrument, .side = d.below(2) == 0 ? side::buy : side::sell};
    const book& b = s.books[instrument];

    if (b.orders(c.side) < fewest_orders)
        return limit_order(d, b, c);
    if (b.orders(c.side) >= most_orders)
        return cancellation(b, c, b.levels(c.side) - 1);
    const std::uint32_t percent = d.below(100);
    if (percent < 2)
        return mistake(d, c);
    if (percent < 50)
        return limit_order(d, b, c);
    if (percent < 60) {
        command aggressive = c;
        aggressive.asks = market;
        aggressive.quantity = 1 + d.below(150);
        return aggressive;
    }
    if (percent < 75)
        return replacement(d, b, c);
    return cancellation(b, c, d.below(static_cast<std::uint32_t>(b.levels(c.side))));
}

}  // namespace exchange
