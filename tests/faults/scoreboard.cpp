// Runs the rows and prints the table.
#include "support/child_process.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

using namespace pawl::test;
using nlohmann::json;

namespace {

struct wishes {
    bool quick = false;
    bool full = false;
    std::uint64_t seed = 1;
    std::string json_file;
    std::filesystem::path planted;  // the directory of the programs with planted bugs
    std::vector<int> only;          // rows
};

struct listed_program {
    int row = 0;
    std::vector<std::string> words;
};

// Row 12 first: a zero means nothing unless its planted bug is caught.
[[nodiscard]] std::vector<listed_program> read_rows() {
    std::ifstream list{PAWL_FAULTS_DIR "/rows.txt"};
    std::vector<listed_program> programs;
    for (std::string text; std::getline(list, text);) {
        if (text.empty() || text.front() == '#')
            continue;
        std::istringstream words{text};
        listed_program program;
        words >> program.row;
        for (std::string word; words >> word;)
            program.words.push_back(word);
        programs.push_back(std::move(program));
    }
    std::ranges::stable_sort(programs, {}, [](const listed_program& one) {
        constexpr int planted_row = 12;
        return one.row == planted_row ? -1 : one.row;
    });
    return programs;
}

// The line that stands for a program which gave none.
[[nodiscard]] json silent(const listed_program& program, int exit_status) {
    return {{"row", program.row},
            {"name", program.words.front()},
            {"counted", ""},
            {"reached", 0},
            {"target", 0},
            {"failures", 1},
            {"seconds", 0.0},
            {"seed", 0},
            {"skipped", ""},
            {"repeat", ""},
            {"detail", fmt::format("ended with {} and no result", exit_status)}};
}

void print_result(const json& line) {
    const bool skipped = !line["skipped"].get<std::string>().empty();
    fmt::print("{:>3}  {:<24} {:>13} of {:>13} {:<22} {:>8.1f} s  {}\n", line["row"].get<int>(),
               line["name"].get<std::string>(), line["reached"].get<std::uint64_t>(),
               line["target"].get<std::uint64_t>(), line["counted"].get<std::string>(),
               line["seconds"].get<double>(),
               skipped                  ? "skipped: " + line["skipped"].get<std::string>()
               : line["ok"].get<bool>() ? "ok"
                                        : "FAILED");
    if (!line["ok"].get<bool>() && !skipped) {
        fmt::print("     {}\n", line["detail"].get<std::string>());
        fmt::print("     repeat: {}\n", line["command"].get<std::string>());
    }
    std::fflush(stdout);
}

[[nodiscard]] json run_one(const listed_program& program, const wishes& asked) {
    constexpr int planted_row = 12;
    auto words = program.words;
    if (asked.quick)
        words.emplace_back("--quick");
    if (asked.full)
        words.emplace_back("--full");
    words.insert(words.end(), {"--seed", std::to_string(asked.seed)});
    const bool planted = program.row == planted_row && !asked.planted.empty();
    const auto directory = planted ? asked.planted : own_directory();
    const auto ran = run_program(words, directory);
    json results = json::array();
    for (const auto& text : ran.lines()) {
        json line = json::parse(text, nullptr, false);
        if (line.is_object() && line.contains("row"))
            results.push_back(std::move(line));
    }
    bool all_well = true;
    if (results.empty())
        results.push_back(silent(program, ran.exit_status));
    for (auto& line : results) {
        const bool skipped = !line["skipped"].get<std::string>().empty();
        const bool enough =
            line["reached"].get<std::uint64_t>() >= line["target"].get<std::uint64_t>();
        line["ok"] = line["failures"].get<std::uint64_t>() == 0 && (enough || skipped);
        all_well = all_well && line["ok"].get<bool>();
        line["command"] = fmt::format("{}/pawl_fault_{} {}", directory.string(),
                                      program.words.front(), line["repeat"].get<std::string>());
    }
    // A program that says all is well and exits otherwise died on its way out.
    if (all_well && ran.exit_status != 0)
        results.push_back(silent(program, ran.exit_status)), results.back()["ok"] = false,
                                                             results.back()["command"] = "";
    return results;
}

}  // namespace

int main(int argc, char** argv) {
    wishes asked;
    CLI::App app{"Runs the rows of the reliability scoreboard and prints the table."};
    auto* quick = app.add_flag("--quick", asked.quick, "a few seconds a row");
    app.add_flag("--full", asked.full, "the figures on demand: hours")->excludes(quick);
    app.add_option("--seed", asked.seed, "decides everything random");
    app.add_option("--json", asked.json_file, "also write the results to this file");
    app.add_option("--planted", asked.planted, "directory of the programs with planted bugs");
    app.add_option("--row", asked.only, "only these rows");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& wrong) {
        return app.exit(wrong) == 0 ? 0 : 2;
    }
    json all = json::array();
    bool green = true;
    for (const auto& program : read_rows()) {
        if (!asked.only.empty() && std::ranges::find(asked.only, program.row) == asked.only.end())
            continue;
        for (auto& line : run_one(program, asked)) {
            green = green && line["ok"].get<bool>();
            print_result(line);
            all.push_back(std::move(line));
        }
    }
    if (!asked.json_file.empty()) {
        std::ofstream out{asked.json_file};
        out << all.dump(2) << '\n';
        if (!out) {
            fmt::print(stderr, "cannot write {}\n", asked.json_file);
            return 1;
        }
    }
    return green ? 0 : 1;
}
