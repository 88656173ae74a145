// The exchange with its journal: it takes commands, and sends fills once they are durable.
//
// An example of a service that embeds Pawl: open, restore, then for every command decide, append,
// evolve.
#pragma once

#include "engine.hpp"
#include "latency_histogram.hpp"
#include "outbox.hpp"

#include <pawl/journal/writer.hpp>
#include <pawl/replay/decision.hpp>
#include <pawl/replay/restore.hpp>
#include <pawl/replay/snapshot_follower.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

namespace exchange {

struct gateway_options {
    std::uint64_t segment_bytes = 64ull << 20;  // of a new journal
    std::uint64_t snapshot_every = 100'000;     // events
    std::function<void(const filled_data&)> send = [](const filled_data&) {};
    // How many of the journal's fills have arrived; open() sends the later ones, which the last run
    // journaled but did not send. Without a value fills are not counted, and it sends none.
    std::optional<std::uint64_t> arrived{};
};

// One thread uses it.
class gateway {
  public:
    // Opens or creates the journal, recovers it if the last run died, and restores the books from
    // the newest snapshot and the events after it. Fails like pawl::writer::open and pawl::restore,
    // and with invalid_argument if more fills have arrived than were journaled.
    [[nodiscard]] static pawl::result<gateway> open(const std::filesystem::path& directory,
                                                    gateway_options options = {});

    // Decides a command and journals its events, all or nothing. A rejection counts as success,
    // because it is an event too. A failure leaves journal and books unchanged, except if the
    // events do not fit the books, which is a bug.
    [[nodiscard]] pawl::result<void> take(const command& c);

    // Waits until all events are durable, sends the last fills and closes the journal.
    [[nodiscard]] pawl::result<void> close();

    [[nodiscard]] const exchange_state& state() const noexcept { return state_; }
    [[nodiscard]] const pawl::recovery_report& recovery() const noexcept { return log_.recovery(); }
    [[nodiscard]] const pawl::restore_report& restored() const noexcept { return restored_; }
    [[nodiscard]] std::uint64_t fills_sent() const noexcept { return outbox_.sent(); }
    [[nodiscard]] std::uint64_t snapshots() const noexcept {
        return snapshots_.statistics().snapshots;
    }
    // The latency of the append alone (a command's events in one batch), including two clock reads.
    [[nodiscard]] const latency_histogram& append_latency() const noexcept {
        return append_latency_;
    }

  private:
    using follower = pawl::snapshot_follower<engine>;
    gateway(pawl::writer log, pawl::restored<engine> books, follower snapshots,
            gateway_options options);

    [[nodiscard]] pawl::result<void> send_missed(std::uint64_t arrived);

    pawl::writer log_;
    exchange_state state_;
    pawl::restore_report restored_;
    follower snapshots_;
    outbox outbox_;
    pawl::decision decided_;
    latency_histogram append_latency_;
};

}  // namespace exchange
