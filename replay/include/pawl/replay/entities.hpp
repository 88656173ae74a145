// One state for each stream: commands are decided against the stream that they are about.
//
//     pawl::entities<account> accounts{log};
//     auto done = accounts.transact(7, withdraw{.account = 7, .amount = 5});
//     if (!done) return done.error();  // the domain's refusal, or a pawl::error
//     auto now = accounts.read(7);
//     if (!now) return now.error();
//     return now->state->balance;
//
// An entity is a stream and the state that a decider folds from it. The states used last are kept,
// and brought up to date by the end of their stream; one that was evicted is folded again when it
// is needed.
//
// Threads. One thread at a time uses an `entities` object, and while it does, the writer. Several
// threads may decide at once, each with an object of its own over one writer, if they name the
// mutex that guards the writer (entity_options::writer_guard): transact() holds it while it reads
// and appends, but not while `decide` runs. A decision that another thread's events have overtaken
// is made again.
//
// Cost. An entity that is kept and up to date: a lookup, `decide`, one append with a condition, and
// `evolve`. One that is not: its events, or those it missed, are read and folded first; events in
// the newest segment are read in place.
#pragma once

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/replay/command_origin.hpp>
#include <pawl/replay/decider.hpp>
#include <pawl/replay/decision.hpp>
#include <pawl/replay/detail/recently_used.hpp>
#include <pawl/replay/execute.hpp>
#include <pawl/replay/fold.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

namespace pawl {

struct entity_options {
    std::size_t capacity = 10'000;    // states to keep, at least one
    std::uint32_t most_attempts = 8;  // decisions for one command before its conflict is returned
    decision_limits limits{};
    // Locked while the writer is used. Not needed if one thread uses it.
    std::mutex* writer_guard = nullptr;
};

struct transact_options {
    // What the command's sender has seen of the stream. If it is out of date the command is not
    // decided and the conflict returned, because only the sender can decide again; the default lets
    // the command be decided against the stream as it is.
    expect expected = expect::any();
    command_origin origin{};
};

// A state to start from in place of the decider's initial one, such as one from a snapshot.
template <class State>
struct entity_start {
    State state;
    stream_version version = 0;  // of the last event in it
};

// An entity as it is now. Valid until the next call.
template <class State>
struct entity_view {
    const State* state = nullptr;
    stream_version version = 0;
};

struct entity_statistics {
    std::size_t kept = 0;
    std::size_t evicted = 0;
    std::uint64_t built = 0;      // from the beginning or from a start
    std::uint64_t folded = 0;     // events that were read to build them or bring them up to date
    std::uint64_t conflicts = 0;  // decisions that were overtaken
};

template <folds_events Decider>
class entities {
  public:
    using state = typename Decider::state;
    // Returns where to start with a stream whose state is not kept. Called with the writer held.
    using start = std::function<result<entity_start<state>>(stream_id)>;

    // `log` must outlive the object. Without `from`, entities are folded from the beginning of
    // their streams, which is impossible once it was pruned.
    explicit entities(writer& log, Decider by = {}, const entity_options& options = {},
                      start from = {})
        : log_{&log},
          by_{std::move(by)},
          most_attempts_{options.most_attempts},
          guard_{options.writer_guard},
          from_{std::move(from)},
          kept_{options.capacity},
          events_{options.limits} {}

    // Decides a command against the stream's state, appends its events if the stream is still as
    // `decide` saw it, and evolves the state by those in the stream. Otherwise folds the events
    // that `decide` missed and decides again, entity_options::most_attempts times in all. Fails
    // like execute and like read(). A conflict names the stream if transact_options::expected is
    // out of date or the last attempt was overtaken, too; it names another stream, and the command
    // is not decided again, if that one is not as an event or decision::require expected it. A
    // command whose origin has an id takes effect once, as with execute, whatever the expected
    // version.
    template <class Command>
        requires decides<Decider, Command>
    [[nodiscard]] execution_result<Decider> transact(stream_id stream, const Command& command,
                                                     const transact_options& options = {}) {
        return detail::guarded([&] { return decide_until_current(stream, command, options); });
    }

    // The stream's state, brought up to date; the initial one if it holds no event. Fails with
    // pruned if the events from its start on are gone, out_of_memory, like writer::read_since, or
    // with what `evolve` or the start returned.
    [[nodiscard]] result<entity_view<state>> read(stream_id stream) {
        return detail::guarded([&]() -> result<entity_view<state>> {
            const auto held = hold_writer();
            auto at = bring_up_to_date(stream);
            if (!at)
                return std::unexpected(std::move(at.error()));
            return entity_view<state>{&(*at)->state, (*at)->version};
        });
    }

    [[nodiscard]] entity_statistics statistics() const noexcept {
        return {.kept = kept_.size(),
                .evicted = kept_.evicted(),
                .built = built_,
                .folded = folded_,
                .conflicts = conflicts_};
    }

  private:
    using entity = entity_start<state>;

