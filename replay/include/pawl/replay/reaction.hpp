// Commands that events lead to, each exactly once, now or at a later time.
//
//     struct fees {
//         using events = pawl::event_list<deposited>;
//         static void react(const deposited& e, auto& out) {
//             out.submit(withdraw{.account = e.account(), .amount = 1});
//         }
//     };
//     auto loop = pawl::command_loop<account>::start(log, {}, account::state{});
//     if (!loop) return loop.error();
//     auto taking = pawl::reaction<fees, account>::open(log, *loop, "fees");
//     if (!taking) return taking.error();
//     while (serving()) {
//         auto moved = taking->advance(std::chrono::milliseconds{100});
//         if (!moved) return moved.error();
//     }
//
// The rules are a struct with a list of events and a `react` for each of them, which submits
// commands to the loop that writes the journal. `react` must depend on nothing but its arguments:
// after a crash it is called again, and must ask for the same commands in the same order.
//
// Exactly once. A command has an id made of the journal, the reaction's name, the event's sequence
// and the command's number there, which its events record. The reaction has a position, a consumer
// of its name (consumer.hpp), that never passes an event whose commands have not all been decided.
// When it is opened it reads from there to the end of the log, and what it finds decided there it
// does not submit again. A prune keeps those events, so this holds however long the program was
// down and however many other commands there were, beyond writer_options::command_window too. A
// refusal is recorded if it can be (command_origin::records_refusals), and is final; one that
// cannot, and a command that led to no event, may be decided again after a crash, as nothing came
// of them.
//
// Timers. submit_at() is a timer that survives crashes: it lies in the event that asked for it,
// which a restart reads again, until the command was decided, another timer of the same key
// replaced it, or cancel() removed it. A time that passed meanwhile is due at once. A timer fires
// once its time has come; an event that is about to cancel it may then be in the log already, so
// the decider must refuse a command that no longer applies.
//
// Threads. One thread at a time uses a reaction; several reactions and subscriptions can share a
// thread, each with a short timeout. The loop must outlive it, stay where it is, and not be stopped
// before close().
#pragma once

#include <pawl/codec/dispatch.hpp>
#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/replay/command_loop.hpp>
#include <pawl/replay/command_origin.hpp>
#include <pawl/replay/decider.hpp>
#include <pawl/replay/detail/first_outcome.hpp>
#include <pawl/replay/detail/reaction_core.hpp>
#include <pawl/replay/reaction_options.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <variant>

namespace pawl {

// What `react` asks for. Valid during the call.
template <folds_events Decider>
class reaction_commands {
  public:
    // Submits the command at once.
    template <class Command>
        requires decides<Decider, Command>
    void submit(Command command) {
        core_.submit(sender_of(std::move(command)));
    }
    // Submits it once the clock has reached that time, in nanoseconds since the Unix epoch, unless
    // `key` is cancelled or set again before.
    template <class Command>
        requires decides<Decider, Command>
    void submit_at(std::uint64_t due_ns, std::uint64_t key, Command command) {
        core_.submit_at(due_ns, key, sender_of(std::move(command)));
    }
    // Removes the timer of this key, if there is one.
    void cancel(std::uint64_t key) { core_.cancel(key); }

  private:
    template <class Rules, folds_events Other>
    friend class reaction;

    using outcome = typename command_loop<Decider>::outcome;

    reaction_commands(detail::reaction_core& core, command_loop<Decider>& loop) noexcept
        : core_{core}, loop_{loop} {}

    [[nodiscard]] static const error* failure_in(const outcome& of) noexcept {
        if (of)
            return nullptr;
        if constexpr (may_refuse<Decider>)
            return std::get_if<error>(&of.error());
        else
            return &of.error();
    }
    [[nodiscard]] static constexpr bool records_refusals() noexcept {
        if constexpr (may_refuse<Decider>)
            return detail::recordable_refusal<typename Decider::refusal>;
        else
            return true;
    }
    template <class Command>
    [[nodiscard]] detail::reaction_core::sender sender_of(Command command) {
        return [&loop = loop_, noted = core_.outcomes(),
                command = std::move(command)](command_origin origin) {
            origin.records_refusals = records_refusals();
            return loop.submit(
                command, accepted_when::published,
                [noted](const outcome& of) { noted->acknowledge(failure_in(of)); },
                std::move(origin));
        };
    }

    detail::reaction_core& core_;
    command_loop<Decider>& loop_;
};

template <class Rules, folds_events Decider>
class [[nodiscard]] reaction {
  public:
    // Takes the lease of the name, which is a subscription's, and goes to its position. `loop` is
    // the one that writes `log`. Fails with locked, naming the process that holds the lease;
    // diverged if the journal has lost the event before the position; pruned; and like
    // consumer::open and cursor::open.
    [[nodiscard]] static result<reaction> open(writer& log, command_loop<Decider>& loop,
                                               std::string_view name, Rules rules = {},
                                               const reaction_options& options = {}) {
        auto core = detail::reaction_core::open(log, name, Rules::events::types, options);
        if (!core)
            return std::unexpected(std::move(core.error()));
        return reaction{std::move(*core), loop, std::move(rules)};
    }

    // Reacts to the events that are there, submits what has become due, and moves the position;
    // waits for either for at most `timeout`. Returns whether there was anything. An error ends the
    // reaction: one of reading, of a payload, of `react`, of the position's file, or of the loop
    // (back_pressure if it sheds commands, closed, or a failure of the journal, but no refusal).
    // Opened again, it continues with the commands that did not take effect. Cost: that of reading
    // all events; for each command one allocation more than command_loop::submit.
    [[nodiscard]] result<bool> advance(std::chrono::nanoseconds timeout) {
        return core_->advance(timeout, [this](const event& from) {
            reaction_commands<Decider> out{*core_, *loop_};
            return dispatch<typename Rules::events>(from, visitor{rules_, out});
        });
    }

    // Waits until the loop has decided what was submitted, stores the position and releases the
    // lease. Timers stay in the log.
    [[nodiscard]] result<void> close() { return core_->close(); }

    [[nodiscard]] reaction_statistics statistics() const noexcept { return core_->statistics(); }

  private:
    struct visitor {
        const Rules& rules;
        reaction_commands<Decider>& out;

        template <event_table Table>
        auto operator()(const Table& table, const event& from) const {
            if constexpr (requires { rules.react(table, from, out); })
                return rules.react(table, from, out);
            else
                return rules.react(table, out);
        }
    };

    reaction(std::unique_ptr<detail::reaction_core> core, command_loop<Decider>& loop, Rules rules)
        : core_{std::move(core)}, loop_{&loop}, rules_{std::move(rules)} {}

    std::unique_ptr<detail::reaction_core> core_;
    command_loop<Decider>* loop_;
    Rules rules_;
};

}  // namespace pawl
