#pragma once

#include <vector>

namespace bench {

// Pins the calling thread to one core; the destructor restores its former cores. Threads started
// meanwhile inherit the pin, so start background threads unpinned.
class pinned {
  public:
    explicit pinned(int core);
    ~pinned();
    pinned(const pinned&) = delete;
    pinned& operator=(const pinned&) = delete;

  private:
    std::vector<unsigned char> former_;
};

// The cores that this process may run on, ascending.
[[nodiscard]] std::vector<int> allowed_cores();

}  // namespace bench
