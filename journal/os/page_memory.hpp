// Memory in whole pages.
#pragma once

#include <pawl/journal/error.hpp>

#include <cstddef>

namespace pawl::detail {

// Zeroed. Uses large pages if the system provides them, for fewer page faults and TLB misses.
class page_memory {
  public:
    page_memory() noexcept = default;
    page_memory(page_memory&& other) noexcept;
    page_memory& operator=(page_memory&& other) noexcept;
    ~page_memory();

    // Present from the start, for what must not fault when the writer looks it up. Fails with
    // out_of_memory.
    [[nodiscard]] static result<page_memory> make(std::size_t bytes);
    // Address space alone, of which each page becomes present when it is first used. Fails with
    // out_of_memory.
    [[nodiscard]] static result<page_memory> reserve(std::size_t bytes);

    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

  private:
    void* mapped_ = nullptr;
    std::size_t mapped_bytes_ = 0;
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace pawl::detail
