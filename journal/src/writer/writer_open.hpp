// Opening a journal for writing: directory, lock, recovery, stream heads, first segment.
#pragma once

#include "writer/writer_state.hpp"

#include <memory>

namespace pawl::detail {

[[nodiscard]] result<std::unique_ptr<writer_state>> open_writer(
    const std::filesystem::path& directory, const writer_options& options);

}  // namespace pawl::detail
