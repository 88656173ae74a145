#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace bench {

// The parsed command line.
struct options {
    bool quick = false;
    std::filesystem::path json;
    std::filesystem::path html;
    std::filesystem::path directory;  // on the disk to measure; /tmp may be memory, /var/tmp is not
    std::vector<int> cores;
    std::optional<std::size_t> payload;
    std::optional<double> rate;
    std::filesystem::path like;
    std::filesystem::path compare;
    std::vector<std::string> only;
    std::optional<unsigned> rounds;

    // The number of rounds for questions with many short slices, and for questions with long
    // rounds.
    [[nodiscard]] unsigned many_rounds() const { return rounds.value_or(quick ? 3 : 11); }
    [[nodiscard]] unsigned few_rounds() const { return rounds.value_or(quick ? 5 : 7); }
    [[nodiscard]] int writer_core() const { return cores.front(); }
    [[nodiscard]] int reader_core() const { return cores.size() > 1 ? cores[1] : cores[0]; }
    [[nodiscard]] std::vector<std::size_t> payload_sizes() const;
    [[nodiscard]] std::vector<double> rates() const;
};

// Parses and checks the arguments and fills in the defaults. Returns nullopt if the program should
// exit at once with `exit_code`: after --help or wrong usage.
[[nodiscard]] std::optional<options> parse_options(int argc, char** argv, int& exit_code);

}  // namespace bench
