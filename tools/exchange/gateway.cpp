#include "gateway.hpp"

#include <events_bfbs.hpp>

#include <pawl/codec/decode.hpp>
#include <pawl/codec/registration.hpp>
#include <pawl/journal/cursor.hpp>

#include <chrono>
#include <cstddef>
#include <utility>

namespace exchange {

pawl::result<gateway> gateway::open(const std::filesystem::path& directory,
                                    gateway_options options) {
    auto log = pawl::writer::open(directory, {.segment_bytes = options.segment_bytes});
    if (!log)
        return std::unexpected(std::move(log.error()));
    if (auto known = pawl::register_events<engine::events>(*log, events_bfbs()); !known)
        return std::unexpected(std::move(known.error()));
    auto books = pawl::restore<engine>(directory);
    if (!books)
        return std::unexpected(std::move(books.error()));
    auto snapshots = follower::start(directory, {}, {.every_events = options.snapshot_every});
    if (!snapshots)
        return std::unexpected(std::move(snapshots.error()));
    const auto arrived = options.arrived;
    gateway opened{std::move(*log), std::move(*books), std::move(*snapshots), std::move(options)};
    if (arrived)
        if (auto sent = opened.send_missed(*arrived); !sent)
            return std::unexpected(std::move(sent.error()));
    return opened;
}

gateway::gateway(pawl::writer log, pawl::restored<engine> books, follower snapshots,
                 gateway_options options)
    : log_{std::move(log)},
      state_{std::move(books.state)},
      restored_{std::move(books.report)},
      snapshots_{std::move(snapshots)},
      outbox_{std::move(options.send)} {}

pawl::result<void> gateway::send_missed(std::uint64_t arrived) {
    if (arrived > state_.fills)
        return pawl::fail(pawl::errc::invalid_argument, "fills have arrived from another journal");
    if (arrived == state_.fills)
        return {};
    auto events = pawl::cursor::open(log_.directory());
    if (!events)
        return std::unexpected(std::move(events.error()));
    std::uint64_t number = 0;
    const auto read = events->for_each([&](const pawl::event& event) -> pawl::result<void> {
        if (!pawl::is<filled>(event) || number++ < arrived)
            return {};
        const auto fill = pawl::decode<filled>(event);
        if (!fill)
            return std::unexpected(fill.error());
        outbox_.hold(event.sequence(), **fill);
        return {};
    });
    if (!read)
        return std::unexpected(read.error());
    outbox_.release(log_.durable());
    return {};
}

pawl::result<void> gateway::take(const command& c) {
    decided_.clear();
    engine::decide(c, state_, decided_);
    if (decided_.failure())
        return std::unexpected(*decided_.failure());

    const auto begin = std::chrono::steady_clock::now();
    const auto last = decided_.append_to(log_);
    append_latency_.add(
        static_cast<std::uint64_t>((std::chrono::steady_clock::now() - begin).count()));
    if (!last)
        return std::unexpected(last.error());

    for (std::size_t n = 0; n < decided_.size(); ++n) {
        const pawl::typed_payload event = decided_.payload(n);
        if (auto done = pawl::evolve(engine{}, state_, event, pawl::payload_check::trust); !done)
            return done;
        if (pawl::is<filled>(event))
            outbox_.hold(last->sequence, pawl::view<filled>(event));
    }
    outbox_.release(log_.durable());
    return {};
}

pawl::result<void> gateway::close() {
    const auto durable = log_.sync();
    if (!durable)
        return std::unexpected(durable.error());
    outbox_.release(*durable);
    if (auto stopped = snapshots_.stop(); !stopped)
        return stopped;
    return log_.close();
}

}  // namespace exchange
