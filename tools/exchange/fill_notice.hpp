// What the exchange tells others about trades.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>

#include <cstdint>

namespace exchange {

// A trade. When a trade is busted the same notice follows with a negative quantity.
struct fill_notice {
    std::uint64_t command = 0;
    std::uint16_t instrument = 0;
    std::uint64_t maker = 0;
    std::uint64_t taker = 0;
    std::int64_t price = 0;
    std::int64_t quantity = 0;
};

// What a `filled` or `busted` event says. Fails with malformed.
[[nodiscard]] pawl::result<fill_notice> notice_of(const pawl::event& from);

}  // namespace exchange
