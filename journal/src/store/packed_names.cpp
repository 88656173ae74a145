#include "store/packed_names.hpp"

#include "os/assertion.hpp"

#include <pawl/journal/detail/frame.hpp>

#include <cstring>
#include <utility>

namespace pawl::detail {

void append_packed(std::vector<std::byte>& packed, std::string_view name, stream_id stream) {
    PAWL_ASSERT(std::in_range<std::uint32_t>(name.size()));
    const std::size_t at = packed.size();
    packed.resize(at + name_prefix_bytes + name.size());
    store_u64(packed.data() + at, stream);
    store_u32(packed.data() + at + sizeof stream, static_cast<std::uint32_t>(name.size()));
    std::memcpy(packed.data() + at + name_prefix_bytes, name.data(), name.size());
}

std::vector<std::byte> pack_names(const name_map& names) {
    std::vector<std::byte> packed;
    for (const auto& [name, stream] : names)
        append_packed(packed, name, stream);
    return packed;
}

bool unpack_names(std::span<const std::byte> packed, std::uint64_t count, name_map& names) {
    for (std::uint64_t i = 0; i < count; ++i) {
        if (packed.size() < name_prefix_bytes)
            return false;
        const std::uint64_t stream = load_u64(packed.data());
        const std::size_t bytes = load_u32(packed.data() + sizeof stream);
        packed = packed.subspan(name_prefix_bytes);
        if (packed.size() < bytes)
            return false;
        names.emplace(std::string{reinterpret_cast<const char*>(packed.data()), bytes}, stream);
        packed = packed.subspan(bytes);
    }
    return packed.empty() && names.size() == count;
}

}  // namespace pawl::detail
