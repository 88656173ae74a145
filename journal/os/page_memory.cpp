#include "os/page_memory.hpp"

#include "os/assertion.hpp"
#include "os/mapping.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <memory>
#include <utility>

namespace pawl::detail {

page_memory::page_memory(page_memory&& other) noexcept {
    *this = std::move(other);
}

page_memory& page_memory::operator=(page_memory&& other) noexcept {
    if (this != &other) {
        if (mapped_ != nullptr)
            ::munmap(mapped_, mapped_bytes_);
        mapped_ = std::exchange(other.mapped_, nullptr);
        mapped_bytes_ = std::exchange(other.mapped_bytes_, 0);
        data_ = std::exchange(other.data_, nullptr);
        size_ = std::exchange(other.size_, 0);
    }
    return *this;
}

page_memory::~page_memory() {
    if (mapped_ != nullptr)
        ::munmap(mapped_, mapped_bytes_);
}

result<page_memory> page_memory::reserve(std::size_t bytes) {
    PAWL_ASSERT(bytes != 0);
    constexpr std::size_t large_page = std::size_t{2} << 20;
    const bool large = bytes >= large_page;
    const std::size_t room = large ? bytes + large_page : bytes;
    void* mapped =
        ::mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        return fail(errc::out_of_memory);
    page_memory made;
    made.mapped_ = mapped;
    made.mapped_bytes_ = room;
    void* at = mapped;
    std::size_t left = room;
    if (large) {
        at = std::align(large_page, bytes, at, left);
        PAWL_ASSERT(at != nullptr && left >= bytes);
        // Fails on a system without large pages; normal ones do as well.
        (void)::madvise(at, bytes, MADV_HUGEPAGE);
    }
    made.data_ = static_cast<std::byte*>(at);
    made.size_ = bytes;
    return made;
}

result<page_memory> page_memory::make(std::size_t bytes) {
    auto made = reserve(bytes);
    if (!made)
        return made;
    (void)::madvise(made->data_, bytes, MADV_POPULATE_WRITE);
    touch_pages(made->data_, bytes);
    return made;
}

}  // namespace pawl::detail
