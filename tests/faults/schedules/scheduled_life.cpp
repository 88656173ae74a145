#include "scheduled_life.hpp"

#include "simulator/crash_history.hpp"
#include "simulator/memory_files.hpp"
#include "simulator/writer_life.hpp"

#include <fmt/core.h>

#include <pawl/journal/journal.hpp>

#include <array>

namespace pawl::test {

namespace fs = std::filesystem;
using detail::io_operation;

namespace {

constexpr std::uint64_t most_hastened = 3;

}  // namespace

scheduled_life::scheduled_life(std::uint64_t seed)
    : controlled_{seed},
      root_{fs::path{memory_root} / "schedule"},
      after_cut_{fs::path{memory_root} / "cut"},
      schedule_{seed, [this] { moment(); }} {
    memory_files::clear(root_.native());
    disk_.emplace(root_);
}

fs::path scheduled_life::directory() const {
    return writer_life::journal_in(root_);
}

schedule_outcome scheduled_life::run() {
    choose_options();
    hook();
    schedule_.run([this] { live(); });
    detail::set_io_hook(nullptr, nullptr);
    if (schedule_.fault().empty())
        check_end();
    outcome_.fault = schedule_.fault();
    outcome_.steps = schedule_.steps();
    outcome_.switches = schedule_.switches();
    // The writer's threads stay stopped for good.
    if (!outcome_.fault.empty() && log_)
        (void)new writer{std::move(*log_)};
    return std::move(outcome_);
}

void scheduled_life::choose_options() {
    options_ = life_options();
    options_.background_threads = true;
    options_.expected_streams = 1;
    options_.full = below(2) == 0 ? when_full::spin : when_full::fail;
    constexpr std::array policies{sync_policy::manual(), sync_policy::every_us(100),
                                  sync_policy::every_us(2000), sync_policy::every_bytes(8192)};
    options_.sync = policies[below(policies.size())];
    options_.populate_bytes = below(2) * 16'384;
    options_.scrub_bytes_per_second = 0;
    options_.observer = [this](const error& why) { wrong("poisoned: " + why.message()); };
    usual_bytes_ = static_cast<std::uint32_t>(below(200));
    large_one_in_ = 1 + below(4);
    new_stream_one_in_ = 1 + below(3) * 8;
}

void scheduled_life::hook() noexcept {
    detail::set_io_hook(
        [](void* self, const detail::io_event& event) {
            return static_cast<scheduled_life*>(self)->on_call(event);
        },
        this);
}

int scheduled_life::on_call(const detail::io_event& event) {
    if (!changes_disk(event.operation))
        return 0;
    if (scheduler::inside() != nullptr)
        schedule_.point();
    const bool range = event.operation == io_operation::sync_range;
    const bool sync = range || event.operation == io_operation::sync_file;
    if (sync)
        disk_->observe();
    disk_->perform(event);
    // Events acknowledged because of this sync become visible soon.
    if (range && log_ && outcome_.cuts < most_hastened && below(4) == 0)
        schedule_.hasten_moment(soon);
    return 0;
}

void scheduled_life::moment() {
    disk_->observe();
    event_oracle oracle = oracle_;
    if (log_)
        oracle.acknowledged(log_->durable());
    oracle.acknowledged(shown_durable_);
    const std::uint64_t seed = below(UINT64_MAX);
    // Half of the cuts leave as little as the syncs allow, or nearly.
    constexpr cut_choice least{.unit_shift = 48, .newest_in_256 = 0};
    cut_choice choice = cut_choice::from(seed);
    if (below(2) == 0) {
        choice = least;
        choice.seed = seed;
    }
    disk_->cut(choice, after_cut_);
    detail::set_io_hook(nullptr, nullptr);
    auto fault = fault_after_cut(std::move(oracle), writer_life::journal_in(after_cut_), seed);
    hook();
    ++outcome_.cuts;
    if (!fault.empty())
        wrong("after a power cut: " + fault);
}

void scheduled_life::check_end() {
    if (auto fault = reading_fault(directory(), oracle_); !fault.empty())
        return schedule_.stop(std::move(fault));
    if (closed_) {
        if (auto fault = verify_fault(directory()); !fault.empty())
            schedule_.stop(std::move(fault));
        return;
    }
    auto again = writer::open(directory(), life_options());
    if (!again)
        return schedule_.stop("cannot be opened after the end: " + again.error().message());
    if (again->next_sequence() != oracle_.next())
        schedule_.stop(fmt::format("lost with the process: continues at {} of {}",
                                   again->next_sequence(), oracle_.next()));
}

}  // namespace pawl::test
