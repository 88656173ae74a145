// Points in time at which waiting ends.
#pragma once

#include <chrono>

namespace pawl::detail {

// `timeout` after `now`, or the latest possible time if that comes first: nanoseconds::max() waits
// forever and does not wrap around into the past.
template <class Rep, class Period>
[[nodiscard]] constexpr std::chrono::steady_clock::time_point deadline_after(
    std::chrono::steady_clock::time_point now,
    std::chrono::duration<Rep, Period> timeout) noexcept {
    using clock = std::chrono::steady_clock;
    using unit = std::chrono::duration<Rep, Period>;
    if (timeout <= unit::zero())
        return now;
    // Compared in the timeout's own unit, in which neither side can overflow.
    const auto left = std::chrono::duration_cast<unit>(clock::time_point::max() - now);
    return timeout < left ? now + std::chrono::duration_cast<clock::duration>(timeout)
                          : clock::time_point::max();
}

}  // namespace pawl::detail
