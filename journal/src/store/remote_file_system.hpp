// File systems on which locks and shared mappings cannot be depended upon.
#pragma once

#include <cstdint>
#include <string_view>

namespace pawl::detail {

// The name of a file system that a journal is refused on unless allowed, by the type that statfs
// gives; empty for any other. FUSE is among them, because from here a local one and one that
// stands for another machine look alike.
[[nodiscard]] std::string_view remote_file_system(std::uint32_t type) noexcept;

}  // namespace pawl::detail
