// Threads that share out a number of tasks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace pawl::detail {

class crew {
  public:
    // So many threads, the calling one among them; 0: as many as there are cores. Where the system
    // gives fewer, the work is done by those.
    explicit crew(std::uint32_t threads);
    crew(crew&&) noexcept;
    crew& operator=(crew&&) = delete;
    ~crew();

    [[nodiscard]] std::uint32_t threads() const noexcept;

    // Calls task(0) to task(count - 1), in any order and at once, and returns when all are done.
    void run(std::size_t count, const std::function<void(std::size_t)>& task);

  private:
    struct shared;
    std::unique_ptr<shared> shared_;
};

}  // namespace pawl::detail
