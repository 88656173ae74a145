// The command line of `pawl`: what it understands and what it says of itself.
#pragma once

#include "commands/commands.hpp"

namespace pawl::cli {

// Parses the arguments, runs the command and returns the exit code of the process.
[[nodiscard]] exit_code run(int argc, const char* const* argv);

}  // namespace pawl::cli
