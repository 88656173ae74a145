// Timestamps for frames.
#pragma once

#include <atomic>
#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace pawl::detail {

// The time stamp counter, turned into nanoseconds since the Unix epoch by a line that a background
// thread fits again every second or so. One for the process.
class tsc_clock {
  public:
    // Null where the counter is not invariant or not there. The first call measures for 2 ms.
    [[nodiscard]] static tsc_clock* instance() noexcept;

    [[nodiscard]] std::uint64_t now_ns() const noexcept {
        for (;;) {
            // The loads between the two of the version are acquires, and so not after the second.
            const auto before = version_.load(std::memory_order_acquire);
            const auto line_ticks = ticks_.load(std::memory_order_acquire);
            const auto line_ns = ns_.load(std::memory_order_acquire);
            const auto scale = scale_.load(std::memory_order_acquire);
            if (before % 2 == 0 && version_.load(std::memory_order_relaxed) == before) {
                return line_ns + scaled(read_ticks() - line_ticks, scale);
            }
        }
    }
    // Fits the line anew, so that it follows the system clock.
    void adjust() noexcept;
    // Ticks per second, as measured so far.
    [[nodiscard]] std::uint64_t hz() const noexcept;
    // How far the system clock had moved away from the line each time that it was fitted again, all
    // of it added up. Any thread.
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
        // Ticks can lie a little before the line's start on another core: the product is signed.
        const auto product =
            static_cast<wide>(static_cast<std::int64_t>(ticks)) * static_cast<std::int64_t>(scale);
        return static_cast<std::uint64_t>(product >> 32);
    }
    void store_line(std::uint64_t ticks, std::uint64_t ns, std::uint64_t scale) noexcept;

    alignas(64) std::atomic<std::uint32_t> version_{0};
    std::atomic<std::uint64_t> ticks_{0};
    std::atomic<std::uint64_t> ns_{0};
    std::atomic<std::uint64_t> scale_{0};  // nanoseconds a tick, times 2^32
    std::atomic<std::int64_t> drift_ns_{0};
    std::uint64_t first_ticks_ = 0;
    std::uint64_t first_ns_ = 0;
};

}  // namespace pawl::detail
