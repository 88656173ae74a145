// Makes a run repeatable: while enabled, randomness and time come from the test, and the test
// learns which pages of a mapping were stored to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pawl::test {

// While one lives, getrandom() returns a sequence that follows from the seed, the clocks advance
// only by advance_us() and by a microsecond at each reading, and memory_files serves anonymous
// memory, too. Not nested.
class controlled_process {
  public:
    explicit controlled_process(std::uint64_t seed) noexcept;
    ~controlled_process();
    controlled_process(const controlled_process&) = delete;
    controlled_process& operator=(const controlled_process&) = delete;

    [[nodiscard]] static bool active() noexcept;
    static void advance_us(std::uint64_t microseconds) noexcept;
    // Advances every clock. Time never goes back.
    static void advance_to_ns(std::uint64_t nanoseconds) noexcept;
    [[nodiscard]] static std::uint64_t now_ns() noexcept;
};

// Which pages of shared writable mappings were stored to, whatever the value. Costs a page fault
// for each page's first store.
namespace store_watch {

struct page {
    const std::byte* mapping = nullptr;
    std::uint64_t index = 0;
};

// Sets whether mappings made from now on are watched; returns the previous setting.
bool enable(bool on) noexcept;
void mapped(void* begin, std::size_t bytes) noexcept;
void unmapped(void* begin) noexcept;
// The pages stored to since the last call.
[[nodiscard]] std::vector<page> take();

}  // namespace store_watch

}  // namespace pawl::test
