#include "clients.hpp"
#include "fill_file.hpp"
#include "gateway.hpp"
#include "report.hpp"
#include "state_bytes.hpp"
#include "subcommands.hpp"

#include <fmt/core.h>

#include <pawl/codec/utc_time.hpp>

#include <chrono>
#include <cstddef>
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

// One line for each reason: how many were refused, and why.
report refusals(const client_report& clients) {
    report lines = report::array();
    for (std::size_t n = 0; n < clients.refused.size(); ++n)
        if (clients.refused[n] != 0)
            lines.push_back(
                fmt::format("{} {}", clients.refused[n], in_words(static_cast<reason>(n))));
    return lines;
}

report to_report(const gateway& books, const client_report& clients, const exchange_state& before,
                 double seconds) {
    const exchange_state& s = books.state();
    const pawl::command_loop_statistics loop = books.statistics();
    const double decided = static_cast<double>(loop.decided);
    const auto per_s = seconds > 0 ? static_cast<std::uint64_t>(decided / seconds) : 0;
    const auto us = [&](double share) { return clients.answer_ns.at(share) / 1000; };
    return {{"found", what_was_found(books.recovery())},
            {"snapshot", snapshot_used(books.restored())},
            {"books_from", books.restored().message()},
            {"continued_behind", before.commands()},
            {"commands", s.commands()},
            {"sent_again", clients.sent_again},
            {"repeated", clients.repeated},
            {"accepted", clients.accepted},
            {"refused", refusals(clients)},
            {"events", s.events},
            {"commands_per_s", per_s},
            {"durable_p50_us", us(0.5)},
            {"durable_p99_us", us(0.99)},
            {"durable_max_us", clients.answer_ns.maximum() / 1000},
            {"most_queued", loop.most_queued},
            {"fills", s.fills},
            {"busts", s.busts},
            {"fills_sent", books.fills_sent()},
            {"snapshots", books.snapshots()},
            {"digest", hexadecimal(fingerprint(s))}};
}

// Opens the gateway, which sends fills to `clients` if that is not null.
pawl::result<gateway> open(const run_options& options, fill_file* clients) {
    gateway_options to{.segment_bytes = options.segment_bytes,
                       .snapshot_every = options.snapshot_every};
    if (clients) {
        to.arrived = clients->arrived();
        to.send = [clients](const fill_notice& fill) { clients->send(fill); };
    }
    return gateway::open(options.directory, std::move(to));
}

// When the options' day ends; 0 if it does not.
pawl::result<std::uint64_t> end_of_day(const run_options& options) {
    if (options.day_ends.empty())
        return 0;
    const auto at = pawl::parse_utc(options.day_ends);
    if (!at)
        return std::unexpected(pawl::error{.code = pawl::errc::invalid_argument,
                                           .detail = "--day-ends is no time: " + options.day_ends});
    return *at;
}

pawl::result<report> run_to_end(const run_options& options, fill_file* clients) {
    const auto day_ends = end_of_day(options);
    if (!day_ends)
        return std::unexpected(day_ends.error());
    auto books = open(options, clients);
    if (!books)
        return std::unexpected(std::move(books.error()));
    const exchange_state before = books->state();
    const auto begin = std::chrono::steady_clock::now();
    const auto done = run_clients(*books, {.seed = options.seed,
                                           .sessions = options.sessions,
                                           .commands = options.commands,
                                           .sent_again = options.sent_again,
                                           .day_ends_ns = *day_ends});
    if (!done)
        return std::unexpected(done.error());
    if (auto closed = books->close(); !closed)
        return std::unexpected(std::move(closed.error()));
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    return to_report(*books, *done, before, seconds.count());
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
