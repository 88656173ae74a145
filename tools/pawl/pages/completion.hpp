// Completion of command lines in a shell, from the options that the commands have.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace pawl::cli {

// Scripts that a shell reads: commands, options and, in other places, names of files.
[[nodiscard]] std::string bash_completion(const CLI::App& app);
[[nodiscard]] std::string zsh_completion(const CLI::App& app);

}  // namespace pawl::cli
