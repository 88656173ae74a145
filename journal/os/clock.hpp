// Timestamps for frames.
#pragma once

#include <atomic>
#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace pawl::detail {

// Converts the time stamp counter to nanoseconds since the Unix epoch, along a line that a
// background thread fits again about once a second. There is one for the process.
class tsc_clock {
  public:
    // Null if there is no counter or its rate is not constant. The first call measures for 2 ms.
    [[nodiscard]] static tsc_clock* instance() noexcept;

    [[nodiscard]] std::uint64_t now_ns() const noexcept {
        for (;;) {
            // The loads between the two loads of the version are acquires, so that none of them
            // moves after the second.
            const auto before = version_.load(std::memory_order_acquire);
            const auto line_ticks = ticks_.load(std::memory_order_acquire);
            const auto line_ns = ns_.load(std::memory_order_acquire);
            const auto scale = scale_.load(std::memory_order_acquire);
            if (before % 2 == 0 && version_.load(std::memory_order_relaxed) == before) {
                return line_ns + scaled(read_ticks() - line_ticks, scale);
            }
        }
    }
    // Fits the line again, so that it follows the system clock.
    void adjust() noexcept;
    // Ticks per second, as measured so far.
    [[nodiscard]] std::uint64_t hz() const noexcept;
    // The sum of how far the system clock had moved away from the line each time that the line was
    // fitted again. Any thread.
    [[nodiscard]] std::int64_t drift_ns() const noexcept {
        return drift_ns_.load(std::memory_order_relaxed);
    }

  private:
    __extension__ using wide = __int128;

    tsc_clock() noexcept;
    [[nodiscard]] static std::uint64_t read_ticks() noexcept {
#if defined(__x86_64__)
        return __rdtsc();
#elif defined(__aarch64__)
        std::uint64_t ticks = 0;
        asm volatile("mrs %0, cntvct_el0" : "=r"(ticks));
        return ticks;
#else
        return 0;
#endif
    }
    [[nodiscard]] static std::uint64_t scaled(std::uint64_t ticks, std::uint64_t scale) noexcept {
        // On another core, the ticks can lie a little before the line's start: the product is
        // signed.
        const auto product =
            static_cast<wide>(static_cast<std::int64_t>(ticks)) * static_cast<std::int64_t>(scale);
        return static_cast<std::uint64_t>(product >> 32);
    }
    void store_line(std::uint64_t ticks, std::uint64_t ns, std::uint64_t scale) noexcept;

    alignas(64) std::atomic<std::uint32_t> version_{0};
    std::atomic<std::uint64_t> ticks_{0};
    std::atomic<std::uint64_t> ns_{0};
    std::atomic<std::uint64_t> scale_{0};  // nanoseconds per tick, times 2^32
    std::atomic<std::int64_t> drift_ns_{0};
    std::uint64_t first_ticks_ = 0;
    std::uint64_t first_ns_ = 0;
};

}  // namespace pawl::detail
