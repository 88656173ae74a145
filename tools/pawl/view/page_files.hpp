// The files of the page, which CMake puts into the program: tools/pawl/view/page.
#pragma once

#include <span>
#include <string_view>

namespace pawl::cli {

struct page_file {
    std::string_view name;
    std::string_view content;
};

[[nodiscard]] std::span<const page_file> page_files() noexcept;

}  // namespace pawl::cli
