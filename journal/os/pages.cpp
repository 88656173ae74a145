#include "os/pages.hpp"

#include <unistd.h>

namespace pawl::detail {

__attribute__((no_sanitize("thread"))) void touch_pages(const std::byte* at,
                                                        std::size_t bytes) noexcept {
    for (std::size_t offset = 0; offset < bytes; offset += page_bytes())
        (void)*reinterpret_cast<const volatile unsigned char*>(at + offset);
}

std::size_t page_bytes() noexcept {
    static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return bytes;
}

}  // namespace pawl::detail
