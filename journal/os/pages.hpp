#pragma once

#include <cstddef>

namespace pawl::detail {

// Reads a byte of every page. Populating fills the kernel's page tables; a hypervisor that shadows
// them fills its own only when a page is really accessed, which then costs microseconds per page
// and shows in no counter of the guest. The bytes do not matter, so another thread may write them
// meanwhile.
void touch_pages(const std::byte* at, std::size_t bytes) noexcept;

[[nodiscard]] std::size_t page_bytes() noexcept;

}  // namespace pawl::detail
