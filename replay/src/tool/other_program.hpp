// Runs another program and takes what it prints.
#pragma once

#include <pawl/journal/error.hpp>

#include <string>
#include <vector>

namespace pawl::detail {

// The standard output of the program that the first word names, looked up in PATH if it has no
// slash; standard error passes through. Fails with io if it cannot be run or does not end with
// status 0.
[[nodiscard]] result<std::string> output_of(std::vector<std::string> words);

}  // namespace pawl::detail
