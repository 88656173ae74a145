#pragma once

#include <string_view>

namespace pawl {

// The version of the library that is linked, as "major.minor.patch". It says nothing of the
// version of the format on disk, which every segment carries itself.
[[nodiscard]] std::string_view version() noexcept;

}  // namespace pawl
