// The queue, the two threads and the counters of a command_loop, without the types of its decider.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/replay/command_loop_options.hpp>

#include <cstdint>
#include <memory>
#include <optional>

namespace pawl::detail {

// A command on its way through the loop.
class pending_command {
  public:
    // A timed one counts in the times to durable.
    explicit pending_command(bool timed) noexcept : is_timed{timed} {}
    pending_command(const pending_command&) = delete;
    pending_command& operator=(const pending_command&) = delete;
    virtual ~pending_command() = default;

    // On the deciding thread: sets the outcome.
    virtual void decide() noexcept = 0;
    // Sets or replaces the outcome by a failure.
    virtual void fail(error why) noexcept = 0;
    // The event that has to be durable before the outcome is delivered.
    [[nodiscard]] virtual std::optional<sequence_number> awaits() const noexcept = 0;
    // On the acknowledging thread: delivers the outcome.
    virtual void acknowledge() noexcept = 0;

    const bool is_timed;
    std::uint64_t submitted_ns = 0;  // on the steady clock, if it is timed
};

class command_pipe {
  public:
    [[nodiscard]] static result<std::unique_ptr<command_pipe>> start(
        writer& log, const command_loop_options& options);
    command_pipe(const command_pipe&) = delete;
    command_pipe& operator=(const command_pipe&) = delete;
    ~command_pipe();

    [[nodiscard]] result<void> submit(std::unique_ptr<pending_command> command);
    [[nodiscard]] result<void> stop(when_stopped queued);
    [[nodiscard]] command_loop_statistics statistics() const noexcept;

  private:
    struct machinery;
    explicit command_pipe(std::unique_ptr<machinery> made) noexcept;
    std::unique_ptr<machinery> machinery_;
};

}  // namespace pawl::detail