    // Forgets an entity whose state was changed in part, because evolve failed or threw.
    class change {
      public:
        change(entities& of, stream_id stream) noexcept : of_{of}, stream_{stream} {}
        change(const change&) = delete;
        change& operator=(const change&) = delete;
        ~change() {
            if (!is_whole_)
                of_.kept_.erase(stream_);
        }
        void complete() noexcept { is_whole_ = true; }

      private:
        entities& of_;
        stream_id stream_;
        bool is_whole_ = false;
    };

    [[nodiscard]] std::unique_lock<std::mutex> hold_writer() const {
        return guard_ == nullptr ? std::unique_lock<std::mutex>{} : std::unique_lock{*guard_};
    }

    [[nodiscard]] result<entity*> find_or_build(stream_id stream) {
        if (entity* kept = kept_.find(stream))
            return kept;
        ++built_;
        if (!from_)
            return &kept_.add(stream, entity{by_.initial(), 0});
        auto started = from_(stream);
        if (!started)
            return std::unexpected(std::move(started.error()));
        return &kept_.add(stream, std::move(*started));
    }

    // With the writer held.
    [[nodiscard]] result<entity*> bring_up_to_date(stream_id stream) {
        const auto found = find_or_build(stream);
        if (!found || (*found)->version == log_->version(stream))
            return found;
        entity& at = **found;
        change all{*this, stream};
        std::optional<error> failed;
        const auto read = log_->read_since(stream, at.version, [&](const event& e) {
            if (failed)
                return;
            if (auto done = evolve(by_, at.state, e); !done)
                failed = detail::at_event(std::move(done.error()), e);
            at.version = e.version();
            ++folded_;
        });
        if (!read)
            return std::unexpected(read.error());
        if (failed)
            return std::unexpected(std::move(*failed));
        all.complete();
        return &at;
    }

    template <class Command>
    [[nodiscard]] execution_result<Decider> decide_until_current(stream_id stream,
                                                                 const Command& command,
                                                                 const transact_options& options) {
        for (std::uint32_t attempt = 1;; ++attempt) {
            auto held = hold_writer();
            // Before any expectation, and again in each attempt: another thread may have been sent
            // the same command.
            if (options.origin.command) {
                if (auto known = detail::first_outcome<Decider>(*log_, *options.origin.command))
                    return std::move(*known);
            }
            auto found = bring_up_to_date(stream);
            if (!found)
                return std::unexpected(std::move(found.error()));
            entity& at = **found;
            if (!options.expected.admits(at.version))
                return std::unexpected(out_of_date(stream, options.expected, at.version));
            if (held.owns_lock())
                held.unlock();
            events_.clear();
            events_.require(stream, expect::exactly(at.version));
            auto decided = detail::ask(by_, command, at.state, events_);
            if (guard_ != nullptr)
                held.lock();
            auto done = publish(stream, at, std::move(decided), options.origin);
            if (done || attempt >= most_attempts_ || !was_overtaken(done, stream, at))
                return done;
            ++conflicts_;
        }
    }

    // With the writer held.
    [[nodiscard]] execution_result<Decider> publish(stream_id stream, entity& at,
                                                    detail::decided_by<Decider> decided,
                                                    const command_origin& origin) {
        auto done = detail::record<Decider>(*log_, events_, std::move(decided), origin);
        if (!done || done->events == 0)
            return done;
        change all{*this, stream};
        for (std::size_t i = 0; i < events_.size(); ++i) {
            const event written = log_->appended(events_.receipt_of(i));
            if (written.stream() != stream)
                continue;
            if (auto evolved = evolve(by_, at.state, written, payload_check::trust); !evolved)
                return std::unexpected(std::move(evolved.error()));
            at.version = written.version();
        }
        all.complete();
        return done;
    }

    // Whether a thread that had the writer meanwhile appended to the stream, or this very command.
    [[nodiscard]] bool was_overtaken(const execution_result<Decider>& done, stream_id stream,
                                     const entity& at) const noexcept {
        const error* why = nullptr;
        if constexpr (may_refuse<Decider>)
            why = std::get_if<error>(&done.error());
        else
            why = &done.error();
        if (why == nullptr)
            return false;
        return why->code == errc::repeated ||
               (why->code == errc::conflict && why->stream == stream &&
                log_->version(stream) != at.version);
    }

    [[nodiscard]] static error out_of_date(stream_id stream, expect expected,
                                           stream_version actual) noexcept {
        return {.code = errc::conflict,
                .stream = stream,
                .actual_version = actual,
                .expected_version = expected.asks_exists() ? no_value : expected.version(),
                .reason = "transact_options::expected is not the stream's version"};
    }

    writer* log_;
    Decider by_;
    std::uint32_t most_attempts_;
    std::mutex* guard_;
    start from_;
    detail::recently_used<stream_id, entity> kept_;
    decision events_;
    std::uint64_t built_ = 0;
    std::uint64_t folded_ = 0;
    std::uint64_t conflicts_ = 0;
};

}  // namespace pawl
