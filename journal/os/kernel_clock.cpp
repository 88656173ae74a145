#include "os/kernel_clock.hpp"

#include <sys/timex.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <utility>

namespace pawl::detail {

namespace {

constexpr std::int64_t ns_per_s = 1'000'000'000;

[[nodiscard]] std::uint64_t ns_of_us(long us) noexcept {
    constexpr std::uint64_t ns_per_us = 1000;
    return static_cast<std::uint64_t>(std::max(us, 0L)) * ns_per_us;
}

[[nodiscard]] std::int64_t read_ns(clockid_t clock) noexcept {
    timespec now{};
    ::clock_gettime(clock, &now);
    return std::int64_t{now.tv_sec} * ns_per_s + now.tv_nsec;
}

}  // namespace

kernel_clock read_kernel_clock() noexcept {
    timex state{};  // modes 0: only reads
    if (::adjtimex(&state) < 0)
        return {};
    return {.synchronised = (state.status & STA_UNSYNC) == 0,
            .estimated_error_ns = ns_of_us(state.esterror),
            .maximum_error_ns = ns_of_us(state.maxerror)};
}

std::int64_t clock_steps::offset_now() noexcept {
    const std::int64_t monotonic = read_ns(CLOCK_MONOTONIC);
    return read_ns(CLOCK_REALTIME) - monotonic;
}

std::uint64_t clock_steps::count() noexcept {
    // Longer than this thread is normally delayed between reading the two clocks.
    constexpr std::int64_t smallest_step_ns = 10'000'000;
    const std::int64_t now = offset_now();
    if (std::abs(now - std::exchange(offset_ns_, now)) >= smallest_step_ns)
        ++steps_;
    return steps_;
}

}  // namespace pawl::detail
