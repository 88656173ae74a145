// What makes a run repeatable: randomness and time come from the test while it says so, and it
// learns which pages of a mapping were stored to.
//
// The C library's functions are replaced in any program that uses this header.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pawl::test {

// While one lives, getrandom() gives a sequence that follows from the seed and the clocks stand
// still but for what advance() adds and a microsecond at each look. Not nested.
class controlled_process {
  public:
    explicit controlled_process(std::uint64_t seed) noexcept;
    ~controlled_process();
    controlled_process(const controlled_process&) = delete;
    controlled_process& operator=(const controlled_process&) = delete;

    static void advance_us(std::uint64_t microseconds) noexcept;
};

// Which pages of shared writable mappings were stored to, whatever the value. Costs a page fault
// for each page's first store.
namespace store_watch {

struct page {
    std::string path;
    std::uint64_t index = 0;
};

// Mappings made from now on are watched, or not.
void enable(bool on) noexcept;
// The next mapping made is of this file.
void announce(const char* path) noexcept;
// The pages stored to since the last call.
[[nodiscard]] std::vector<page> take();

}  // namespace store_watch

}  // namespace pawl::test
