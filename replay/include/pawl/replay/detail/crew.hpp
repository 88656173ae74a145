// Threads that share a set of tasks.
#pragma once

#include <pawl/journal/error.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace pawl::detail {

class crew {
  public:
    // Uses this many threads, including the calling one; 0 means one per core. If the system cannot
    // start them all, fewer threads do the work.
    explicit crew(std::uint32_t threads);
    crew(crew&&) noexcept;
    crew& operator=(crew&&) = delete;
    ~crew();

    [[nodiscard]] std::uint32_t threads() const noexcept;

    // Calls task(0) to task(count - 1), in any order and in parallel, and returns when all are
    // done. A task may throw std::bad_alloc: the others are still done, and this is out_of_memory.
    [[nodiscard]] result<void> run(std::size_t count, const std::function<void(std::size_t)>& task);

  private:
    struct shared;
    std::unique_ptr<shared> shared_;
};

}  // namespace pawl::detail
