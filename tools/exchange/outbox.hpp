// Holds fills back until they can no longer be lost.
#pragma once

#include "events.hpp"

#include <pawl/journal/types.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>

namespace exchange {

// Sends clients their fills: in order, and none before its event is on stable storage. One thread
// uses it.
class outbox {
  public:
    explicit outbox(std::function<void(const filled_data&)> send) : send_{std::move(send)} {}

    // Keeps a fill that becomes durable together with event `last` of its batch.
    void hold(pawl::sequence_number last, const filled& fill) {
        fill.UnPackTo(&held_.emplace_back(last, filled_data{}).second);
    }

    // Sends the fills of all events below `durable`, which are durable.
    void release(pawl::sequence_number durable) {
        for (; !held_.empty() && held_.front().first < durable; held_.pop_front(), ++sent_)
            send_(held_.front().second);
    }

    [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }
    [[nodiscard]] std::size_t held() const noexcept { return held_.size(); }

  private:
    std::function<void(const filled_data&)> send_;
    std::deque<std::pair<pawl::sequence_number, filled_data>> held_;
    std::uint64_t sent_ = 0;
};

}  // namespace exchange
