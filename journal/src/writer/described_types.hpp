// The descriptions that the log already holds, so that each distinct one is recorded once.
#pragma once

#include "os/directory_handle.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace pawl::detail {

// The payload of a description frame. invalid_argument if the name is empty or too long.
[[nodiscard]] result<std::vector<std::byte>> pack_description(const type_description& what);

// For each event type and schema version, the hash of its last description.
class described_types {
  public:
    // Reads the segments before `first_ordinal`. After a call that succeeds, later calls do
    // nothing.
    [[nodiscard]] result<void> load(const directory_handle& directory, const journal_id& id,
                                    std::uint64_t first_ordinal);

    // 0 if there is no description of that type yet.
    [[nodiscard]] std::uint64_t& hash_of(const type_description& what) {
        return last_[{what.type, what.schema_version}];
    }
    // Never 0.
    [[nodiscard]] static std::uint64_t hash(std::span<const std::byte> payload) noexcept;

  private:
    std::map<std::pair<std::uint16_t, std::uint16_t>, std::uint64_t> last_;
    bool loaded_ = false;
};

}  // namespace pawl::detail
