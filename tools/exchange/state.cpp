#include "engine.hpp"
#include "report.hpp"
#include "state_bytes.hpp"
#include "subcommands.hpp"

#include <fmt/core.h>

#include <pawl/replay/restore.hpp>

#include <cstddef>
#include <string>

namespace exchange {
namespace {

std::string best(const book& b, side s) {
    const order* first = b.best(s);
    return first ? fmt::format("{} at {}", first->quantity, first->price) : "none";
}

report to_report(const exchange_state& s) {
    report books = report::array();
    for (std::size_t n = 0; n < s.books.size(); ++n) {
        const book& b = s.books[n];
        books.push_back(fmt::format("{}: {} + {} orders, first bid {}, first ask {}", n,
                                    b.orders(side::buy), b.orders(side::sell), best(b, side::buy),
                                    best(b, side::sell)));
    }
    return books;
}

report accounts(const exchange_state& s) {
    report lines = report::array();
    for (std::size_t n = 0; n < s.accounts.size(); ++n) {
        const account& each = s.accounts[n];
        if (each.balance != 0 || each.open[0] != 0 || each.open[1] != 0)
            lines.push_back(fmt::format("{}: balance {}, open orders {} + {}", n, each.balance,
                                        each.open[0], each.open[1]));
    }
    return lines;
}

}  // namespace

int state(const state_options& options) {
    const auto restored =
        pawl::restore<engine>(options.directory, {}, {.use_snapshots = !options.full});
    if (!restored)
        return complain(restored.error());
    const exchange_state& s = restored->state;
    return print({{"snapshot", snapshot_used(restored->report)},
                  {"books_from", restored->report.message()},
                  {"book", to_report(s)},
                  {"account", accounts(s)},
                  {"commands", s.commands()},
                  {"events", s.events},
                  {"fills", s.fills},
                  {"filled_quantity", s.filled_quantity},
                  {"busts", s.busts},
                  {"fingerprint", hexadecimal(fingerprint(s))}},
                 options.json);
}

}  // namespace exchange
