// Takes snapshots beside a running writer, without touching it.
//
//     auto follower = pawl::snapshot_follower<exchange>::start("orders", {}, {.every_events =
//     100'000}); … if (auto stopped = follower->stop(); !stopped) say(stopped.error());
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/options.hpp>
#include <pawl/replay/detail/follower_thread.hpp>
#include <pawl/replay/detail/take_snapshots.hpp>
#include <pawl/replay/snapshot_store.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace pawl {

struct snapshot_follower_options {
    // A snapshot is due when so many events lie behind the last one.
    std::uint64_t every_events = 1'000'000;
    snapshot_options snapshots{};
    thread_options thread{};
    // Told of each failure, on the follower's thread.
    std::function<void(const error&)> observer{};
};

struct snapshot_follower_statistics {
    sequence_number next_sequence = 0;  // of the follower's state
    std::uint64_t snapshots = 0;        // taken
    std::uint64_t failures = 0;         // of snapshots that were not
};

// A thread with a cursor and a state of its own. It restores the state, follows the journal across
// rollovers and writers, and sees durable events only, so that no snapshot can hold what the log
// then loses. A snapshot that cannot be written (a full disk) is counted and tried again later; an
// event that cannot be read or applied ends the thread. Any call may come from any thread; those
// that end it (stop, the destructor) once.
template <snapshots Fold>
class snapshot_follower {
  public:
    // Fails with invalid_argument or, where no thread can be had, io. What the thread then meets in
    // the journal is told by failure() and stop().
    [[nodiscard]] static result<snapshot_follower> start(const std::filesystem::path& directory,
                                                         Fold by = {},
                                                         snapshot_follower_options options = {}) {
        if (options.every_events == 0)
            return fail(errc::invalid_argument, "every_events is 0");
        auto thread = detail::follower_thread::start(
            options.thread, std::move(options.observer),
            [directory, by = std::move(by), snapshots = std::move(options.snapshots),
             every = options.every_events](detail::follower_thread& self) {
                return detail::take_snapshots(self, directory, by, snapshots, every);
            });
        if (!thread)
            return std::unexpected(std::move(thread.error()));
        return snapshot_follower{std::move(*thread)};
    }

    // Why the thread has ended, if it has.
    [[nodiscard]] std::optional<error> failure() const { return thread_->failure(); }

    [[nodiscard]] snapshot_follower_statistics statistics() const noexcept {
        const auto now = thread_->counters();
        return {now.next_sequence, now.snapshots, now.failures};
    }

    // Ends the thread, within some tens of milliseconds and what a snapshot under way takes, and
    // returns what had ended it before. Takes no last snapshot.
    [[nodiscard]] result<void> stop() { return thread_->stop(); }

  private:
    explicit snapshot_follower(std::unique_ptr<detail::follower_thread> thread) noexcept
        : thread_{std::move(thread)} {}

    std::unique_ptr<detail::follower_thread> thread_;  // its destructor stops it
};

}  // namespace pawl
