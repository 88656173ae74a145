// The C library's functions by which snapshots reach the disk, recorded in this test program.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace pawl::test {

// While one lives, calls on files below `directory` are recorded as "write NAME", "sync NAME",
// "make NAME" and "rename NAME to NAME", and reads and writes move at most `most` bytes, every
// second of them being interrupted first.
class recorded_calls {
  public:
    explicit recorded_calls(std::string directory, std::size_t most = 0);
    recorded_calls(const recorded_calls&) = delete;
    recorded_calls& operator=(const recorded_calls&) = delete;
    ~recorded_calls();

    // Several writes of one file in a row are one line.
    [[nodiscard]] std::vector<std::string> calls() const;
};

}  // namespace pawl::test
