#include "engine.hpp"
#include "report.hpp"
#include "state_bytes.hpp"
#include "subcommands.hpp"

#include <fmt/core.h>

#include <pawl/replay/as_of.hpp>
#include <pawl/replay/restore.hpp>
#include <pawl/sqlite/event_scan.hpp>
#include <pawl/sqlite/utc_time.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>

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

int print_books(const pawl::result<pawl::restored<engine>>& restored, bool json) {
    if (!restored)
        return complain(restored.error());
    const exchange_state& s = restored->state;
    return print({{"snapshot", snapshot_used(restored->report)},
                  {"books_from", restored->report.message()},
                  {"next_sequence", restored->progress.point.next},
                  {"book", to_report(s)},
                  {"account", accounts(s)},
                  {"commands", s.commands()},
                  {"events", s.events},
                  {"fills", s.fills},
                  {"filled_quantity", s.filled_quantity},
                  {"busts", s.busts},
                  {"fingerprint", hexadecimal(fingerprint(s))}},
                 json);
}

// A sequence, a time, or a time of the journal's last day.
pawl::result<pawl::as_of_place> parse_place(const as_of_options& options) {
    const std::string& text = options.place;
    std::uint64_t sequence = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), sequence);
    if (read.ec == std::errc{} && read.ptr == text.data() + text.size())
        return pawl::at_sequence{sequence};
    if (const auto whole = pawl::parse_utc(text))
        return pawl::at_time{*whole};
    const auto of_day = pawl::parse_time_of_day(text);
    if (!of_day)
        return std::unexpected(pawl::error{.code = pawl::errc::invalid_argument,
                                           .detail = "neither a sequence nor a time: " + text});
    const auto day = pawl::last_day(options.directory);
    if (!day)
        return std::unexpected(day.error());
    return pawl::at_time{day->value_or(0) + *of_day};
}

}  // namespace

int state(const state_options& options) {
    return print_books(
        pawl::restore<engine>(options.directory, {}, {.use_snapshots = !options.full}),
        options.json);
}

int as_of(const as_of_options& options) {
    const auto place = parse_place(options);
    if (!place)
        return complain(place.error());
    return print_books(pawl::as_of<engine>(options.directory, *place), options.json);
}

}  // namespace exchange
