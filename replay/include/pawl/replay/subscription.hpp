// A named reader that resumes where it stopped: its position in the journal outlives the process.
//
//     auto risk = pawl::subscription::open("orders", "risk", {.filter = {{.types = {3, 4}}}});
//     if (!risk) return risk.error();
//     while (serving()) {
//         auto batch = risk->next(std::chrono::milliseconds{100});
//         if (!batch) return batch.error();
//         for (const pawl::event& e : *batch) use(e);
//         if (auto done = risk->commit(); !done) return done.error();
//     }
//
// Every event that the filter admits is returned at least once, in order. After a crash, those
// since the last commit come again: the sequence is the key by which a receiver knows what it has
// already handled. A subscription never sees part of a batch, and by default no event that a power
// cut could still take. What it has not committed holds back pawl::prune; list_consumers and
// drop_consumer, or `pawl consumers`, show and remove it.
#pragma once

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/cursor.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/journal/event_selection.hpp>
#include <pawl/journal/types.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace pawl {

namespace detail {
class subscription_state;
}

// Divides the streams among several subscriptions of one name: each event goes to exactly one
// member, and all events of a stream to the same one. The firehose goes to member 0. Each member
// has a position and a lease of its own, NAME.0-of-4 to NAME.3-of-4. With another number of members
// these are new consumers; drop the old ones, or they hold back pawl::prune forever.
struct subscription_share {
    std::uint32_t member = 0;  // below `members`
    std::uint32_t members = 1;
};

struct subscription_options {
    // Empty: all events but Pawl's own. Events that it leaves out move the position, too.
    std::optional<event_selection> filter{};
    subscription_share share{};
    // Where a new subscription begins: not from_version, and with `show` = durable at the end of
    // what is durable if the place lies beyond that. One that exists resumes where it was.
    start from = from_first{};
    // With published, a power cut may take events that were already handled; the next open then
    // fails with diverged.
    visibility show = visibility::durable;
    wait_strategy wait = wait_strategy::block;
    // 0: each commit is on stable storage when it returns. Otherwise at most once in this time,
    // also while next() waits; a power cut repeats what was committed since.
    std::chrono::nanoseconds sync_interval{0};
    // True: accept a filter other than the one before. Otherwise it is invalid_argument, because
    // events that the old one left out do not come again.
    bool replace_filter = false;
    bool allow_network_file_system = false;  // cursor_options
};

// One thread at a time uses a subscription. Its cost is that of a cursor, and of the commits.
class subscription {
  public:
    // Takes the lease and goes to the position. The name has 1 to 60 characters of a-z, 0-9, _ and
    // -, and begins with a letter or digit. Fails with locked, naming the process that holds it;
    // diverged if the journal has lost the event before the position, pruned if the events after it
    // are gone; and like consumer::open and cursor::open.
    [[nodiscard]] static result<subscription> open(const std::filesystem::path& directory,
                                                   std::string_view name,
                                                   subscription_options options = {});
    subscription(subscription&&) noexcept;
    subscription& operator=(subscription&&) noexcept;
    ~subscription();

    // The next events that belong together: those of one batch that the filter admits, or one
    // event. Valid until the next call of next() or reset(). Empty if none came within `timeout`; 0
    // takes only what is there. Fails like cursor::wait and cursor::finish; the subscription is
    // then over, except that the position can still be committed.
    [[nodiscard]] result<std::span<const event>> next(std::chrono::nanoseconds timeout);

    // Everything that next() has returned or passed over was handled. Cost and errors are those of
    // consumer::commit; without anything new it costs nothing.
    [[nodiscard]] result<void> commit();
    [[nodiscard]] result<void> sync();   // puts the last commit on stable storage
    [[nodiscard]] result<void> close();  // sync(), and releases the lease; does not commit

    // Goes to another place, as subscription_options::from says, and commits that. A sequence
    // inside a batch means its first event. If the place cannot be had, fails like cursor::open
    // (pruned, also if a prune removes it meanwhile), and changes nothing. If it cannot be stored,
    // fails like consumer::commit; after a failed sync, the next open may find either place.
    [[nodiscard]] result<void> reset(const start& from);

    [[nodiscard]] const consumer_position& committed() const noexcept;
    // The first sequence that next() has neither returned nor passed over.
    [[nodiscard]] sequence_number next_sequence() const noexcept;

  private:
    explicit subscription(std::unique_ptr<detail::subscription_state> state) noexcept;
    std::unique_ptr<detail::subscription_state> state_;
};

}  // namespace pawl
