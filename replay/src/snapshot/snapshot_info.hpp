// Converts a snapshot's header to the public snapshot_info.
#pragma once

#include "snapshot/snapshot_layout.hpp"

#include <pawl/replay/snapshot.hpp>

#include <array>
#include <cstring>
#include <filesystem>
#include <string>

namespace pawl::detail {

[[nodiscard]] inline snapshot_info info_of(const std::filesystem::path& path,
                                           const snapshot_header& header) {
    return {.path = path,
            .name = std::string{header.name, ::strnlen(header.name, sizeof header.name)},
            .state_version = header.state_version,
            .journal = {std::to_array(header.journal), std::to_array(header.origin)},
            .point = {header.next_sequence, header.content_hash, header.frame_hash},
            .digest = log_digest{header.log_digest},
            .payload_bytes = header.payload_bytes,
            .created_ns = header.created_ns};
}

}  // namespace pawl::detail
