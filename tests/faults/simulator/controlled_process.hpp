// What makes a run repeatable: randomness and time come from the test while it says so, and it
// learns which pages of a mapping were stored to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pawl::test {

// While one lives, getrandom() gives a sequence that follows from the seed, the clocks stand still
// but for what advance_us() adds and a microsecond at each look, and memory_files answers for
// anonymous memory too. Not nested.
class controlled_process {
  public:
    explicit controlled_process(std::uint64_t seed) noexcept;
    ~controlled_process();
    controlled_process(const controlled_process&) = delete;
    controlled_process& operator=(const controlled_process&) = delete;

    [[nodiscard]] static bool active() noexcept;
    static void advance_us(std::uint64_t microseconds) noexcept;
    // Of every clock. It never goes back.
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

// Mappings made from now on are watched, or not; what was so before.
bool enable(bool on) noexcept;
void mapped(void* begin, std::size_t bytes) noexcept;
void unmapped(void* begin) noexcept;
// The pages stored to since the last call.
[[nodiscard]] std::vector<page> take();

}  // namespace store_watch

}  // namespace pawl::test
