// When the next snapshot is due.
#pragma once

#include <pawl/journal/event.hpp>

#include <chrono>
#include <cstdint>

namespace pawl::detail {

// What must have passed since the last snapshot; 0: no reason to take one.
struct snapshot_intervals {
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    std::chrono::nanoseconds time{0};
};

class snapshot_due {
  public:
    using clock = std::chrono::steady_clock;

    explicit snapshot_due(const snapshot_intervals& every) noexcept : every_{every} {}

    void add(const event& applied) noexcept {
        ++events_;
        bytes_ += applied.payload().size();
    }
    // Costs no clock: for after each event.
    [[nodiscard]] bool by_size() const noexcept {
        return (every_.events != 0 && events_ >= every_.events) ||
               (every_.bytes != 0 && bytes_ >= every_.bytes);
    }
    // Never without an event since the last.
    [[nodiscard]] bool now() const noexcept {
        return by_size() ||
               (every_.time.count() > 0 && is_new() && clock::now() - last_ >= every_.time);
    }
    // True if the state has changed since the last.
    [[nodiscard]] bool is_new() const noexcept { return events_ != 0; }
    void taken() noexcept {
        events_ = 0;
        bytes_ = 0;
        last_ = clock::now();
    }

  private:
    snapshot_intervals every_;
    std::uint64_t events_ = 0;
    std::uint64_t bytes_ = 0;
    clock::time_point last_ = clock::now();
};

}  // namespace pawl::detail
