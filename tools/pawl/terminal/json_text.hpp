#pragma once

#include <string>
#include <string_view>

namespace pawl::cli {

// A JSON string; what is not UTF-8 is replaced.
void append_json_string(std::string& to, std::string_view text);

}  // namespace pawl::cli
