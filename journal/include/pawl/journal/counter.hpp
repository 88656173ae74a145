// Numbers that a program shows with its writer's own.
//
//     auto orders = log.register_counter("orders_accepted", pawl::counter_kind::total);
//     if (!orders) return orders.error();
//     orders->add(1);
//
// The writer's background copies them into the journal's control file ten times per second, where
// `pawl stat` and read_status (status.hpp) find them. The journal does not know what they mean.
// They are not durable, and begin at 0 with each open.
#pragma once

#include <atomic>
#include <cstdint>

namespace pawl {

namespace detail {
class counter_board;
}  // namespace detail

enum class counter_kind : std::uint8_t {
    gauge = 0,  // goes up and down
    total = 1,  // only goes up while the writer is open
};

// Refers to a counter of a writer, and is valid as long as the writer. Any thread may use it, and
// several may have the same one. A change costs one atomic operation, and no system call.
class counter {
  public:
    void set(std::uint64_t value) const noexcept {
        value_->store(value, std::memory_order_relaxed);
    }
    void add(std::uint64_t value) const noexcept {
        value_->fetch_add(value, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t value() const noexcept {
        return value_->load(std::memory_order_relaxed);
    }

  private:
    friend class detail::counter_board;
    explicit counter(std::atomic<std::uint64_t>& value) noexcept : value_{&value} {}

    std::atomic<std::uint64_t>* value_;
};

}  // namespace pawl
