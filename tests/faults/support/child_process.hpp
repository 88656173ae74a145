// Runs the programs that are beside this one.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace pawl::test {

struct program_outcome {
    int exit_status = -1;  // 128 plus the signal's number if a signal ended it
    std::string output;    // standard output

    [[nodiscard]] std::vector<std::string> lines() const;
};

// The directory of the running program.
[[nodiscard]] std::filesystem::path own_directory();

// `words`: the row program's name, then its arguments. Standard error passes through. A program
// that takes longer than `most_seconds` is killed; 0 means no limit.
[[nodiscard]] program_outcome run_program(const std::vector<std::string>& words,
                                          const std::filesystem::path& directory,
                                          unsigned most_seconds);

}  // namespace pawl::test
