// The thread of the writer: appends, and what must hold after each.
#include "scheduled_life.hpp"
#include "simulator/writer_life.hpp"
#include "support/failure_text.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace pawl::test {

void scheduled_life::live() {
    auto opened = writer::open(directory(), options_);
    if (!opened)
        return wrong("refused: " + opened.error().message());
    log_.emplace(std::move(*opened));
    std::vector<std::thread> others;
    if (below(2) == 0)
        others.emplace_back([this] { sync_beside(); });
    for (std::uint64_t left = below(3); left != 0; --left) {
        const auto show = below(2) == 0 ? visibility::published : visibility::durable;
        const auto wait = below(4) == 0 ? wait_strategy::yield : wait_strategy::block;
        others.emplace_back([this, show, wait] { follow(show, wait); });
    }
    work();
    wait_for_background();
    end();
    for (std::thread& other : others)
        other.join();
    outcome_.rollovers = log_->statistics().rollovers;
    log_.reset();
}

void scheduled_life::work() {
    for (std::uint64_t left = 4 + below(28); left != 0; --left) {
        step();
        if (auto fault = version_fault(*log_, oracle_, streams_); !fault.empty())
            wrong(std::move(fault));
        if (log_->durable() > log_->published())
            wrong("more is durable than published");
    }
}

void scheduled_life::step() {
    const std::uint64_t what = below(32);
    if (what < 18) {
        append_one();
    } else if (what < 21) {
        append_reserved();
    } else if (what < 25) {
        append_batch();
    } else if (what < 28) {
        check_sync();
    } else {
        nap(3000);
    }
}

expected_event scheduled_life::some_event() {
    constexpr std::uint64_t largest = 30'000;
    const auto bytes =
        below(large_one_in_) == 0 ? static_cast<std::uint32_t>(below(largest)) : usual_bytes_;
    if (below(new_stream_one_in_) == 0)
        ++streams_;
    return oracle_.make(bytes, static_cast<std::uint16_t>(below(streams_ + 1)));
}

void scheduled_life::went(const result<receipt>& given) {
    if (!given) {
        oracle_.withdrawn();
        if (given.error().code == errc::back_pressure)
            return nap(1000);
        return wrong("an append failed without cause: " + failure_text(*log_, given.error()));
    }
    if (given->sequence + 1 != oracle_.next())
        wrong(fmt::format("gap: event {} got sequence {}", oracle_.next() - 1, given->sequence));
}

void scheduled_life::append_one() {
    const auto event = some_event();
    oracle_.published(event);
    went(append(*log_, event));
}

void scheduled_life::append_reserved() {
    const auto event = some_event();
    auto space = reserve(*log_, event, below(200));
    if (!space)
        return;
    if (below(3) == 0)
        return space->abandon();
    oracle_.published(event);
    went(space->commit(event.bytes));
}

void scheduled_life::append_batch() {
    const auto count = static_cast<std::uint32_t>(2 + below(2));
    auto together = log_->begin_batch(count, std::size_t{count} * usual_bytes_);
    if (!together)
        return;
    std::vector<expected_event> events;
    for (std::uint32_t i = 0; i < count; ++i) {
        auto event = oracle_.make(usual_bytes_, static_cast<std::uint16_t>(below(streams_ + 1)));
        event.more_in_batch = i + 1 != count;
        if (!together->append({.type = event.type, .stream = event.stream, .timestamp_ns = 1},
                              event_oracle::payload(event)))
            return together->abandon();
        events.push_back(event);
    }
    if (below(4) == 0)
        return together->abandon();
    for (const auto& event : events)
        oracle_.published(event);
    if (!together->commit())
        return wrong("a batch failed without cause");
}

void scheduled_life::wait_for_background() {
    const bool by_policy = options_.sync.interval_us != 0;
    constexpr int most_milliseconds = 5000;
    for (int i = 0; by_policy && log_->durable() != log_->published(); ++i) {
        if (i == most_milliseconds)
            return wrong("the last events are not durable after five seconds");
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
}

void scheduled_life::end() {
    closed_ = below(4) != 0;
    if (closed_) {
        if (auto done = log_->close(); !done)
            return wrong("closing failed without cause: " + failure_text(*log_, done.error()));
    }
    finished_ = true;
}

}  // namespace pawl::test
