#include "format/hash.hpp"

#include <pawl/journal/metadata.hpp>

namespace pawl {

command_reference reference_to(const message_id& id, std::span<const std::byte> bytes) noexcept {
    return {.id = id, .hash = detail::hash_bytes(bytes.data(), bytes.size())};
}

}  // namespace pawl
