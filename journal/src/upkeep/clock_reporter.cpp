#include "upkeep/clock_reporter.hpp"

#include "os/assertion.hpp"
#include "os/clock.hpp"

#include <utility>

namespace pawl::detail {

namespace {

// The clock that stamps events if this one is chosen.
[[nodiscard]] clock_source in_use(clock_source wanted) noexcept {
    const bool no_counter = wanted == clock_source::tsc && tsc_clock::instance() == nullptr;
    return no_counter ? clock_source::system : wanted;
}

}  // namespace

clock_reporter::clock_reporter(clock_source source, std::uint32_t interval_s) noexcept
    : source_{in_use(source)}, interval_{source == clock_source::caller ? 0 : interval_s} {
    if (source_ == clock_source::tsc)
        drift_seen_ = tsc_clock::instance()->drift_ns();
}

clock_payload clock_reporter::measure() noexcept {
    const kernel_clock kernel = read_kernel_clock();
    clock_payload report{};
    report.source = static_cast<std::uint8_t>(source_);
    report.synchronised = kernel.synchronised ? 1 : 0;
    report.estimated_error_ns = kernel.estimated_error_ns;
    report.maximum_error_ns = kernel.maximum_error_ns;
    report.steps = steps_.count();
    if (source_ != clock_source::tsc)
        return report;
    const tsc_clock& counter = *tsc_clock::instance();
    const std::int64_t drift = counter.drift_ns();
    report.tsc_hz = counter.hz();
    report.drift_ns = drift - std::exchange(drift_seen_, drift);
    return report;
}

void clock_reporter::offer_if_due(appender& append) noexcept {
    if (!reports())
        return;
    const auto now = std::chrono::steady_clock::now();
    const sequence_number sequence = append.shared().sequence.load(std::memory_order_acquire);
    PAWL_ASSERT(sequence >= sequence_seen_);
    if (now - offered_ < interval_ || sequence == sequence_seen_)
        return;
    if (!append.wants_clock_report())
        return;
    append.offer_clock_report(measure());
    offered_ = now;
    sequence_seen_ = sequence;
}

}  // namespace pawl::detail
