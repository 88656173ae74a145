// Stream names as they lie in a run of stream heads and in `retained`: number, length, bytes,
// one after the other.
#pragma once

#include <pawl/journal/types.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::detail {

using name_map = std::map<std::string, stream_id, std::less<>>;

// In front of each name: its stream and its length.
inline constexpr std::size_t name_prefix_bytes = sizeof(std::uint64_t) + sizeof(std::uint32_t);

void append_packed(std::vector<std::byte>& packed, std::string_view name, stream_id stream);
[[nodiscard]] std::vector<std::byte> pack_names(const name_map& names);
// Adds `count` names; false if that is not what the bytes hold.
[[nodiscard]] bool unpack_names(std::span<const std::byte> packed, std::uint64_t count,
                                name_map& names);

}  // namespace pawl::detail
