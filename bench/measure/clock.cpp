#include "measure/clock.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ratio>
#include <vector>

namespace bench {
namespace {

struct reading {
    std::uint64_t at_ticks;
    std::int64_t at_ns;
};

// Reads the clock between two reads of the counter, and keeps the try with the smallest gap: the
// others were interrupted.
template <class Clock>
reading read_together() {
    reading best{};
    std::uint64_t best_gap = ~std::uint64_t{0};
    for (int i = 0; i < 32; ++i) {
        const auto before = ticks();
        const auto now = Clock::now().time_since_epoch();
        const auto after = ticks();
        if (after - before < best_gap) {
            best_gap = after - before;
            best = {before + best_gap / 2,
                    std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()};
        }
    }
    return best;
}

}  // namespace

const tick_scale& tick_scale::get() {
    static const tick_scale scale;
    return scale;
}

tick_scale::tick_scale() {
    std::vector<double> rates;
    for (int i = 0; i < 5; ++i) {
        const auto start = read_together<std::chrono::steady_clock>();
        auto now = start;
        while (now.at_ns - start.at_ns < 4'000'000) {
            now = read_together<std::chrono::steady_clock>();
        }
        rates.push_back(static_cast<double>(now.at_ticks - start.at_ticks) /
                        static_cast<double>(now.at_ns - start.at_ns));
    }
    std::sort(rates.begin(), rates.end());
    ticks_per_ns_ = rates[rates.size() / 2];
    multiplier_ = static_cast<std::uint64_t>(std::llround(std::ldexp(1.0, shift) / ticks_per_ns_));
    const auto wall = read_together<std::chrono::system_clock>();
    base_ticks_ = wall.at_ticks;
    base_unix_ns_ = static_cast<std::uint64_t>(wall.at_ns);
}

long stopwatch::preemptions() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

}  // namespace bench
