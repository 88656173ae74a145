// Runs the rows of the reliability scoreboard and prints the table.
#include "support/child_process.hpp"
#include "support/row_program.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace pawl::test;
using nlohmann::json;

namespace {

struct promise {
    int row = 0;  // 0: without a number
    std::string_view text;
};
// In the order in which they are tried. Row 12 first: a zero means nothing unless the planted bugs
// are caught.
constexpr std::array promises{
    promise{12, "The tests themselves work"},
    promise{1, "No durable event is lost, none appears that was not appended, no batch is split"},
    promise{2, "The same on real file systems"},
    promise{3, "The death of the process is harmless"},
    promise{4, "The loss of the kernel loses nothing durable"},
    promise{5, "No ghosts of earlier lives; a crash inside a recovery is safe"},
    promise{6, "Every failing system call and allocation is handled"},
    promise{7, "Bit rot is always found"},
    promise{8, "Nothing below the durable watermark is ever cut"},
    promise{9, "Hostile files are safe"},
    promise{10, "Readers never see a torn event and never die"},
    promise{11, "One writer at a time; a full disk is an error"},
    promise{0, "An append makes no system call and allocates nothing"},
    promise{13, "A command takes effect once"},
    promise{14, "A read model equals the fold"},
    promise{15, "A subscription skips nothing"},
    promise{16, "A prune loses nothing that is needed"},
    promise{17, "A relay has no gap, duplicate or swap"},
    promise{18, "A writer touches only its own directory"},
};
constexpr int planted_row = 12;

[[nodiscard]] std::vector<int> rows() {
    std::vector<int> numbers;
    for (const promise& each : promises)
        numbers.push_back(each.row);
    return numbers;
}

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
    return programs;
}

[[nodiscard]] std::string with_commas(std::uint64_t number) {
    const std::string digits = std::to_string(number);
    std::string text;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i != 0 && (digits.size() - i) % 3 == 0)
            text += ',';
        text += digits[i];
    }
    return text;
}

[[nodiscard]] std::string joined(const std::vector<std::string>& words) {
    return fmt::format("{}", fmt::join(words, " "));
}

// In a form that can be pasted into a shell in the repository.
[[nodiscard]] std::string shown(const std::filesystem::path& path) {
    std::error_code ignored;
    const auto near = std::filesystem::proximate(path, ignored);
    return near.empty() || *near.begin() == ".." ? path.string() : near.string();
}

class scoreboard {
  public:
    explicit scoreboard(const wishes& asked) : asked_{asked} {}

    void run() {
        fmt::print("Reliability scoreboard: {}, seed {}, {} cores\n\n", mode(), asked_.seed,
                   std::thread::hardware_concurrency());
        fmt::print("row  {:<22} {:>29}  {:<24} {:>8}\n", "part", "reached of target", "counted",
                   "seconds");
        const auto programs = read_rows();
        for (const promise& tried : promises) {
            if (wanted(tried.row))
                run_row(tried, programs);
        }
        for (const listed_program& program : programs) {
            if (std::ranges::find(promises, program.row, &promise::row) == promises.end())
                fall_short(fmt::format("row {} in rows.txt has no promise here", program.row));
        }
        const std::chrono::duration<double, std::ratio<60>> took = clock::now() - begin_;
        fmt::print("\n{} parts held, {} skipped, {} fell short; {:.1f} minutes\n", held_, skipped_,
                   short_, took.count());
    }

    [[nodiscard]] bool green() const noexcept { return short_ == 0; }

    [[nodiscard]] json report() const {
        return {{"mode", mode()},      {"seed", asked_.seed}, {"held", held_},
                {"skipped", skipped_}, {"short", short_},     {"ok", green()},
                {"parts", all_parts_}};
    }

  private:
    using clock = std::chrono::steady_clock;

    [[nodiscard]] std::string_view mode() const noexcept {
        return asked_.quick ? "quick" : asked_.full ? "full" : "continuous integration";
    }

    [[nodiscard]] bool wanted(int row) const {
        return asked_.only.empty() || std::ranges::find(asked_.only, row) != asked_.only.end();
    }

    void fall_short(const std::string& why) {
        ++short_;
        fmt::print("     {}\n", why);
    }

    void run_row(const promise& tried, const std::vector<listed_program>& programs) {
        fmt::print("{:>3}  {}\n", tried.row == 0 ? "" : std::to_string(tried.row), tried.text);
        std::fflush(stdout);
        bool any = false;
        for (const auto& program : programs) {
            if (program.row != tried.row)
                continue;
            any = true;
            for (auto& part : run_program_of(program)) {
                print(part);
                all_parts_.push_back(std::move(part));
            }
        }
        if (!any)
            fall_short("no program in rows.txt is for this row");
    }

    // Run the intended program: a row's is the one beside this program.
    [[nodiscard]] std::filesystem::path directory_of(const listed_program& program) const {
        return program.row == planted_row && !asked_.planted.empty()
                   ? std::filesystem::absolute(asked_.planted)
                   : own_directory();
    }

