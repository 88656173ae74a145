#include "order_flow.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>

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

// One session's commands.
class client {
  public:
    client(std::uint64_t seed, session_id sessions, session_id session) noexcept
        : seed_{seed}, sessions_{sessions}, session_{session} {}

    [[nodiscard]] command at(std::uint64_t number) const noexcept {
        dice d = thrown_for(number);
        const std::uint32_t percent = d.below(100);
        if (percent < percent_limit)
            return limit_order(d, number);
        const auto earlier = earlier_order(d, number);
        if (percent < 56 || !earlier)
            return market_order(d, number);
        if (percent < 62)
            return replacement(d, number, *earlier);
        if (percent < 97)
            return about(*earlier, number, cancel);
        return percent < 98 ? about(*earlier, number, bust) : mistake(d, number);
    }

  private:
    static constexpr std::uint32_t percent_limit = 38;

    [[nodiscard]] dice thrown_for(std::uint64_t number) const noexcept {
        const std::uint64_t id = command_id(session_, number);
        return dice{dice{seed_ ^ (id * 0xd1342543de82ef95)}.roll()};
    }
    [[nodiscard]] bool is_limit(std::uint64_t number) const noexcept {
        return thrown_for(number).below(100) < percent_limit;
    }
    // One of the limit orders sent lately, which may have been filled or cancelled since.
    [[nodiscard]] std::optional<std::uint64_t> earlier_order(dice& d,
                                                             std::uint64_t number) const noexcept {
        const std::uint64_t back = 1 + d.below(120);
        for (std::uint64_t sent = number > back ? number - back : 0; sent > 0; --sent)
            if (is_limit(sent))
                return sent;
        return std::nullopt;
    }

    // Prices go up and down around one that is the instrument's own, so that orders of a long run
    // are met sooner or later.
    [[nodiscard]] static std::int64_t centre(std::uint16_t instrument,
                                             std::uint64_t number) noexcept {
        constexpr std::int64_t commands_per_tick = 64;
        constexpr std::int64_t highest = 40;
        const std::int64_t step =
            static_cast<std::int64_t>(number / commands_per_tick) % (4 * highest);
        const std::int64_t above = std::abs(step - 2 * highest) - highest;
        return std::int64_t{10'000} * (instrument + 1) + above;
    }
    [[nodiscard]] static std::int64_t passive_price(dice& d, const command& c,
                                                    std::uint64_t number) noexcept {
        const std::int64_t distance = 1 + d.below(24);
        const std::int64_t middle = centre(c.instrument, number);
        return c.side == side::buy ? middle - distance : middle + distance;
    }
    [[nodiscard]] static std::int64_t crossing_price(dice& d, const command& c,
                                                     std::uint64_t number) noexcept {
        const std::int64_t depth = d.below(12);
        const std::int64_t middle = centre(c.instrument, number);
        return c.side == side::buy ? middle + depth : middle - depth;
    }

    [[nodiscard]] command order(dice& d, std::uint64_t number,
                                command::action asks) const noexcept {
        constexpr std::uint16_t per_session = order_flow::accounts_per_session;
        const auto mine =
            static_cast<std::uint16_t>((engine::instruments - session_ - 1) / sessions_ + 1);
        return {.id = command_id(session_, number),
                .asks = asks,
                .account = static_cast<account_id>(session_ * per_session + d.below(per_session)),
                .instrument = static_cast<std::uint16_t>(session_ + d.below(mine) * sessions_),
                .side = d.below(2) == 0 ? side::buy : side::sell,
                .quantity = 1 + d.below(100)};
    }
    [[nodiscard]] command limit_order(dice& d, std::uint64_t number) const noexcept {
        command c = order(d, number, limit);
        c.price = d.below(3) == 0 ? crossing_price(d, c, number) : passive_price(d, c, number);
        return c;
    }
    [[nodiscard]] command market_order(dice& d, std::uint64_t number) const noexcept {
        return order(d, number, market);
    }
    // A request about a limit order that was sent before.
    [[nodiscard]] command about(std::uint64_t earlier, std::uint64_t number,
                                command::action asks) const noexcept {
        const command entered = at(earlier);
        return {.id = command_id(session_, number),
                .asks = asks,
                .instrument = entered.instrument,
                .side = entered.side,
                .order = entered.id};
    }
    // Cuts an order, or moves it to another price.
    [[nodiscard]] command replacement(dice& d, std::uint64_t number,
                                      std::uint64_t earlier) const noexcept {
        const command entered = at(earlier);
        command c = about(earlier, number, replace);
        const bool cut = entered.quantity > 1 && d.below(2) == 0;
        c.price = cut ? entered.price : passive_price(d, c, number);
        c.quantity = 1 + d.below(cut ? entered.quantity - 1 : 100);
        return c;
    }
    // A command that must be refused, of several kinds.
    [[nodiscard]] command mistake(dice& d, std::uint64_t number) const noexcept {
        command c = order(d, number, limit);
        c.price = 1;
        switch (d.below(6)) {
            case 0:
                c.instrument = engine::instruments;
                break;
            case 1:
                c.account = engine::accounts;
                break;
            case 2:
                c.asks = cancel;  // order 0, an id that is never assigned
                break;
            case 3:
                c.price = 0;
                break;
            case 4:
                c.quantity = 0;
                break;
            default:
                c.price = engine::highest_price;
                c.quantity = 2;  // beyond any credit
                break;
        }
        return c;
    }

    std::uint64_t seed_;
    session_id sessions_;
    session_id session_;
};

}  // namespace

command order_flow::at(session_id session, std::uint64_t number) const noexcept {
    return client{seed_, sessions_, session}.at(number);
}

}  // namespace exchange
