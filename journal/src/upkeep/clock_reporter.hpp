// Reports in the log, from time to time, how accurate its time stamps are.
#pragma once

#include "append/appender.hpp"
#include "format/clock_frame.hpp"
#include "os/kernel_clock.hpp"

#include <pawl/journal/options.hpp>
#include <pawl/journal/types.hpp>

#include <chrono>
#include <cstdint>

namespace pawl::detail {

// Reading the clocks takes system calls, so the background does it, and the appending thread only
// stores the result. One thread at a time.
class clock_reporter {
  public:
    // If the callers supply the time stamps, the writer knows nothing about their clock and reports
    // nothing.
    clock_reporter(clock_source source, std::uint32_t interval_s) noexcept;

    [[nodiscard]] bool reports() const noexcept { return interval_.count() != 0; }
    [[nodiscard]] clock_payload measure() noexcept;
    // Offers a report if the interval has passed and events were appended since the last one.
    void offer_if_due(appender& append) noexcept;

  private:
    clock_source source_;
    std::chrono::seconds interval_;
    clock_steps steps_;
    std::int64_t drift_seen_ = 0;  // tsc_clock::drift_ns() at the last report
    std::chrono::steady_clock::time_point offered_ = std::chrono::steady_clock::now();
    sequence_number sequence_seen_ = 0;
};

}  // namespace pawl::detail
