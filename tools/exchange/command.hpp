// What clients ask of the exchange.
#pragma once

#include "book.hpp"

#include <cstdint>

namespace exchange {

using session_id = std::uint16_t;

// A client's session numbers its commands from 1. The two together identify a command, and the
// order that it enters, as one number that people can read: 3000000000042 is command 42 of
// session 3.
inline constexpr std::uint64_t numbers_per_session = 1'000'000'000'000;

[[nodiscard]] constexpr order_id command_id(session_id session, std::uint64_t number) noexcept {
    return session * numbers_per_session + number;
}
[[nodiscard]] constexpr std::uint64_t session_of(order_id id) noexcept {
    return id / numbers_per_session;
}
[[nodiscard]] constexpr std::uint64_t number_of(order_id id) noexcept {
    return id % numbers_per_session;
}

// A client's request, or the operator's to bust the newest trade of an order, or the exchange's own
// to expire one, which has no id. Limit and market enter an order for `account`, the others are
// about `order`. Limit and replace use `price`; they and market use `quantity`.
struct command {
    enum class action : std::uint8_t { limit, market, cancel, replace, bust, expire };

    order_id id = 0;
    action asks{};
    account_id account = 0;
    std::uint16_t instrument = 0;
    exchange::side side{};
    order_id order = 0;
    std::int64_t price = 0;
    std::uint32_t quantity = 0;
    std::uint64_t expires_ns = 0;  // of a limit order that is good for the day; 0: until cancelled
};

}  // namespace exchange
