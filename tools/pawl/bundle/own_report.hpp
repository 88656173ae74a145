// What another command of this program reports.
#pragma once

#include <pawl/journal/error.hpp>

#include <string>
#include <vector>

namespace pawl::cli {

struct own_report {
    std::string text;  // standard output, and standard error after it
    int exit_code = -1;
};

// Runs this program again with these arguments: a report that crashes leaves the others alone.
[[nodiscard]] result<own_report> run_self(const std::vector<std::string>& arguments);

}  // namespace pawl::cli
