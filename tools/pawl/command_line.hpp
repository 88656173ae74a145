// The command line of `pawl`: its arguments and its manuals.
#pragma once

#include "commands/commands.hpp"

namespace pawl::cli {

// Parses the arguments, runs the command and returns the exit code of the process.
[[nodiscard]] exit_code run(int argc, const char* const* argv);

}  // namespace pawl::cli
