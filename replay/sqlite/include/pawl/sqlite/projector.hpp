// Follows a journal and keeps read models of it in an SQLite database.
//
//     auto views = pawl::projector::open("orders", "views.db");
//     if (!views) return views.error();
//     if (auto added = views->add<balances>(pawl::stop_at_failure{}); !added) return added.error();
//     while (serving()) {
//         auto moved = views->advance(std::chrono::milliseconds{100});
//         if (!moved) return moved.error();
//     }
//     if (auto closed = views->close(); !closed) return closed.error();
//
// Another thread that has appended an event waits until readers of the database see its effect:
//
//     auto seen = views.wait_for<balances>(event->sequence(), std::chrono::seconds{1});
//     if (!std::holds_alternative<pawl::projected::reached>(seen)) use("not there yet");
//
// The effect of an event, the events that were parked or left out and the position in the journal
// change in one transaction, which ends with a whole batch of the log. After a crash the projector
// goes on where the database stands. A projection that is new, or has a new version, is folded from
// event 0 on beside the one that readers see, and replaces it in one transaction when it has caught
// up; the old one stays, and stands still, until drop() removes it.
//
// A projector owns the one connection that writes to the database and checkpoints its WAL; a second
// projector of the same database fails with locked. Readers open it with mode=ro. Each projection
// is a consumer of the journal ("NAME.vVERSION"), and so holds back pawl::prune.
//
// One thread at a time uses a projector, except that any thread may call wait_for() and status();
// these calls must have returned before the projector is moved or destroyed.
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>
#include <pawl/sqlite/projection.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pawl {

namespace detail {
class projector_state;
}

// What wait_for() found.
namespace projected {
struct reached {
};  // readers see the effects of all events up to it, but for those parked or left out
struct late {
    sequence_number next = 0;  // the first event that the projection has not passed yet
    bool building = false;     // readers do not see the projection at this version yet
};
struct stopped {
    sequence_number event = 0;  // before which it stopped
    error why;
};
struct parked {
    std::string key;  // of the event waited for
};
struct skipped {};  // the event waited for was left out, by skip_failure or drop_parked()
using outcome = std::variant<reached, late, stopped, parked, skipped>;
}  // namespace projected

// What becomes of a projection that shows events which the journal no longer has, or another
// journal's: a power cut can take published events, and a backup may be older than the database.
enum class when_diverged : std::uint8_t {
    stop,     // with diverged
    rebuild,  // it is folded again from event 0, and replaces the wrong one when it has caught up
};

struct projector_options {
    // With published, readers may see events that a power cut then takes from the journal.
    visibility show = visibility::durable;
    when_diverged diverged = when_diverged::stop;
    // A transaction ends after so many events or so long, or when there are no more for now.
    std::size_t batch_events = 10'000;
    std::chrono::nanoseconds batch_time = std::chrono::milliseconds{100};
    // Comes before the consumers' names, for a second database with the same projections: 1 to 10
    // of a-z, 0-9, _ and -. Without it, adding one that another database has fails with
    // invalid_argument, and names that.
    std::string consumer_prefix{};
    bool allow_network_file_system = false;  // cursor_options
};

struct projection_status {
    std::uint32_t version = 0;
    bool live = false;               // readers see it; false while it is built
    sequence_number next = 0;        // the first event that it has not passed yet
    std::uint64_t applied = 0;       // events
    std::size_t parked = 0;          // events
    std::size_t skipped = 0;         // events
    std::optional<error> stopped{};  // why it stopped, before event `next` or one in its batch
};

struct parked_event {
    sequence_number sequence = 0;
    std::string key;
    std::string why;  // empty: it follows one that failed
};

struct retry_report {
    std::uint64_t applied = 0;
    std::uint64_t left = 0;  // still parked: the first of them failed again
    std::string why{};       // it failed
};

class projector {
  public:
    // Creates the database if there is none. Fails with locked, naming the lock file, if another
    // projector has it; newer_format, or like sql statements (projection_tables). Does not look at
    // the journal: add() does.
    [[nodiscard]] static result<projector> open(const std::filesystem::path& directory,
                                                const std::filesystem::path& database,
                                                projector_options options = {});
    projector(projector&&) noexcept;
    projector& operator=(projector&&) noexcept;
    ~projector();  // ends as a crash does

    // Before the first advance(). Creates the tables of a version that the database does not have.
    // Fails with what `create` returned; invalid_argument for a name, or a table's name, that is
    // taken or wrong, or without a `key` for park_key or for events that are parked; pruned if the
    // journal no longer has events that the projection has not seen; and like consumer::open.
    template <projection P>
    [[nodiscard]] result<void> add(failure_policy on_failure) {
        return add_type(detail::projection_type_of<P>(), on_failure);
    }

    // Takes each projection one transaction further, waiting up to `timeout` for an event if there
    // is nothing to do. False if nothing was done. If a projection stops, finishes the others and
    // then fails with the reason; later calls go on without it, and fail again once all have
    // stopped. A stopped projection goes on only when the database is opened again. An exception of
    // `apply` passes through, and undoes the transaction; the next call goes on before it.
    [[nodiscard]] result<bool> advance(std::chrono::nanoseconds timeout);

    // Waits until the projection has passed that event, and readers see it. Returns `late` after
    // `timeout`, also if no thread calls advance(); `stopped` at once if the projection has stopped
    // before that event, was not added or is closed.
    template <projection P>
    [[nodiscard]] projected::outcome wait_for(sequence_number sequence,
                                              std::chrono::nanoseconds timeout) const {
        return wait_for_named(P::name, sequence, timeout);
    }
    // not_found if it was not added.
    template <projection P>
    [[nodiscard]] result<projection_status> status() const {
        return status_of(P::name);
    }

    // In the order of the log.
    template <projection P>
    [[nodiscard]] result<std::vector<parked_event>> parked() const {
        return parked_of(P::name);
    }
    // Applies the parked events of a key in their order, up to the first that fails again. Fails
    // with not_found without such a key; diverged if the journal has another event there.
    template <projection P>
    [[nodiscard]] result<retry_report> retry(std::string_view key) {
        return retry_key(P::name, key);
    }
    // Leaves out the parked events of a key for good, on record. Returns their number, or
    // not_found.
    template <projection P>
    [[nodiscard]] result<std::uint64_t> drop_parked(std::string_view key) {
        return drop_key(P::name, key);
    }
    // Removes a version that is not live and was not added, its tables and its consumer.
    [[nodiscard]] result<void> drop(std::string_view name, std::uint32_t version);

    // Stores the positions, and lets go of the database.
    [[nodiscard]] result<void> close();

  private:
    explicit projector(std::unique_ptr<detail::projector_state> state) noexcept;
    [[nodiscard]] result<void> add_type(const detail::projection_type& type,
                                        const failure_policy& on_failure);
    [[nodiscard]] projected::outcome wait_for_named(std::string_view name, sequence_number sequence,
                                                    std::chrono::nanoseconds timeout) const;
    [[nodiscard]] result<projection_status> status_of(std::string_view name) const;
    [[nodiscard]] result<std::vector<parked_event>> parked_of(std::string_view name) const;
    [[nodiscard]] result<retry_report> retry_key(std::string_view name, std::string_view key);
    [[nodiscard]] result<std::uint64_t> drop_key(std::string_view name, std::string_view key);

    std::unique_ptr<detail::projector_state> state_;
};

}  // namespace pawl
