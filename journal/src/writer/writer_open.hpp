// Opening a journal for writing: directory, lock, recovery, stream heads, first segment.
#pragma once

#include "writer/writer_state.hpp"

#include <cstdint>
#include <memory>

namespace pawl::detail {

// What the writer is for. One that only recovers is closed at once, so its segment needs space only
// for an end frame, which even a full disk may have.
enum class open_purpose : std::uint8_t { append, recover };

[[nodiscard]] result<std::unique_ptr<writer_state>> open_writer(
    const std::filesystem::path& directory, const writer_options& options,
    open_purpose purpose = open_purpose::append);

}  // namespace pawl::detail
