#include "gateway.hpp"
#include "order_flow.hpp"
#include "report.hpp"
#include "state_bytes.hpp"
#include "subcommands.hpp"

#include <fmt/core.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

namespace exchange {
namespace {

std::string what_was_found(const pawl::recovery_report& found) {
    switch (found.state) {
        case pawl::found::created:
            return "nothing; a new journal";
        case pawl::found::closed:
            return "a journal that was closed cleanly";
        case pawl::found::torn_tail:
            break;
    }
    return fmt::format(
        "a torn tail, cut in segment {} at byte {}; about {} events lost, none of them durable",
        found.cut.ordinal, found.cut.offset, found.lost_about);
}

report to_report(const gateway& books, std::uint64_t first_command, std::uint64_t first_event,
                 double seconds) {
    const exchange_state& s = books.state();
    const latency_histogram& append = books.append_latency();
    const double events = static_cast<double>(s.events - first_event);
    return {{"found", what_was_found(books.recovery())},
            {"snapshot", snapshot_used(books.restored())},
            {"books_from", books.restored().message()},
            {"continued_behind", first_command},
            {"commands", s.commands},
            {"events", s.events},
            {"events_per_s", seconds > 0 ? static_cast<std::uint64_t>(events / seconds) : 0},
            {"append_p50_ns", append.percentile(0.5)},
            {"append_p99_ns", append.percentile(0.99)},
            {"append_p999_ns", append.percentile(0.999)},
            {"append_max_ns", append.max()},
            {"fills", s.fills},
            {"fills_sent", books.fills_sent()},
            {"snapshots", books.snapshots()},
            {"fingerprint", hexadecimal(fingerprint(s))}};
}

using file = std::unique_ptr<std::FILE, decltype([](std::FILE* f) { std::fclose(f); })>;

// Stands for the clients' connections.
auto send_to(std::FILE* clients) {
    return [clients](const filled_data& fill) {
        if (clients)
            fmt::print(clients, "{},{},{},{},{}\n", fill.command, fill.maker, fill.taker,
                       fill.price, fill.quantity);
    };
}

}  // namespace

int run(const run_options& options) {
    file clients{options.fills.empty() ? nullptr : std::fopen(options.fills.c_str(), "a")};
    if (!options.fills.empty() && !clients)
        return complain({.code = pawl::errc::io, .os_error = errno, .file = options.fills});

    auto books = gateway::open(options.directory, {.segment_bytes = options.segment_bytes,
                                                   .snapshot_every = options.snapshot_every,
                                                   .send = send_to(clients.get())});
    if (!books)
        return complain(books.error());

    const std::uint64_t first_command = books->state().commands;
    const std::uint64_t first_event = books->state().events;
    const order_flow clients_want{options.seed};
    const auto begin = std::chrono::steady_clock::now();
    while (books->state().commands < options.commands)
        if (auto taken = books->take(clients_want.next(books->state())); !taken)
            return complain(taken.error());
    if (auto closed = books->close(); !closed)
        return complain(closed.error());
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    return print(to_report(*books, first_command, first_event, seconds.count()), options.json);
}

}  // namespace exchange
