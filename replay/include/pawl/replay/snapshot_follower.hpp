// Takes snapshots next to a running writer, without touching it.
//
//     auto follower = pawl::snapshot_follower<exchange>::start(
//         "orders", {}, {.every_events = 100'000});
//     if (!follower) return follower.error();
//     use(follower->statistics().snapshots);
//     if (auto stopped = follower->stop(); !stopped) return stopped.error();
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/options.hpp>
#include <pawl/replay/detail/follower_thread.hpp>
#include <pawl/replay/detail/take_snapshots.hpp>
#include <pawl/replay/snapshot_store.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace pawl {

struct snapshot_follower_options {
    // Takes a snapshot when any of these has passed since the last one, at the end of a batch, if
    // the state has changed: events, bytes of payloads, time. 0: not for that reason.
    std::uint64_t every_events = 1'000'000;
    std::uint64_t every_bytes = 0;
    std::chrono::nanoseconds every_time{0};
    // True: stop() applies what is durable by then and takes a last one, so that the next start has
    // little to replay. Stop the follower after the writer was closed, or synced for the last time.
    bool at_stop = false;
    snapshot_options snapshots{};
    thread_options thread{};
    bool allow_network_file_system = false;  // cursor_options
    // Called with each failure, on the follower's thread. Must not throw.
    std::function<void(const error&)> observer{};
};

struct snapshot_follower_statistics {
    sequence_number next_sequence = 0;  // of the follower's state
    std::uint64_t snapshots = 0;        // taken
    std::uint64_t failures = 0;         // snapshots that could not be written
};

// A thread with its own cursor and state. It restores the state, follows the journal across
// rollovers and writers, and reads durable events only, so that no snapshot holds an event that the
// log may still lose. A snapshot that cannot be written (a full disk) is counted and retried later;
// an event that cannot be read or applied ends the thread. Any thread may make any call; stop and
// the destructor are for one thread, once.
template <snapshots Fold>
class snapshot_follower {
  public:
    // Fails with invalid_argument, out_of_memory, or io if no thread can be started. failure() and
    // stop() report any later failure of the thread.
    [[nodiscard]] static result<snapshot_follower> start(const std::filesystem::path& directory,
                                                         Fold by = {},
                                                         snapshot_follower_options options = {}) {
        const detail::snapshot_intervals every{options.every_events, options.every_bytes,
                                               options.every_time};
        if (every.events == 0 && every.bytes == 0 && every.time.count() <= 0 && !options.at_stop)
            return std::unexpected(
                error{.code = errc::invalid_argument,
                      .reason = "snapshot_follower_options give no reason to take a snapshot"});
        return detail::guarded([&]() -> result<snapshot_follower> {
            auto thread = detail::follower_thread::start(
                options.thread, std::move(options.observer),
                [plan = detail::snapshot_plan{detail::follower_thread::from_here(directory),
                                              std::move(options.snapshots), every, options.at_stop,
                                              options.allow_network_file_system},
                 by = std::move(by)](detail::follower_thread& self) {
                    return detail::take_snapshots(self, plan, by);
                });
            if (!thread)
                return std::unexpected(std::move(thread.error()));
            return snapshot_follower{std::move(*thread)};
        });
    }

    // The reason why the thread ended; empty while it runs.
    [[nodiscard]] std::optional<error> failure() const { return thread_->failure(); }

    [[nodiscard]] snapshot_follower_statistics statistics() const noexcept {
        const auto now = thread_->counters();
        return {now.next_sequence, now.snapshots, now.failures};
    }

    // Ends the thread, within tens of milliseconds plus the time of a snapshot in progress, and
    // returns the error that had ended it earlier, if any. Takes a last snapshot only with at_stop,
    // which takes the time to apply what is durable and has not been applied yet.
    [[nodiscard]] result<void> stop() { return thread_->stop(); }

  private:
    explicit snapshot_follower(std::unique_ptr<detail::follower_thread> thread) noexcept
        : thread_{std::move(thread)} {}

    std::unique_ptr<detail::follower_thread> thread_;  // its destructor stops it
};

}  // namespace pawl
