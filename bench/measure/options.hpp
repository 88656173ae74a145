#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace bench {

// What the command line asked for.
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

    // Rounds of a question that is asked in many short slices, and of one whose rounds are long.
    [[nodiscard]] unsigned many_rounds() const { return rounds.value_or(quick ? 3 : 11); }
    [[nodiscard]] unsigned few_rounds() const { return rounds.value_or(quick ? 5 : 7); }
    [[nodiscard]] int writer_core() const { return cores.front(); }
    [[nodiscard]] int reader_core() const { return cores.size() > 1 ? cores[1] : cores[0]; }
    [[nodiscard]] std::vector<std::size_t> payload_sizes() const;
    [[nodiscard]] std::vector<double> rates() const;
};

// Parses the arguments, checks them and fills in what they leave open. Returns nothing when the
// program should end at once with `exit_code`: help was asked for, or the usage was wrong.
[[nodiscard]] std::optional<options> parse_options(int argc, char** argv, int& exit_code);

}  // namespace bench
