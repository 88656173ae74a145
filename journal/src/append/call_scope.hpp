// Notices a second thread inside the writer's calls.
#pragma once

#include <pawl/journal/error.hpp>

#include <atomic>

namespace pawl::detail {

// Held while a call changes the appender; false if another thread is inside one. A debug build
// detects every overlap. A release build, where an exchange would add 5 ns to every append, detects
// only a call that sees another one in progress as it begins.
class call_scope {
  public:
    explicit call_scope(std::atomic<bool>& inside) noexcept
        : inside_{&inside}, entered_{enter(inside)} {}
    ~call_scope() {
        if (entered_)
            inside_->store(false, std::memory_order_release);
    }
    call_scope(const call_scope&) = delete;
    call_scope& operator=(const call_scope&) = delete;

    [[nodiscard]] explicit operator bool() const noexcept { return entered_; }
    [[nodiscard]] static error refusal() noexcept {
        return {.code = errc::busy,
                .reason = "another thread is inside a call; one thread at a time uses a writer"};
    }

  private:
    [[nodiscard]] static bool enter(std::atomic<bool>& inside) noexcept {
#ifdef NDEBUG
        if (inside.load(std::memory_order_relaxed)) [[unlikely]]
            return false;
        inside.store(true, std::memory_order_relaxed);
        return true;
#else
        return !inside.exchange(true, std::memory_order_acquire);
#endif
    }
    std::atomic<bool>* inside_;
    bool entered_;
};

}  // namespace pawl::detail
