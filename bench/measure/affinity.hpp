#pragma once

#include <vector>

namespace bench {

// Pins the calling thread to one core and gives it back its former cores when it ends. Threads
// that are started meanwhile inherit the pin, so what starts background threads does so unpinned.
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
