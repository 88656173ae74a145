// What the kernel says about its own clock.
#pragma once

#include <cstdint>

namespace pawl::detail {

struct kernel_clock {
    bool synchronised = false;
    std::uint64_t estimated_error_ns = 0;
    std::uint64_t maximum_error_ns = 0;
};

// All zero if the kernel does not say.
[[nodiscard]] kernel_clock read_kernel_clock() noexcept;

// Counts the steps of the system clock: setting CLOCK_REALTIME leaves CLOCK_MONOTONIC unchanged,
// while slewing changes both. One thread at a time.
class clock_steps {
  public:
    clock_steps() noexcept : offset_ns_{offset_now()} {}

    // Compares both clocks and returns how many steps have been seen since construction. Two steps
    // between two calls count as one.
    [[nodiscard]] std::uint64_t count() noexcept;

  private:
    // CLOCK_REALTIME - CLOCK_MONOTONIC.
    [[nodiscard]] static std::int64_t offset_now() noexcept;

    std::int64_t offset_ns_;
    std::uint64_t steps_ = 0;
};

}  // namespace pawl::detail
