// The outcome of a command that has not been acknowledged yet. Unlike std::future it allocates
// without throwing.
#pragma once

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/error.hpp>

#include <atomic>
#include <cassert>
#include <cstdint>
#include <expected>
#include <new>
#include <optional>
#include <utility>
#include <variant>

namespace pawl {

namespace detail {

// Copies of an outcome's failure. That of an error cannot fail, so that an outcome is delivered
// although there is no memory for its texts.
template <class Failure>
[[nodiscard]] Failure copied_failure(const Failure& from) {
    return from;
}
[[nodiscard]] inline error copied_failure(const error& from) noexcept {
    return copy_of(from);
}
template <class Refusal>
[[nodiscard]] std::variant<Refusal, error> copied_failure(
    const std::variant<Refusal, error>& from) {
    if (const auto* failed = std::get_if<error>(&from))
        return copy_of(*failed);
    return from;
}

}  // namespace detail

// Move-only. One thread at a time uses it.
template <class Outcome>
class [[nodiscard]] command_future {
    struct shared_outcome {
        std::atomic<std::uint32_t> holders{1};
        std::atomic<std::uint32_t> ready{0};
        std::optional<Outcome> value;
    };

    // A counted reference to a shared_outcome.
    class reference {
      public:
        explicit reference(shared_outcome* to) noexcept : to_{to} {}
        reference(const reference& other) noexcept : to_{other.to_} {
            if (to_ != nullptr)
                to_->holders.fetch_add(1, std::memory_order_relaxed);
        }
        reference(reference&& other) noexcept : to_{std::exchange(other.to_, nullptr)} {}
        reference& operator=(reference other) noexcept {
            std::swap(to_, other.to_);
            return *this;
        }
        ~reference() {
            if (to_ != nullptr && to_->holders.fetch_sub(1, std::memory_order_acq_rel) == 1)
                delete to_;
        }
        [[nodiscard]] shared_outcome* operator->() const noexcept { return to_; }

      private:
        shared_outcome* to_;
    };

  public:
    [[nodiscard]] static result<command_future> create() {
        auto* made = new (std::nothrow) shared_outcome;
        if (made == nullptr)
            return std::unexpected(error{.code = errc::out_of_memory});
        return command_future{reference{made}};
    }

    // The callback that makes the future ready.
    [[nodiscard]] auto setter() const noexcept {
        return [to = shared_](const Outcome& outcome) {
            if (outcome) {
                to->value.emplace(*outcome);
            } else if (!detail::guarded([&] {
                           to->value.emplace(std::unexpect,
                                             detail::copied_failure(outcome.error()));
                       })) {
                to->value.emplace(std::unexpect, error{.code = errc::out_of_memory});
            }
            to->ready.store(1, std::memory_order_release);
            to->ready.notify_all();
        };
    }

    [[nodiscard]] bool ready() const noexcept {
        return shared_->ready.load(std::memory_order_acquire) != 0;
    }
    // Blocks until the command is acknowledged. The reference is valid as long as the future.
    [[nodiscard]] const Outcome& get() const noexcept {
        shared_->ready.wait(0, std::memory_order_acquire);
        assert(shared_->value);
        return *shared_->value;
    }

  private:
    explicit command_future(reference shared) noexcept : shared_{std::move(shared)} {}

    reference shared_;
};

}  // namespace pawl
