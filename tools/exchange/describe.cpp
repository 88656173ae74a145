#include "engine.hpp"

#include <fmt/core.h>

#include <cstddef>
#include <string>

namespace exchange {
namespace {

std::string best(const book& b, side s) {
    const order* first = b.best(s);
    return first ? fmt::format("{} at {}", first->quantity, first->price) : "none";
}

std::vector<std::string> book_lines(const exchange_state& s) {
    std::vector<std::string> lines;
    for (std::size_t n = 0; n < s.books.size(); ++n) {
        const book& b = s.books[n];
        lines.push_back(fmt::format("{}: {} + {} orders, first bid {}, first ask {}", n,
                                    b.orders(side::buy), b.orders(side::sell), best(b, side::buy),
                                    best(b, side::sell)));
    }
    return lines;
}

std::vector<std::string> account_lines(const exchange_state& s) {
    std::vector<std::string> lines;
    for (std::size_t n = 0; n < s.accounts.size(); ++n) {
        const account& each = s.accounts[n];
        if (each.balance != 0 || each.open[0] != 0 || each.open[1] != 0)
            lines.push_back(fmt::format("{}: balance {}, open orders {} + {}", n, each.balance,
                                        each.open[0], each.open[1]));
    }
    return lines;
}

}  // namespace

std::vector<pawl::state_field> engine::describe(const state& s) {
    return {{"book", book_lines(s)},    {"account", account_lines(s)},
            {"commands", s.commands()}, {"events", s.events},
            {"fills", s.fills},         {"filled_quantity", s.filled_quantity},
            {"busts", s.busts}};
}

}  // namespace exchange
