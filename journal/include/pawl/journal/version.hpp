#pragma once

#include <string_view>

namespace pawl {

// The version of the linked library, as "major.minor.patch". It is independent of the version of
// the on-disk format, which every segment carries.
[[nodiscard]] std::string_view version() noexcept;

}  // namespace pawl
