// Functions of the C library that this test program answers itself: they count their calls, and cut
// reads and writes short where a test asks for it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace pawl::test {

// Of this thread.
[[nodiscard]] std::uint64_t& clock_calls() noexcept;

// While one lives, reads and writes move at most `most` bytes at a time, and every second call is
// interrupted by a signal before it does anything.
class short_calls {
  public:
    explicit short_calls(std::size_t most) noexcept;
    short_calls(const short_calls&) = delete;
    short_calls& operator=(const short_calls&) = delete;
    ~short_calls();

    // How many calls moved less than was asked for, and how many were interrupted.
    [[nodiscard]] std::uint64_t cut_short() const noexcept;
    [[nodiscard]] std::uint64_t interrupted() const noexcept;
};

}  // namespace pawl::test
