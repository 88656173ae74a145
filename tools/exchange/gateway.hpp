// The exchange with its journal: it takes commands from the threads of its clients' sessions,
// answers each once it is durable, and sends fills once they are.
//
// An example of a service that embeds Pawl: open, restore, then decide, append, evolve for every
// command, on one thread behind a queue.
#pragma once

#include "day_orders.hpp"
#include "engine.hpp"
#include "fill_sender.hpp"

#include <pawl/journal/writer.hpp>
#include <pawl/replay/command_loop.hpp>
#include <pawl/replay/command_origin.hpp>
#include <pawl/replay/restore.hpp>
#include <pawl/replay/snapshot_follower.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace exchange {

struct gateway_options {
    std::uint64_t segment_bytes = 64ull << 20;  // of a new journal
    std::uint64_t snapshot_every = 100'000;     // events
    // The newest commands that are answered, not decided, if they are sent again.
    std::uint32_t command_window = 100'000;
    std::function<void(const fill_notice&)> send = [](const fill_notice&) {};
    // How many of the journal's fills and busts have arrived; the gateway sends the later ones,
    // which the last run journaled but did not send. Without a value it sends only new ones.
    std::optional<std::uint64_t> arrived{};
};

class gateway {
  public:
    // What a command led to, a reason why it was refused, or an error of the journal.
    using outcome = pawl::command_loop<engine>::outcome;

    // Opens or creates the journal, recovers it if the last run died, and restores the books from
    // the newest snapshot and the events after it. Fails like pawl::writer::open, pawl::restore and
    // fill_sender::start.
    [[nodiscard]] static pawl::result<gateway> open(const std::filesystem::path& directory,
                                                    gateway_options options = {});

    // Any thread; one at a time for a session, whose commands are decided in the order in which
    // they were submitted. done(outcome) is called once, on a thread of the gateway, when the
    // outcome is durable. A command that was sent before gets its first outcome again, as long as
    // its id is among the newest of the window. Waits while the queue is full.
    template <class Done>
    [[nodiscard]] pawl::result<void> submit(const command& c, Done done) {
        return loop_->submit(c, pawl::accepted_when::durable, std::move(done), origin_of(c));
    }

    // Ends day orders whose time comes later only in the next run. Decides what is queued, waits
    // until all events are durable, sends the last fills and closes the journal.
    [[nodiscard]] pawl::result<void> close();

    // As it was when the gateway was opened, until it is closed; then as it is.
    [[nodiscard]] const exchange_state& state() const noexcept { return state_; }
    [[nodiscard]] const pawl::recovery_report& recovery() const noexcept {
        return log_->recovery();
    }
    [[nodiscard]] const pawl::restore_report& restored() const noexcept { return restored_; }
    [[nodiscard]] std::uint64_t fills_sent() const noexcept { return sender_.sent(); }
    [[nodiscard]] std::uint64_t snapshots() const noexcept {
        return snapshots_.statistics().snapshots;
    }
    [[nodiscard]] pawl::command_loop_statistics statistics() const noexcept {
        return loop_->statistics();
    }

  private:
    using follower = pawl::snapshot_follower<engine>;
    using command_loop = pawl::command_loop<engine>;

    gateway(std::unique_ptr<pawl::writer> log, pawl::restored<engine> books, follower snapshots,
            fill_sender sender, std::unique_ptr<command_loop> loop, day_orders expiry);

    // A client's order id is the id of its command. A refusal is recorded, so that the command is
    // refused again if it is sent again, although it might fit the books by then.
    [[nodiscard]] static pawl::command_origin origin_of(const command& c);

    std::unique_ptr<pawl::writer> log_;  // the loop refers to it
    exchange_state state_;
    pawl::restore_report restored_;
    follower snapshots_;
    fill_sender sender_;
    std::unique_ptr<command_loop> loop_;
    day_orders expiry_;  // submits to the loop, and so ends first
};

}  // namespace exchange
