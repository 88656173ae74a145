// A reaction without the types of its rules and its decider: what it wants of the command loop,
// until the log shows that it has it.
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/journal/metadata.hpp>
#include <pawl/journal/types.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/replay/command_origin.hpp>
#include <pawl/replay/reaction_options.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>

namespace pawl::detail {

// How the commands of a reaction ended, as the loop's acknowledging thread reports it. Shared with
// the callbacks, which may outlive the reaction.
class reaction_outcomes {
  public:
    // With the journal's failure, or null: a refusal is an outcome like another.
    void acknowledge(const error* failed) noexcept;
    [[nodiscard]] std::uint64_t acknowledged() const noexcept {
        return acknowledged_.load(std::memory_order_acquire);
    }
    void wait_for(std::uint64_t acknowledged) const noexcept;
    [[nodiscard]] std::optional<error> failure() const;

  private:
    std::atomic<std::uint64_t> acknowledged_{0};
    mutable std::mutex mutex_;  // guards `failure_`
    std::optional<error> failure_;
};

class reaction_core {
  public:
    // Submits the command with this origin. The loop acknowledges it to `outcomes()` once.
    using sender = std::function<result<void>(command_origin)>;
    // Calls submit, submit_at and cancel for one event.
    using body = std::function<result<void>(const event&)>;

    [[nodiscard]] static result<std::unique_ptr<reaction_core>> open(
        writer& log, std::string_view name, std::span<const std::uint16_t> types,
        const reaction_options& options);
    reaction_core(const reaction_core&) = delete;
    reaction_core& operator=(const reaction_core&) = delete;
    ~reaction_core();

    [[nodiscard]] result<bool> advance(std::chrono::nanoseconds timeout, const body& react);
    [[nodiscard]] result<void> close();

    // Only inside `react`. May throw std::bad_alloc.
    void submit(sender send);
    void submit_at(std::uint64_t due_ns, std::uint64_t key, sender send);
    void cancel(std::uint64_t key);

    [[nodiscard]] const std::shared_ptr<reaction_outcomes>& outcomes() const noexcept;
    [[nodiscard]] reaction_statistics statistics() const noexcept;

  private:
    struct machinery;
    explicit reaction_core(std::unique_ptr<machinery> made) noexcept;
    std::unique_ptr<machinery> machinery_;
};

}  // namespace pawl::detail
