// Functions of the C library that this test program replaces: they count their calls, and cut reads
// and writes short for tests that enable it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace pawl::test {

// The count of this thread.
[[nodiscard]] std::uint64_t& clock_calls() noexcept;

// The calls by which this thread read files, and the bytes that they returned.
struct read_count {
    std::uint64_t calls = 0;
    std::uint64_t bytes = 0;
    bool operator==(const read_count&) const = default;
    friend read_count operator-(const read_count& now, const read_count& before) noexcept {
        return {now.calls - before.calls, now.bytes - before.bytes};
    }
};
[[nodiscard]] const read_count& reads() noexcept;

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
