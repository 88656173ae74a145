// An event's metadata, read back from the JSON that `dump` writes.
#pragma once

#include "append/append_line.hpp"

#include <pawl/journal/error.hpp>

#include <string_view>
#include <vector>

namespace pawl::cli {

[[nodiscard]] result<std::vector<event_line::entry>> metadata_from_json(std::string_view text);

}  // namespace pawl::cli
