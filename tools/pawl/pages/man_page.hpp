// Manual pages, from what --help prints.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace pawl::cli {

// "pawl", or "pawl-consumers-drop" for a command of a command.
[[nodiscard]] std::string page_name(const CLI::App& command);

// The page of `pawl` itself or of one command, in the language of man(7).
[[nodiscard]] std::string man_page(const CLI::App& command);

}  // namespace pawl::cli
