// Finds the stream to which a segment assigns a name.
#pragma once

#include "format/frame_check.hpp"
#include "store/index_file.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <optional>
#include <string_view>

namespace pawl::detail {

// Checks the name frames that the index lists for the hash of this name. damaged if it lists a
// place without one: then the index does not fit its segment, and the caller walks the segment
// instead.
[[nodiscard]] result<std::optional<stream_id>> find_name(index_file& index,
                                                         const frame_space& space,
                                                         std::string_view name);
// Checks every frame up to the end, or to the first place without a whole frame.
[[nodiscard]] std::optional<stream_id> find_name(const frame_space& space, std::string_view name);

}  // namespace pawl::detail
