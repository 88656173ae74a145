// The newest trades of one instrument, which can still be busted.
#pragma once

#include "book.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace exchange {

struct trade {
    std::uint64_t number = 0;
    order_id maker = 0;
    order_id taker = 0;
    exchange::side side{};  // the taker's
    std::int64_t price = 0;
    std::uint32_t quantity = 0;
    account_id maker_account = 0;
    account_id taker_account = 0;
    bool is_busted = false;

    [[nodiscard]] std::int64_t value() const noexcept { return price * quantity; }
};

// A regular value that keeps the newest trades and forgets the oldest. Trades are numbered from 1
// without gaps.
class tape {
  public:
    static constexpr std::size_t most_trades = 128;

    [[nodiscard]] std::uint64_t last() const noexcept { return last_; }
    // Null if the trade is forgotten or has not happened.
    [[nodiscard]] const trade* find(std::uint64_t number) const noexcept {
        return knows(number) ? &trades_[number % most_trades] : nullptr;
    }
    // The newest trade of an order that was not busted, or null.
    [[nodiscard]] const trade* newest_of(order_id order) const noexcept {
        for (std::uint64_t number = last_; knows(number); --number) {
            const trade& each = trades_[number % most_trades];
            if (!each.is_busted && (each.maker == order || each.taker == order))
                return &each;
        }
        return nullptr;
    }

    // Returns false and changes nothing if the trade's number is not the next.
    [[nodiscard]] bool add(const trade& next) {
        if (next.number != last_ + 1)
            return false;
        trades_.resize(most_trades);
        trades_[next.number % most_trades] = next;
        last_ = next.number;
        return true;
    }
    // Returns false and changes nothing if the trade is unknown or was busted before.
    [[nodiscard]] bool bust(std::uint64_t number) {
        if (!knows(number) || trades_[number % most_trades].is_busted)
            return false;
        trades_[number % most_trades].is_busted = true;
        return true;
    }
    // Continues after trade `last`, of which and of those before it nothing is known. Only for an
    // empty tape.
    void continue_after(std::uint64_t last) {
        trades_.resize(most_trades);
        last_ = last;
    }

  private:
    [[nodiscard]] bool knows(std::uint64_t number) const noexcept {
        return number != 0 && number <= last_ && trades_[number % most_trades].number == number;
    }

    std::vector<trade> trades_;  // by number, modulo most_trades
    std::uint64_t last_ = 0;
};

}  // namespace exchange
