// File systems on which locks and shared mappings are not dependable.
#pragma once

#include <cstdint>
#include <string_view>

namespace pawl::detail {

// The name of a file system on which journals are refused unless allowed, from the type that statfs
// returns; empty for any other. FUSE is among them, because a local FUSE file system cannot be told
// from one that forwards to another machine.
[[nodiscard]] std::string_view remote_file_system(std::uint32_t type) noexcept;

}  // namespace pawl::detail
