// What tool_main prints: the same values as lines for people or as one JSON object for programs.
#pragma once

#include <pawl/replay/state_fields.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::detail {

using tool_report = std::vector<state_field>;

// A name and its value per line; a list has a line for each entry.
[[nodiscard]] std::string to_lines(const tool_report& report);
[[nodiscard]] std::string to_json(const tool_report& report);

// Prints the text and returns `exit_status`, or 1 if it could not be written.
[[nodiscard]] int print_tool_text(const std::string& text, int exit_status);

[[nodiscard]] std::string hexadecimal(std::uint64_t value);

}  // namespace pawl::detail
