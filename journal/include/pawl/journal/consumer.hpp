// How far a named reader of a journal has come: a file in DIR/consumers that outlives it, and a
// lease, so that only one process at a time reads under the name.
//
//     auto billing = pawl::consumer::open("orders", "billing");
//     if (!billing) return billing.error();
//     auto events = pawl::cursor::open("orders", {.from = billing->resume_from(),
//                                                 .show = pawl::visibility::durable});
//     if (!events) return events.error();
//     while (const pawl::event* e = events->next()) use(*e);
//     if (auto done = billing->commit({events->point()}); !done) return done.error();
//
// Most programs use pawl::subscription, which adds the cursor, a filter and whole batches. A
// consumer holds back pawl::prune: no event goes that it has not committed yet, until it is
// dropped by name.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/start.hpp>
#include <pawl/journal/types.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pawl {

namespace detail {
class consumer_lease;
}

struct consumer_position {
    log_point point{};           // every event before it was handled
    std::uint64_t event_ns = 0;  // time stamp of the last of them, for people; 0 if unknown
};

struct consumer_options {
    // What it reads, as a text of at most 2048 bytes that depends on nothing else. Opening it with
    // another one fails with invalid_argument, unless replace_selection is set: events that the old
    // one left out do not come again.
    std::string selection{};
    bool replace_selection = false;
    // Called if there is no consumer of that name yet: where it begins. Called again if a prune has
    // removed events from there on meanwhile, so it must look at the journal each time. It may open
    // other consumers. Empty: with the first event that the journal still has.
    std::function<result<consumer_position>()> begin{};
    // A commit is on stable storage when it returns, if the last one that was lies this far back;
    // otherwise it survives the process, but not a loss of power. 0: every commit. A loss of power
    // thus repeats events, and never skips one.
    std::chrono::nanoseconds sync_interval{0};
    bool allow_network_file_system = false;  // cursor_options
};

// One thread at a time uses a consumer.
class consumer {
  public:
    // Takes the lease, and creates the consumer if there is none. The name has 1 to 80 characters
    // of a-z, 0-9, _, - and ., begins with a letter or digit and does not end with .tmp. Fails with
    // locked, naming the process that holds it; damaged or newer_format if its file cannot be read;
    // diverged if it is of another journal; invalid_argument; what `begin` returned; pruned if the
    // journal begins after the position that `begin` returned; and not_a_journal,
    // network_file_system, foreign_owner, disk_full or io.
    [[nodiscard]] static result<consumer> open(const std::filesystem::path& directory,
                                               std::string_view name,
                                               consumer_options options = {});
    consumer(consumer&&) noexcept;
    consumer& operator=(consumer&&) noexcept;
    // Ends as the death of the process does: the lease ends, and what was committed stays.
    ~consumer();

    // The last position that was committed.
    [[nodiscard]] const consumer_position& position() const noexcept;
    // Where a cursor goes on; diverged if the journal has lost that event since.
    [[nodiscard]] from_point resume_from() const noexcept;

    // Stores a position, also one that lies further back. Costs one write of 4 KiB, and one sync as
    // sync_interval says; going back waits for a prune that runs. Fails with pruned, and changes
    // nothing, if the journal begins after that position; with not_found if somebody has removed or
    // replaced the file, forked in a child process, closed, disk_full or io. After a failed sync,
    // poisoned: open it again.
    [[nodiscard]] result<void> commit(const consumer_position& position);
    // Puts the last commit on stable storage, if it is not there yet.
    [[nodiscard]] result<void> sync();
    // When sync() becomes due by sync_interval; time_point::max() if nothing waits for it.
    [[nodiscard]] std::chrono::steady_clock::time_point sync_due() const noexcept;
    // sync(), then releases the lease, also if that failed. Any later call of a function that
    // returns a result fails with closed, even after a failed sync.
    [[nodiscard]] result<void> close();

  private:
    explicit consumer(std::unique_ptr<detail::consumer_lease> lease) noexcept;
    std::unique_ptr<detail::consumer_lease> lease_;
};

struct consumer_info {
    std::string name;
    std::string selection;
    consumer_position position{};
    // Prunes keep the events from here on. Before position.point only while that was not put on
    // stable storage.
    sequence_number holds_from = 0;
    std::uint64_t committed_ns = 0;
    bool held = false;  // a process has the lease now
    std::string owner;  // the process that last took it: id, program, host, boot
};

struct unreadable_consumer {
    std::string name;
    error why;
};

struct consumer_list {
    std::vector<consumer_info> consumers;         // by name
    std::vector<unreadable_consumer> unreadable;  // by name
};

// All consumers of a journal. Reads 8 KiB for each. Fails with not_a_journal or io, and with
// no_descriptors or out_of_memory, which say nothing about a consumer.
[[nodiscard]] result<consumer_list> list_consumers(const std::filesystem::path& directory);

// Removes a consumer, also one whose file cannot be read: it no longer holds back anything, and the
// next open of that name begins as a new one. Fails with not_found, with locked while a process
// uses it, not_a_journal, invalid_argument, no_descriptors or io; a file that cannot be opened to
// find out whether it is in use is not removed.
[[nodiscard]] result<void> drop_consumer(const std::filesystem::path& directory,
                                         std::string_view name);

}  // namespace pawl
