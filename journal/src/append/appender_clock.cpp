// Clock reports: measured by the background, and written by the appending thread between two events
// or batches.
#include "append/appender.hpp"
#include "append/appender_frames.hpp"
#include "os/assertion.hpp"

#include <span>

namespace pawl::detail {

void appender::offer_clock_report(const clock_payload& report) noexcept {
    clock_offered_ = report;
    // If the gate was poisoned or closed meanwhile, the report is left out.
    auto open = gate_value(gate::open);
    gate_word_->compare_exchange_strong(open, gate_value(gate::attend), std::memory_order_release,
                                        std::memory_order_relaxed);
}

result<void> appender::attend(std::size_t unit_bytes) noexcept {
    if (busy_)
        return refused();
    auto word = gate_word_->load(std::memory_order_acquire);
    if (word == gate_value(gate::open))
        return {};
    if (word != gate_value(gate::attend))
        return refused();
    clock_now_ = clock_offered_;
    if (auto reported = append_clock_report(unit_bytes); !reported)
        return reported;
    // If the gate was poisoned or closed meanwhile, nothing more is appended.
    const bool reopened = gate_word_->compare_exchange_strong(word, gate_value(gate::open),
                                                              std::memory_order_acq_rel);
    return reopened ? result<void>{} : refused();
}

result<void> appender::append_clock_report(std::size_t unit_bytes) noexcept {
    PAWL_ASSERT(!busy_);
    const std::uint64_t room = limit_ - position_;
    const std::uint64_t behind = behind_durable();
    if (clock_frame_bytes > room || unit_bytes > room - clock_frame_bytes || behind > most_behind)
        return {};
    auto stored = store_record(system_type::clock_report, no_stream_id,
                               std::as_bytes(std::span{&clock_now_, 1}), 0, behind);
    if (!stored)
        return stored;
    has_reported_ = true;
    return {};
}

void appender::append_last_clock_report(const clock_payload& report) noexcept {
    PAWL_ASSERT(!busy_);
    clock_now_ = report;
    // A lost page fails the sync that follows.
    if (has_reported_)
        (void)append_clock_report(0);
}

}  // namespace pawl::detail
