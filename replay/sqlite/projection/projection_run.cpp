#include "sqlite/projection/projection_run.hpp"

#include "os/assertion.hpp"
#include "os/deadline.hpp"

#include <pawl/journal/detail/guarded.hpp>

#include <algorithm>
#include <utility>

namespace pawl::detail {

using std::chrono::steady_clock;

namespace {

// How often the position is stored while no event concerns the projection, and the consumer's.
constexpr std::chrono::seconds store_interval{1};

// Forgets the cursor when an exception of `apply` passes, because it has then gone past events
// whose effects were rolled back.
class forget_on_exception {
  public:
    explicit forget_on_exception(std::optional<cursor>& events) noexcept : events_{events} {}
    forget_on_exception(const forget_on_exception&) = delete;
    forget_on_exception& operator=(const forget_on_exception&) = delete;
    ~forget_on_exception() {
        if (!returns)
            events_.reset();
    }
    bool returns = false;

  private:
    std::optional<cursor>& events_;
};

}  // namespace

bool is_of_machine(const error& why) noexcept {
    return why.code >= errc::io || why.code == errc::locked || why.code == errc::damaged;
}

bool projection_run::wants(std::uint16_t type) const noexcept {
    return std::ranges::find(type_.types, type) != type_.types.end();
}

void projection_run::publish() {
    const std::scoped_lock lock{shared_.mutex};
    progress_.status.next = reached_.point.next;
    progress_.status.applied = build_.applied;
    progress_.status.parked = progress_.parked.size();
    progress_.status.skipped = progress_.skipped.size();
    progress_.status.live = build_.state == projection_state::live;
    shared_.moved.notify_all();
}

void projection_run::stop(const error& why) {
    has_stopped_ = true;
    events_.reset();
    // For people; if it cannot be recorded, the program has the error all the same.
    (void)shared_.store.record_stop(build_.id, why.message());
    {
        const std::scoped_lock lock{shared_.mutex};
        progress_.status.stopped = copy_of(why);
    }
    publish();
}

result<bool> projection_run::advance() {
    if (has_stopped_)
        return std::unexpected(copy_of(*progress_.status.stopped));
    forget_on_exception passing{events_};
    auto moved = guarded([&] { return advance_to_commit(); });
    passing.returns = true;
    if (!moved)
        stop(moved.error());
    return moved;
}

result<bool> projection_run::advance_to_commit() {
    for (;;) {
        if (!events_) {
            auto found = find_place();
            if (!found)
                return std::unexpected(std::move(found.error()));
            if (!*found)
                continue;
        }
        auto end = run_batch();
        // A recovery has cut the log: find_place() finds out whether that concerns the database.
        if (!end && end.error().code == errc::rewound) {
            events_.reset();
            reached_ = build_.position;
            publish();
            continue;
        }
        if (!end)
            return std::unexpected(std::move(end.error()));
        if (*end != batch_end::try_again)
            return *end == batch_end::moved;
    }
}

result<cursor> projection_run::open_events() const {
    return cursor::open(
        shared_.directory,
        {.from = from_point{.point = build_.position.point, .taken_in = build_.journal},
         .show = shared_.options.show,
         .follow = true,
         .allow_network_file_system = shared_.options.allow_network_file_system});
}

result<bool> projection_run::find_place() {
    auto opened = open_events();
    {
        const std::scoped_lock lock{shared_.mutex};
        progress_.is_of_journal = opened.has_value();
    }
    if (!opened && opened.error().code == errc::diverged &&
        shared_.options.diverged == when_diverged::rebuild) {
        auto begun = start_build();
        return begun ? result<bool>{false} : std::unexpected(std::move(begun.error()));
    }
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    events_ = std::move(*opened);
    reached_ = build_.position;
    if (!std::exchange(retries_done_, true))
        if (auto done = retry_asked(); !done)
            return std::unexpected(std::move(done.error()));
    return true;
}

void projection_run::wait(std::chrono::nanoseconds timeout) {
    if (events_)
        (void)events_->wait(timeout);
}

result<projection_run::batch_end> projection_run::run_batch() {
    batch now{.position = reached_};
    if (auto read = read_batch(now); !read) {
        const bool is_new = !careful_at_ || *careful_at_ != now.position.point.next;
        if (!now.event_failed || !is_new)
            return std::unexpected(std::move(read.error()));
        // First those before the batch of the log that it is in, and then that one by itself, with
        // a savepoint for each event: the usual batch has none, because each would cost a third of
        // a row.
        careful_at_ = now.position.point.next;
        events_.reset();
        return batch_end::try_again;
    }
    if (careful_at_ && now.position.point.next > *careful_at_)
        careful_at_.reset();
    const bool moved = now.position.point != reached_.point;
    if (moved)
        if (auto done = commit(now); !done)
            return std::unexpected(std::move(done.error()));
    if (build_.state != projection_state::live) {
        if (!at_end_)
            return batch_end::moved;
        if (auto done = swap(); !done)
            return std::unexpected(std::move(done.error()));
        return batch_end::moved;
    }
    if (moved)
        return batch_end::moved;
    // What was passed since the last time must not hold back prunes while nothing more comes.
    if (auto done = steady_clock::now() < next_store_ ? hold(false) : store_position(); !done)
        return std::unexpected(std::move(done.error()));
    return batch_end::idle;
}

result<void> projection_run::read_batch(batch& into) {
    constexpr std::uint64_t between_looks_at_the_clock = 64;
    const bool careful = careful_at_ && into.position.point.next == *careful_at_;
    const sequence_number limit = careful_at_ && !careful ? *careful_at_ : no_value;
    const auto deadline = deadline_after(steady_clock::now(), shared_.options.batch_time);
    bool inside = false;
    std::size_t taken = 0;
    at_end_ = false;
    for (std::uint64_t passed = 1; into.position.point.next < limit;) {
        const event* e = events_->next();
        if (e == nullptr) {
            auto more = events_->wait(std::chrono::nanoseconds{0});
            if (!more)
                return std::unexpected(std::move(more.error()));
            if (*more)
                continue;
            // The first event of a batch is returned only once all of it can be.
            PAWL_ASSERT(!inside);
            at_end_ = true;
            return {};
        }
        if (wants(e->type())) {
            ++taken;
            if (auto begun = begin(into); !begun)
                return begun;
            if (auto done = careful ? take_carefully(into, *e) : take(into, *e); !done)
                return done;
        }
        inside = e->more_in_batch();
        if (inside)
            continue;
        into.position = {e->point(), e->timestamp_ns()};
        if (careful || taken >= shared_.options.batch_events)
            return {};
        if (++passed % between_looks_at_the_clock == 0 && steady_clock::now() >= deadline)
            return {};
    }
    return {};
}

result<void> projection_run::begin(batch& into) const {
    if (into.transaction)
        return {};
    auto begun = sql_transaction::begin(shared_.database);
    if (!begun)
        return std::unexpected(std::move(begun.error()));
    into.transaction.emplace(std::move(*begun));
    return {};
}

result<void> projection_run::apply(const event& from) {
    projection_tables to{*sql_};
    auto done = type_.apply(to, from);
    // It may have ignored a failure. What follows must not commit without the events before it.
    if (done)
        done = shared_.database.still_in_transaction();
    if (!done && done.error().sequence == no_value)
        done.error().sequence = from.sequence();
    return done;
}

result<void> projection_run::take(batch& into, const event& from) {
    auto follows = follows_parked(into, from);
    if (!follows) {
        into.event_failed = true;
        return std::unexpected(std::move(follows.error()));
    }
    if (*follows)
        return {};
    auto done = apply(from);
    if (!done)
        into.event_failed = !is_of_machine(done.error());
    else
        ++into.applied;
    return done;
}

result<void> projection_run::take_carefully(batch& into, const event& from) {
    auto follows = follows_parked(into, from);
    if (!follows || *follows)
        return follows ? result<void>{} : std::unexpected(std::move(follows.error()));
    const sql_database& in = shared_.database;
    if (auto begun = in.run("savepoint event"); !begun)
        return begun;
    auto done = apply(from);
    if (done) {
        ++into.applied;
        return in.run("release event");
    }
    // Without the transaction there is no savepoint either: the projection stops.
    if (is_of_machine(done.error()) || !in.in_transaction())
        return done;
    if (auto undone = in.run("rollback to event"); !undone)
        return undone;
    if (auto ended = in.run("release event"); !ended)
        return ended;
    return handle_failure(into, from, std::move(done.error()));
}

result<void> projection_run::handle_failure(batch& into, const event& from, error why) {
    if (std::holds_alternative<stop_at_failure>(policy_))
        return std::unexpected(std::move(why));
    if (std::holds_alternative<skip_failure>(policy_)) {
        skipped_row row{.sequence = from.sequence(), .why = why.message()};
        auto done = shared_.store.skip(build_.id, row);
        if (done)
            into.skipped.push_back(std::move(row));
        return done;
    }
    auto key = type_.key(from);
    // Without a key, nothing keeps later events from overtaking it.
    if (!key || !*key)
        return std::unexpected(std::move(why));
    return park(into, from, std::move(**key), why.message());
}

bool projection_run::has_key(const batch& of, const std::string& key) const {
    return parked_keys_.contains(key) ||
           std::ranges::find(of.parked, key, &parked_row::key) != of.parked.end();
}

result<bool> projection_run::follows_parked(batch& into, const event& from) {
    if (parked_keys_.empty() && into.parked.empty())
        return false;
    auto key = type_.key(from);
    if (!key)
        return std::unexpected(std::move(key.error()));
    if (!*key || !has_key(into, **key))
        return false;
    auto done = park(into, from, std::move(**key), {});
    return done ? result<bool>{true} : std::unexpected(std::move(done.error()));
}

result<void> projection_run::park(batch& into, const event& from, std::string key,
                                  std::string why) {
    const std::size_t parked = progress_.parked.size() + into.parked.size();
    const auto* allowed = std::get_if<park_key>(&policy_);
    const std::size_t limit = allowed == nullptr ? 0 : allowed->most_events;
    if (parked >= limit) {
        return std::unexpected(
            error{.code = errc::too_large,
                  .sequence = from.sequence(),
                  .size = parked + 1,
                  .limit = limit,
                  .reason = "no more events may be parked (park_key::most_events)",
                  .detail = "key " + key + (why.empty() ? std::string{} : ": " + why)});
    }
    parked_row row{.sequence = from.sequence(),
                   .key = std::move(key),
                   .why = std::move(why),
                   .content_hash = from.content_hash(),
                   .hold = into.position};
    auto done = shared_.store.park(build_.id, row);
    if (done)
        into.parked.push_back(std::move(row));
    return done;
}

result<void> projection_run::commit(batch& done) {
    if (!done.transaction) {
        reached_ = done.position;
        publish();
        return steady_clock::now() < next_store_ ? result<void>{} : store_position();
    }
    projection_build to = build_;
    to.position = done.position;
    to.applied += done.applied;
    to.journal = events_->id();
    // In the transaction of the rows: a crash leaves both or neither. Afterwards it leaves the
    // consumer's position further back, which only keeps events a little longer.
    if (auto moved = shared_.store.move(to, build_.position.point.next); !moved)
        return moved;
    if (auto committed = done.transaction->commit(); !committed)
        return committed;
    build_ = std::move(to);
    reached_ = build_.position;
    next_store_ = steady_clock::now() + store_interval;
    adopt(done);
    publish();
    return hold(false);
}

void projection_run::adopt(batch& done) {
    const std::scoped_lock lock{shared_.mutex};
    for (parked_row& each : done.parked) {
        ++parked_keys_[each.key];
        progress_.parked.emplace(each.sequence, std::move(each));
    }
    for (const skipped_row& each : done.skipped)
        progress_.skipped.insert(each.sequence);
}

result<void> projection_run::store_position() {
    batch now{.position = reached_};
    if (reached_.point == build_.position.point)
        return hold(false);
    if (auto begun = begin(now); !begun)
        return begun;
    return commit(now);
}

// A crash before the commit leaves a build that has caught up, and swaps when it is next opened.
// The position is stored with it, so that the live one never goes back over events without effect.
result<void> projection_run::swap() {
    auto all = sql_transaction::begin(shared_.database);
    if (!all)
        return std::unexpected(std::move(all.error()));
    projection_build to = build_;
    to.position = reached_;
    to.journal = events_->id();
    auto done = shared_.store.move(to, build_.position.point.next);
    if (done)
        done = shared_.store.make_live(build_);
    // One of the same version was wrong; one of another version stays until it is dropped.
    auto builds = shared_.store.builds();
    if (!builds)
        return std::unexpected(std::move(builds.error()));
    for (const projection_build& each : *builds)
        if (done && each.name == build_.name && each.version == build_.version &&
            each.id != build_.id)
            done = shared_.store.drop(each);
    if (done)
        done = all->commit();
    if (!done)
        return done;
    build_ = std::move(to);
    build_.state = projection_state::live;
    publish();
    return {};
}

consumer_position projection_run::held_position() const {
    if (progress_.parked.empty())
        return build_.position;
    const consumer_position& parked = progress_.parked.begin()->second.hold;
    return parked.point.next < build_.position.point.next ? parked : build_.position;
}

result<void> projection_run::hold(bool now) {
    const auto time = steady_clock::now();
    if (!now && time < next_hold_)
        return {};
    next_hold_ = time + store_interval;
    const consumer_position at = held_position();
    if (at.point != consumer_->position().point)
        if (auto done = consumer_->commit(at); !done)
            return done;
    return now || consumer_->sync_due() <= time ? consumer_->sync() : result<void>{};
}

result<void> projection_run::close() {
    result<void> stored{};
    if (!has_stopped_)
        stored = store_position();
    auto held = hold(true);
    auto closed = consumer_->close();
    // The database is closed with its last statement.
    events_.reset();
    sql_.reset();
    if (!stored)
        return stored;
    return held ? closed : held;
}

}  // namespace pawl::detail
