#include "fill_file.hpp"
#include "gateway.hpp"
#include "order_flow.hpp"
#include "report.hpp"
#include "state_bytes.hpp"
#include "subcommands.hpp"

#include <fmt/core.h>

#include <chrono>
#include <cstdint>
#include <optional>
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
    const std::string lost =
        found.lost_about == 0
            ? "nothing lost"
            : fmt::format("about {} events lost, none of them durable", found.lost_about);
    return fmt::format("a torn tail, cut in segment {} at byte {}; {}", found.cut.ordinal,
                       found.cut.offset, lost);
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

// Opens the gateway, which sends fills to `clients` if that is not null.
pawl::result<gateway> open(const run_options& options, fill_file* clients) {
    gateway_options to{.segment_bytes = options.segment_bytes,
                       .snapshot_every = options.snapshot_every};
    if (clients) {
        to.arrived = clients->arrived();
        to.send = [clients](const filled_data& fill) { clients->send(fill); };
    }
    return gateway::open(options.directory, std::move(to));
}

pawl::result<report> run_to_end(const run_options& options, fill_file* clients) {
    auto books = open(options, clients);
    if (!books)
        return std::unexpected(std::move(books.error()));
    const std::uint64_t first_command = books->state().commands;
    const std::uint64_t first_event = books->state().events;
    const order_flow flow{options.seed};
    const auto begin = std::chrono::steady_clock::now();
    while (books->state().commands < options.commands)
        if (auto taken = books->take(flow.next(books->state())); !taken)
            return std::unexpected(std::move(taken.error()));
    if (auto closed = books->close(); !closed)
        return std::unexpected(std::move(closed.error()));
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    return to_report(*books, first_command, first_event, seconds.count());
}

}  // namespace

int run(const run_options& options) {
    std::optional<fill_file> clients;
    if (!options.fills.empty()) {
        auto opened = fill_file::open(options.fills);
        if (!opened)
            return complain(opened.error());
        clients.emplace(std::move(*opened));
    }
    const auto done = run_to_end(options, clients ? &*clients : nullptr);
    if (!done)
        return complain(done.error());
    if (clients)
        if (auto closed = clients->close(); !closed)
            return complain(closed.error());
    return print(*done, options.json);
}

}  // namespace exchange
