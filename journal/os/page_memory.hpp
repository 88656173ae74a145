// Memory in whole pages, present from the start: a lookup by the writer must not cause a page
// fault.
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

    // Fails with out_of_memory.
    [[nodiscard]] static result<page_memory> make(std::size_t bytes);

    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

  private:
    void* mapped_ = nullptr;
    std::size_t mapped_bytes_ = 0;
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace pawl::detail
