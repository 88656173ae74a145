// Functions of the C library that this test program replaces: they count their calls, and cut reads
// and writes short for tests that enable it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace pawl::test {

// The count of this thread.
[[nodiscard]] std::uint64_t& clock_calls() noexcept;

// While one lives, reads and writes move at most `most` bytes at a time, and every second call is
// interrupted by a signal before it does anything.
class short_calls {
  public:
    explicit short_calls(std::size_t most) noexcept;
    short_calls(const short_calls&) = delete;
    short_calls& operator=(const short_calls&) = delete;
    ~short_calls();

    // The number of calls that moved fewer bytes than requested, and of interrupted calls.
    [[nodiscard]] std::uint64_t cut_short() const noexcept;
    [[nodiscard]] std::uint64_t interrupted() const noexcept;
};

}  // namespace pawl::test
