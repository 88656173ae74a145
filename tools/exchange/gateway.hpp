// The exchange in front of its journal: commands go in, and fills come out once they are durable.
//
// This is what a service that embeds Pawl looks like: open, restore, then for every command decide,
// append, evolve.
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
    // How many of the journal's fills have arrived; those behind them that the last run journaled
    // and did not get to send are sent now. Without a value nobody counts, and they are not.
    std::optional<std::uint64_t> arrived{};
};

// Used by one thread.
class gateway {
  public:
    // Opens or creates the journal, recovers it if the last run died, and brings the books back
    // from the newest snapshot and the events behind it. Fails as pawl::writer::open and
    // pawl::restore, and with invalid_argument where more fills have arrived than were journaled.
    [[nodiscard]] static pawl::result<gateway> open(const std::filesystem::path& directory,
                                                    gateway_options options = {});

    // Decides a command and journals what follows from it, all or nothing. A rejection is a
    // success, for it is an event too. After a failure journal and books are as they were, except
    // where the events do not fit the books, which is a bug.
    [[nodiscard]] pawl::result<void> take(const command& c);

    // Waits until all is durable, sends the last fills and closes the journal.
    [[nodiscard]] pawl::result<void> close();

    [[nodiscard]] const exchange_state& state() const noexcept { return state_; }
    [[nodiscard]] const pawl::recovery_report& recovery() const noexcept { return log_.recovery(); }
    [[nodiscard]] const pawl::restore_report& restored() const noexcept { return restored_; }
    [[nodiscard]] std::uint64_t fills_sent() const noexcept { return outbox_.sent(); }
    [[nodiscard]] std::uint64_t snapshots() const noexcept {
        return snapshots_.statistics().snapshots;
    }
    // Of the append alone, a command's events in one batch; with the two looks at the clock.
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
