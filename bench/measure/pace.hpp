#pragma once

#include "measure/clock.hpp"

#include <pawl/replay/detail/histogram.hpp>

#include <cstdint>

namespace bench {

using pawl::detail::histogram;

// Runs `operation(i)` for i in 0 to `count` at `rate` per second and records when each was done,
// counted from when it was *meant* to start. An operation that stalls makes the following ones
// late, and their waiting counts, as it does for their users; measured from the actual start, a
// stall of a thousand intervals shows as a single slow event.
//
// The caller's thread spins between events and should be pinned. `operation` receives its number
// and its intended start in ticks.
template <class Operation>
void paced(double rate, std::uint64_t count, histogram& latency, Operation&& operation) {
    const auto& scale = tick_scale::get();
    const double interval = scale.ticks_per_ns() * 1e9 / rate;
    const std::uint64_t start = ticks() + static_cast<std::uint64_t>(interval);
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto intended = start + static_cast<std::uint64_t>(static_cast<double>(i) * interval);
        while (ticks() < intended) {
        }
        operation(i, intended);
        latency.record(scale.to_ns(ticks() - intended));
    }
}

}  // namespace bench
