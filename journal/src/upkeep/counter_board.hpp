// The counters that a program has registered with its writer.
#pragma once

#include "format/directory_layout.hpp"

#include <pawl/journal/counter.hpp>
#include <pawl/journal/error.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace pawl::detail {

class counter_board {
  public:
    // Any thread. A name that is there already stands for the same counter, with its first kind.
    [[nodiscard]] result<counter> enter(std::string_view name, counter_kind kind);

    // Any thread; waits only for an enter().
    void put_into(control_statistics& statistics) const noexcept;

  private:
    struct slot {
        std::string name;
        counter_kind kind{};
        alignas(64) std::atomic<std::uint64_t> value{0};
    };

    mutable std::mutex mutex_;
    std::size_t used_ = 0;
    std::array<slot, most_counters> slots_;
};

}  // namespace pawl::detail
