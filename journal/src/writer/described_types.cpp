#include "writer/described_types.hpp"

#include "audit/description_search.hpp"
#include "format/description_frame.hpp"
#include "format/hash.hpp"

#include <algorithm>
#include <cstring>

namespace pawl::detail {

result<std::vector<std::byte>> pack_description(const type_description& what) {
    if (what.name.empty() || what.name.size() > longest_description_name) {
        return std::unexpected(error{.code = errc::invalid_argument,
                                     .size = what.name.size(),
                                     .limit = longest_description_name,
                                     .reason = "type_description::name must have 1 to 1024 bytes"});
    }
    const description_payload front{.type = what.type,
                                    .schema_version = what.schema_version,
                                    .name_bytes = static_cast<std::uint32_t>(what.name.size())};
    const std::size_t skip = sizeof front + padded(what.name.size());
    std::vector<std::byte> payload(skip + what.bytes.size());
    std::memcpy(payload.data(), &front, sizeof front);
    std::memcpy(payload.data() + sizeof front, what.name.data(), what.name.size());
    std::ranges::copy(what.bytes, payload.begin() + static_cast<std::ptrdiff_t>(skip));
    return payload;
}

std::uint64_t described_types::hash(std::span<const std::byte> payload) noexcept {
    return std::max<std::uint64_t>(hash_bytes(payload.data(), payload.size()), 1);
}

result<void> described_types::load(const directory_handle& directory, const journal_id& id,
                                   std::uint64_t first_ordinal) {
    if (loaded_)
        return {};
    const auto found = find_all_descriptions(directory, id, first_ordinal);
    if (!found)
        return std::unexpected(found.error());
    for (const recorded_description& each : *found) {
        const type_description said{each.type, each.schema_version, each.name, each.bytes};
        if (const auto payload = pack_description(said))
            hash_of(said) = hash(*payload);
    }
    loaded_ = true;
    return {};
}

}  // namespace pawl::detail
