// The drop copy: every trade and every bust, for a receiver that must have them all, such as a
// clearing firm. A subscription, in a process of its own.
#include "events.hpp"
#include "fill_notice.hpp"
#include "report.hpp"
#include "subcommands.hpp"

#include <fmt/core.h>

#include <pawl/replay/subscription.hpp>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace exchange {
namespace {

// One line for each trade, and one with a negative quantity for each that was busted. The sequence
// comes first: a receiver that has seen it before drops the line, because what was written and not
// committed when the process died comes again.
pawl::result<void> put(const pawl::event& from) {
    const auto trade = notice_of(from);
    if (!trade)
        return std::unexpected(trade.error());
    const std::string line = fmt::format("{},{},{},{},{},{}\n", from.sequence(), trade->instrument,
                                         trade->maker, trade->taker, trade->price, trade->quantity);
    (void)std::fwrite(line.data(), 1, line.size(), stdout);
    return {};
}

// A commit says that the lines before it have arrived, so they must have left this process.
pawl::result<void> hand_over() {
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
        return std::unexpected(pawl::error{.code = pawl::errc::io,
                                           .os_error = errno,
                                           .file = "standard output",
                                           .detail = "cannot write"});
    return {};
}

pawl::result<void> copy(const drop_copy_options& options) {
    constexpr std::chrono::milliseconds patience{100};
    constexpr std::uint64_t trades_a_commit = 1000;
    const std::vector trades{pawl::event_traits<filled>::type, pawl::event_traits<busted>::type};
    auto source =
        pawl::subscription::open(options.directory, options.name, {.filter = {{.types = trades}}});
    if (!source)
        return std::unexpected(std::move(source.error()));
    for (std::uint64_t since_commit = 0;;) {
        const auto batch = source->next(options.follow ? patience : std::chrono::milliseconds{0});
        if (!batch)
            return std::unexpected(batch.error());
        for (const pawl::event& each : *batch) {
            if (auto written = put(each); !written)
                return written;
        }
        since_commit += batch->size();
        if (!batch->empty() && since_commit < trades_a_commit)
            continue;
        if (auto handed = hand_over(); !handed)
            return handed;
        const pawl::sequence_number before = source->committed().point.next;
        if (auto done = source->commit(); !done)
            return done;
        since_commit = 0;
        const bool at_end = batch->empty() && before == source->committed().point.next;
        if (at_end && !options.follow)
            return source->close();
    }
}

}  // namespace

int drop_copy(const drop_copy_options& options) {
    const auto done = copy(options);
    return done ? 0 : complain(done.error());
}

}  // namespace exchange
