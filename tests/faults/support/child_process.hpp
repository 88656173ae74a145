// Runs the programs that lie beside this one.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace pawl::test {

struct program_outcome {
    int exit_status = -1;  // 128 and the signal's number where one ended it
    std::string output;    // standard output

    [[nodiscard]] std::string last_line() const;
    [[nodiscard]] std::vector<std::string> lines() const;
};

// The directory that holds the program which is running.
[[nodiscard]] std::filesystem::path own_directory();

// `words`: the row program's name, then its arguments. Standard error passes through.
[[nodiscard]] program_outcome run_program(const std::vector<std::string>& words,
                                          const std::filesystem::path& directory = own_directory());

}  // namespace pawl::test