    [[nodiscard]] json run_program_of(const listed_program& program) {
        auto words = program.words;
        if (asked_.quick)
            words.emplace_back("--quick");
        if (asked_.full)
            words.emplace_back("--full");
        words.insert(words.end(), {"--seed", std::to_string(asked_.seed)});
        const auto directory = directory_of(program);
        // Only a program that hangs takes this long.
        const auto ran = run_program(words, directory, asked_.full ? 0 : 3600);
        json parts = json::array();
        for (const auto& text : ran.lines()) {
            json part = json::parse(text, nullptr, false);
            if (is_result(part))
                parts.push_back(std::move(part));
        }
        bool all_well = true;
        bool any_skipped = false;
        for (auto& part : parts) {
            const bool enough =
                part["reached"].get<std::uint64_t>() >= part["target"].get<std::uint64_t>();
            const bool skipped = !part["skipped"].get<std::string>().empty();
            part["ok"] = part["failures"].get<std::uint64_t>() == 0 && (enough || skipped);
            all_well = all_well && part["ok"].get<bool>();
            any_skipped = any_skipped || skipped;
        }
        const bool exit_fits = ran.exit_status == (!all_well ? 1 : any_skipped ? exit_skipped : 0);
        // A program that printed no result, or printed good ones and died afterwards.
        if (parts.empty() || (all_well && !exit_fits))
            parts.push_back(no_result(program, ran.exit_status));
        for (auto& part : parts)
            part["command"] = repeat_command(part, directory, program, words);
        return parts;
    }

    [[nodiscard]] static bool is_result(const json& part) {
        constexpr std::array texts{"name", "counted", "skipped", "repeat", "detail"};
        constexpr std::array figures{"row", "reached", "target", "failures", "seed"};
        const auto has_text = [&](const char* key) {
            return part.contains(key) && part[key].is_string();
        };
        const auto has_figure = [&](const char* key) {
            return part.contains(key) && part[key].is_number_unsigned();
        };
        return part.is_object() && std::ranges::all_of(texts, has_text) &&
               std::ranges::all_of(figures, has_figure) && part.contains("seconds") &&
               part["seconds"].is_number();
    }

    [[nodiscard]] json no_result(const listed_program& program, int exit_status) const {
        return {{"row", program.row},
                {"name", program.words.front()},
                {"counted", "results"},
                {"reached", 0U},
                {"target", 1U},
                {"failures", 1U},
                {"seconds", 0.0},
                {"seed", asked_.seed},
                {"skipped", ""},
                {"repeat", ""},
                {"ok", false},
                {"detail", fmt::format("ended with status {} and without a result", exit_status)}};
    }

    // The command that shows the first failure alone, or the whole part if nothing shorter is
    // known.
    [[nodiscard]] static std::string repeat_command(const json& part,
                                                    const std::filesystem::path& directory,
                                                    const listed_program& program,
                                                    const std::vector<std::string>& words) {
        const std::string where = shown(directory / "pawl_fault_");
        const auto repeat = part["repeat"].get<std::string>();
        if (repeat.empty())
            return where + joined(words);
        std::string command = where + program.words.front();
        if (repeat.find("--seed") == std::string::npos)
            command += fmt::format(" --seed {}", part["seed"].get<std::uint64_t>());
        return command + " " + repeat;
    }

    void print(const json& part) {
        const auto skipped = part["skipped"].get<std::string>();
        const bool ok = part["ok"].get<bool>();
        (!ok ? short_ : skipped.empty() ? held_ : skipped_) += 1;
        const std::string figures =
            fmt::format("{} of {}", with_commas(part["reached"].get<std::uint64_t>()),
                        with_commas(part["target"].get<std::uint64_t>()));
        fmt::print("     {:<22} {:>29}  {:<24} {:>8.1f}  {}\n", part["name"].get<std::string>(),
                   figures, part["counted"].get<std::string>(), part["seconds"].get<double>(),
                   !ok               ? "SHORT"
                   : skipped.empty() ? "ok"
                                     : "skipped: " + skipped);
        if (const auto detail = part["detail"].get<std::string>(); !detail.empty())
            fmt::print("       {}\n", detail);
        if (!ok)
            fmt::print("       repeat: {}\n", part["command"].get<std::string>());
        std::fflush(stdout);
    }

    const wishes& asked_;
    json all_parts_ = json::array();
    std::uint64_t held_ = 0;
    std::uint64_t skipped_ = 0;
    std::uint64_t short_ = 0;
    clock::time_point begin_ = clock::now();
};

}  // namespace

int main(int argc, char** argv) {
    wishes asked;
    CLI::App app{"Runs the rows of the reliability scoreboard and prints the table."};
    auto* quick = app.add_flag("--quick", asked.quick, "a few seconds per row");
    app.add_flag("--full", asked.full, "the figures on demand: hours")->excludes(quick);
    app.add_option("--seed", asked.seed, "decides everything random");
    app.add_option("--json", asked.json_file, "also write the results to this file");
    app.add_option("--planted", asked.planted, "directory of the programs with planted bugs");
    app.add_option("--row", asked.only, "only these rows")->check(CLI::IsMember{rows()});
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& wrong) {
        return app.exit(wrong) == 0 ? 0 : 2;
    }
    scoreboard board{asked};
    board.run();
    if (!asked.json_file.empty()) {
        std::ofstream out{asked.json_file};
        out << board.report().dump(2) << '\n';
        out.close();
        if (!out) {
            fmt::print(stderr, "cannot write {}\n", asked.json_file);
            return 1;
        }
    }
    return board.green() ? 0 : 1;
}
