#pragma once

#include "measure/row.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace bench {

// The results of a run.
struct report {
    std::vector<row> rows{};
    std::vector<verdict> verdicts{};
    std::vector<std::string> failures{};  // questions that could not run, and why
};

// Prints the rows as one table, with a heading whenever the question changes.
void print_rows(std::FILE* out, const std::vector<row>& rows);
// Prints the targets, the measured values, and the questions that could not run.
void print_verdicts(std::FILE* out, const report& found);

// {"machine": …, "rows": […], "targets": […]}. A figure that was not measured is null.
[[nodiscard]] nlohmann::ordered_json to_json(const nlohmann::ordered_json& machine,
                                             const report& found);
void write_file(const std::filesystem::path& path, const std::string& text);

// One self-contained page: plots as inline SVG, every row, the machine. It loads nothing.
[[nodiscard]] std::string to_html(const nlohmann::ordered_json& machine, const report& found);

// Prints the rows that got slower than in an older JSON report, by floor ratio if there is one.
// Returns their number; does not count a row that is unreliable in either report or whose rounds
// overlap.
int print_slower(std::FILE* out, const std::filesystem::path& old_json, const report& found);

}  // namespace bench
