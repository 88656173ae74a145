// One deciding thread behind a bounded queue: session threads submit commands, the loop decides and
// appends them, and acknowledges each once its events are published or durable.
//
//     auto loop = pawl::command_loop<account>::start(log, {}, account::state{});
//     if (!loop) return loop.error();
//     auto submitted = loop->submit(withdraw{.account = 7, .amount = 5},
//                                   pawl::accepted_when::durable,
//                                   [](const auto& outcome) { use(outcome); });
//
// Order. The commands of one submitting thread are decided in the order in which it submitted them;
// across threads, the order of decision is the order of acknowledgement. A command that is
// acknowledged when published therefore waits for durable ones decided before it.
//
// Threads. Any thread may submit. The deciding thread owns the writer and the state from start()
// until stop() has returned; other threads may use only the writer's "any thread" calls meanwhile.
// Outcomes are delivered on a second thread, which also waits for the disk: one sync covers every
// command that was decided before it. While commands are queued, the deciding thread takes no lock,
// allocates nothing and makes no system call between rollovers, as long as `decide` and `evolve` do
// not.
#pragma once

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/replay/command_future.hpp>
#include <pawl/replay/command_loop_options.hpp>
#include <pawl/replay/command_origin.hpp>
#include <pawl/replay/decider.hpp>
#include <pawl/replay/decision.hpp>
#include <pawl/replay/detail/command_pipe.hpp>
#include <pawl/replay/execute.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace pawl {

// When a command counts as accepted. A third value is planned for events that reached another
// machine.
enum class accepted_when : std::uint8_t {
    published,  // its events are visible to readers and survive the death of the process
    durable,    // they survive a power cut
};

// The deciding thread and everything that it owns. Destroying a loop that was not stopped stops it
// and decides what is still queued.
template <folds_events Decider>
class [[nodiscard]] command_loop {
  public:
    using outcome = execution_result<Decider>;
    using future = command_future<outcome>;

    // Starts both threads. `log` must outlive the loop. Fails with invalid_argument if the capacity
    // is out of range, io or out_of_memory.
    [[nodiscard]] static result<command_loop> start(writer& log, Decider by,
                                                    typename Decider::state state,
                                                    const command_loop_options& options = {}) {
        return detail::guarded([&]() -> result<command_loop> {
            auto made =
                std::make_unique<core>(log, std::move(by), std::move(state), options.limits);
            auto pipe = detail::command_pipe::start(log, options);
            if (!pipe)
                return std::unexpected(std::move(pipe.error()));
            made->pipe = std::move(*pipe);
            return command_loop{std::move(made)};
        });
    }

    // Any thread. Queues a command; `done` is called exactly once with its outcome if this returns
    // success, on the acknowledging thread, and must not throw. It may submit (a full queue then
    // returns back_pressure instead of waiting), but not stop the loop. Fails with back_pressure if
    // the queue is full and the options say so, closed once stop() was called, or out_of_memory;
    // `done` is not called then. Cost: one allocation and one queue operation. `origin` is
    // execute's: a command with an id takes effect once, and the same command sent again gets its
    // first outcome.
    template <class Command, class Done>
        requires decides<Decider, Command> && std::is_invocable_v<Done&, const outcome&>
    [[nodiscard]] result<void> submit(Command command, accepted_when when, Done done,
                                      command_origin origin = {}) {
        using queued = queued_command<Command, Done>;
        return detail::guarded([&] {
            return core_->pipe->submit(
                std::make_unique<queued>(*core_, std::move(command), std::move(done),
                                         when == accepted_when::durable, std::move(origin)));
        });
    }

    // The same with a future in place of a callback.
    template <class Command>
        requires decides<Decider, Command>
    [[nodiscard]] result<future> submit(Command command, accepted_when when,
                                        command_origin origin = {}) {
        auto promised = future::create();
        if (!promised)
            return std::unexpected(std::move(promised.error()));
        auto submitted = submit(std::move(command), when, promised->setter(), std::move(origin));
        if (!submitted)
            return std::unexpected(std::move(submitted.error()));
        return std::move(*promised);
    }

    // Stops accepting commands, decides or refuses (with closed) those that are queued, delivers
    // every acknowledgement, and ends the threads. The writer belongs to the caller again. Calling
    // it twice is harmless; from a callback it returns busy.
    [[nodiscard]] result<void> stop(when_stopped queued = when_stopped::drain) {
        return core_->pipe->stop(queued);
    }

    // The state of all decided commands. Only after stop().
    [[nodiscard]] const typename Decider::state& state() const noexcept { return core_->state; }

    // Any thread.
    [[nodiscard]] command_loop_statistics statistics() const noexcept {
        return core_->pipe->statistics();
    }

  private:
    struct core {
        core(writer& to, Decider decider, typename Decider::state initial, decision_limits limits)
            : log{&to}, by{std::move(decider)}, state{std::move(initial)}, decided{limits} {}

        writer* log;
        Decider by;
        typename Decider::state state;
        decision decided;
        std::unique_ptr<detail::command_pipe> pipe;  // last: its threads use the rest
    };

    template <class Command, class Done>
    class queued_command final : public detail::pending_command {
      public:
        queued_command(core& of, Command command, Done done, bool durable, command_origin origin)
            : pending_command{durable},
              core_{of},
              command_{std::move(command)},
              done_{std::move(done)},
              origin_{std::move(origin)} {}

        void decide() noexcept override {
            outcome_.emplace(
                execute(core_.by, command_, core_.state, *core_.log, core_.decided, origin_));
            // A recorded refusal is durable before it is acknowledged as such, and so is the first
            // outcome of a command that is sent again.
            if (origin_.command)
                recorded_before_ = core_.log->next_sequence();
        }
        void fail(error why) noexcept override { outcome_.emplace(std::unexpect, std::move(why)); }
        [[nodiscard]] std::optional<sequence_number> awaits() const noexcept override {
            if (is_timed && recorded_before_ != 0)
                return recorded_before_ - 1;
            if (!is_timed || !*outcome_ || (*outcome_)->events == 0)
                return std::nullopt;
            return (*outcome_)->last.sequence;
        }
        void acknowledge() noexcept override { done_(std::as_const(*outcome_)); }

      private:
        core& core_;
        Command command_;
        Done done_;
        command_origin origin_;
        sequence_number recorded_before_ = 0;
        std::optional<outcome> outcome_;
    };

    explicit command_loop(std::unique_ptr<core> made) noexcept : core_{std::move(made)} {}

    std::unique_ptr<core> core_;
};

}  // namespace pawl
