// The matching engine: commands are decided against the state and become events, and events alone
// change the state. So the events are the whole truth, and folding them again gives the same books.
#pragma once

#include "book.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace exchange {

// What a client asks for. `price` is read for limit and replace, `order` for cancel and replace,
// `quantity` for all but cancel.
struct command {
    enum class action : std::uint8_t { limit, market, cancel, replace };

    action asks{};
    std::uint16_t instrument = 0;
    exchange::side side{};
    order_id order = 0;
    std::int64_t price = 0;
    std::uint32_t quantity = 0;
};

struct exchange_state {
    std::vector<book> books;     // one per instrument
    std::uint64_t commands = 0;  // decided so far, which is the number of the last one
    std::uint64_t events = 0;
    std::uint64_t fills = 0;
    std::uint64_t filled_quantity = 0;
    std::uint64_t rejections = 0;
    // Events that did not fit the books. A journal of this program holds none.
    std::uint64_t misfits = 0;
};

struct engine {
    using state = exchange_state;

    static constexpr std::uint16_t instruments = 8;
    static constexpr std::int64_t highest_price = 1'000'000'000;
    static constexpr std::uint32_t largest_quantity = 1'000'000;

    [[nodiscard]] static state initial() { return {.books = std::vector<book>(instruments)}; }

    static void evolve(state& s, const accepted& e);
    static void evolve(state& s, const filled& e);
    static void evolve(state& s, const cancelled& e);
    static void evolve(state& s, const replaced& e);
    static void evolve(state& s, const rejected& e);

    // Gives the events of the next command to `out`, as plain structs in their order: at least one,
    // all with the number s.commands + 1. Changes nothing.
    template <class Out>
    static void decide(const command& c, const state& s, Out&& out);

  private:
    struct incoming {
        std::uint64_t command = 0;
        order_id id = 0;
        std::uint16_t instrument = 0;
        exchange::side side{};
        std::int64_t limit = 0;
        std::uint32_t quantity = 0;
    };

    template <class Out>
    static void decide_new(const command& c, const book& b, std::uint64_t number, Out& out);
    template <class Out>
    static void decide_change(const command& c, const book& b, std::uint64_t number, Out& out);
    // Fills `taker` from the other side of the book, and returns what is left of it.
    template <class Out>
    static std::uint32_t match(const incoming& taker, const book& b, Out& out);

    static bool price_is_bad(std::int64_t price) { return price < 1 || price > highest_price; }
    static bool quantity_is_bad(std::uint32_t q) { return q < 1 || q > largest_quantity; }
};

template <class Out>
void engine::decide(const command& c, const state& s, Out&& out) {
    using enum command::action;
    const std::uint64_t number = s.commands + 1;
    const auto reject = [&](reason why) {
        out(rejected_data{.command = number, .instrument = c.instrument, .why = why});
    };
    if (c.instrument >= s.books.size())
        return reject(reason::unknown_instrument);
    const book& b = s.books[c.instrument];
    if ((c.asks == cancel || c.asks == replace) && !b.find(c.order))
        return reject(reason::unknown_order);
    if ((c.asks == limit || c.asks == replace) && price_is_bad(c.price))
        return reject(reason::bad_price);
    if (c.asks != cancel && quantity_is_bad(c.quantity))
        return reject(reason::bad_quantity);
    if (c.asks == limit || c.asks == market)
        decide_new(c, b, number, out);
    else
        decide_change(c, b, number, out);
}

template <class Out>
void engine::decide_new(const command& c, const book& b, std::uint64_t number, Out& out) {
    const bool market = c.asks == command::action::market;
    const std::int64_t worst = c.side == side::buy ? highest_price : 1;
    const incoming taker{.command = number,
                         .id = number,
                         .instrument = c.instrument,
                         .side = c.side,
                         .limit = market ? worst : c.price,
                         .quantity = c.quantity};
    out(accepted_data{.command = number,
                      .instrument = c.instrument,
                      .side = c.side,
                      .market = market,
                      .price = taker.limit,
                      .quantity = c.quantity});
    const std::uint32_t left = match(taker, b, out);
    if (market && left > 0)
        out(cancelled_data{
            .command = number, .order = number, .instrument = c.instrument, .quantity = left});
}

template <class Out>
void engine::decide_change(const command& c, const book& b, std::uint64_t number, Out& out) {
    const order& resting = *b.find(c.order);
    if (c.asks == command::action::cancel) {
        out(cancelled_data{.command = number,
                           .order = c.order,
                           .instrument = c.instrument,
                           .quantity = resting.quantity});
        return;
    }
    out(replaced_data{.command = number,
                      .order = c.order,
                      .instrument = c.instrument,
                      .price = c.price,
                      .quantity = c.quantity});
    match({.command = number,
           .id = c.order,
           .instrument = c.instrument,
           .side = resting.side,
           .limit = c.price,
           .quantity = c.quantity},
          b, out);
}

template <class Out>
std::uint32_t engine::match(const incoming& taker, const book& b, Out& out) {
    std::uint32_t left = taker.quantity;
    const order* maker = b.best(opposite(taker.side));
    while (left > 0 && maker && !better(taker.side, maker->price, taker.limit)) {
        const std::uint32_t traded = std::min(left, maker->quantity);
        out(filled_data{.command = taker.command,
                        .maker = maker->id,
                        .taker = taker.id,
                        .instrument = taker.instrument,
                        .side = taker.side,
                        .price = maker->price,
                        .quantity = traded});
        left -= traded;
        maker = b.next(*maker);
    }
    return left;
}

}  // namespace exchange
