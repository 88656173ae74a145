#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace bench {

// The processor's own counter, read without a system call. On x86-64 rdtsc costs about as much as
// half an append, so loops that measure means read it once around the whole loop.
[[nodiscard]] inline std::uint64_t ticks() noexcept {
#if defined(__x86_64__)
    return __rdtsc();
#elif defined(__aarch64__)
    std::uint64_t value;
    asm volatile("mrs %0, cntvct_el0" : "=r"(value));
    return value;
#else
#error "no cycle counter known for this processor"
#endif
}

// Ticks since `from`, which another thread may have read, at a time when every load before this
// call has been done. A bare counter may be read before such a load; the difference could then lie
// below zero and wrap around. The counters of two cores may differ by a few ticks: that counts as
// 0, too.
[[nodiscard]] inline std::uint64_t ticks_since(std::uint64_t from) noexcept {
#if defined(__x86_64__)
    _mm_lfence();
#elif defined(__aarch64__)
    asm volatile("isb" ::: "memory");
#endif
    const std::uint64_t now = ticks();
    return now > from ? now - from : 0;
}

// Turns ticks into nanoseconds, calibrated once against the system's monotonic clock.
class tick_scale {
  public:
    // Calibrates on first use, which takes about 20 ms; the same scale for the whole process.
    [[nodiscard]] static const tick_scale& get();

    [[nodiscard]] std::uint64_t to_ns(std::uint64_t count) const noexcept {
        return static_cast<std::uint64_t>((wide{count} * multiplier_) >> shift);
    }
    [[nodiscard]] double ticks_per_ns() const noexcept { return ticks_per_ns_; }
    // The tick counter and the wall clock, read together; stamps are computed from them.
    [[nodiscard]] std::uint64_t base_ticks() const noexcept { return base_ticks_; }
    [[nodiscard]] std::uint64_t base_unix_ns() const noexcept { return base_unix_ns_; }
    // Nanoseconds since the Unix epoch, from the tick counter: one rdtsc, one multiplication.
    [[nodiscard]] std::uint64_t unix_ns() const noexcept {
        return base_unix_ns_ + to_ns(ticks() - base_ticks_);
    }

  private:
    __extension__ using wide = unsigned __int128;
    static constexpr unsigned shift = 32;

    tick_scale();

    std::uint64_t multiplier_ = 0;
    std::uint64_t base_ticks_ = 0;
    std::uint64_t base_unix_ns_ = 0;
    double ticks_per_ns_ = 0;
};

// Nanoseconds since `from`, a value of ticks().
[[nodiscard]] inline double elapsed_ns(std::uint64_t from) {
    return static_cast<double>(ticks() - from) / tick_scale::get().ticks_per_ns();
}

// Times a piece of work on one thread, and detects whether another process ran on its core
// meanwhile, which invalidates the time.
class stopwatch {
  public:
    stopwatch() : preemptions_(preemptions()), start_(ticks()) {}

    // Stops and returns the nanoseconds since the construction.
    double stop() {
        const auto end = ticks();
        interrupted_ = preemptions() != preemptions_;
        return static_cast<double>(end - start_) / tick_scale::get().ticks_per_ns();
    }
    [[nodiscard]] bool interrupted() const noexcept { return interrupted_; }

  private:
    [[nodiscard]] static long preemptions();

    long preemptions_;
    bool interrupted_ = false;
    std::uint64_t start_;
};

}  // namespace bench
