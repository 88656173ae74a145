#include "os/clock.hpp"

#include "os/assertion.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <ctime>
#include <mutex>

namespace pawl::detail {

namespace {

[[nodiscard]] std::uint64_t clock_ns(clockid_t clock) noexcept {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec);
}

[[nodiscard]] bool counter_is_invariant() noexcept {
#if defined(__x86_64__)
    unsigned int a = 0;
    unsigned int b = 0;
    unsigned int c = 0;
    unsigned int d = 0;
    constexpr unsigned int invariant_bit = 1U << 8;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) != 0 && (d & invariant_bit) != 0;
#elif defined(__aarch64__)
    return true;
#else
    return false;
#endif
}

std::mutex adjusting;

}  // namespace

tsc_clock* tsc_clock::instance() noexcept {
    if (!counter_is_invariant())
        return nullptr;
    static tsc_clock clock;
    return &clock;
}

tsc_clock::tsc_clock() noexcept : first_ticks_{read_ticks()}, first_ns_{clock_ns(CLOCK_MONOTONIC)} {
    constexpr std::uint64_t first_span_ns = 2'000'000;
    while (clock_ns(CLOCK_MONOTONIC) - first_ns_ < first_span_ns) {
    }
    adjust();
}

void tsc_clock::adjust() noexcept {
    const std::scoped_lock guard{adjusting};
    const std::uint64_t ticks = read_ticks();
    const std::uint64_t monotonic = clock_ns(CLOCK_MONOTONIC);
    const std::uint64_t now = clock_ns(CLOCK_REALTIME);
    if (version_.load(std::memory_order_relaxed) != 0) {
        const std::uint64_t by_line = ns_.load(std::memory_order_relaxed) +
                                      scaled(ticks - ticks_.load(std::memory_order_relaxed),
                                             scale_.load(std::memory_order_relaxed));
        drift_ns_.fetch_add(static_cast<std::int64_t>(now - by_line), std::memory_order_relaxed);
    }
    PAWL_ASSERT(ticks != first_ticks_ && monotonic >= first_ns_);
    const auto span_ns = static_cast<wide>(monotonic - first_ns_) << 32;
    store_line(ticks, now,
               static_cast<std::uint64_t>(span_ns / static_cast<wide>(ticks - first_ticks_)));
}

std::uint64_t tsc_clock::hz() const noexcept {
    constexpr auto ns_per_s = static_cast<wide>(1'000'000'000);
    const auto scale = static_cast<wide>(scale_.load(std::memory_order_acquire));
    PAWL_ASSERT(scale > 0);
    return static_cast<std::uint64_t>((ns_per_s << 32) / scale);
}

void tsc_clock::store_line(std::uint64_t ticks, std::uint64_t ns, std::uint64_t scale) noexcept {
    const auto version = version_.load(std::memory_order_relaxed);
    PAWL_ASSERT(version % 2 == 0 && scale != 0);
    // Odd while the line is being changed. The release stores that follow cannot become visible
    // before it.
    version_.store(version + 1, std::memory_order_relaxed);
    ticks_.store(ticks, std::memory_order_release);
    ns_.store(ns, std::memory_order_release);
    scale_.store(scale, std::memory_order_release);
    version_.store(version + 2, std::memory_order_release);
}

}  // namespace pawl::detail
