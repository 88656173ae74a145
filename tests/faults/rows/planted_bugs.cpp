// Row 12: each planted bug is found by the row that should find it, and the same command is green
// without the bug.
#include "support/child_process.hpp"
#include "support/row_program.hpp"
#include "support/workers.hpp"

#include <fmt/core.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <new>
#include <sstream>
#include <string>
#include <vector>

using namespace pawl::test;

namespace {

#ifdef PAWL_PLANTED_BUGS
constexpr bool bugs_are_here = true;
#else
constexpr bool bugs_are_here = false;
#endif

// A bug may make a command loop forever; that does not count as finding it.
constexpr unsigned most_seconds = 300;

struct planted_bug {
    std::uint64_t number = 0;  // of its line, from 1
    std::string name{};
    std::string row{};
};

// A command and the bugs that it must find: one run without a bug shows that it passes.
struct planted_trial {
    std::vector<std::string> command;
    std::vector<planted_bug> bugs{};
};

[[nodiscard]] std::vector<planted_trial> read_list(std::uint64_t only) {
    std::ifstream list{PAWL_FAULTS_DIR "/planted.txt"};
    std::vector<planted_trial> trials;
    std::uint64_t number = 0;
    for (std::string text; std::getline(list, text);) {
        if (text.empty() || text.front() == '#')
            continue;
        std::istringstream words{text};
        planted_bug bug{.number = ++number};
        words >> bug.name >> bug.row;
        std::vector<std::string> command;
        for (std::string word; words >> word;)
            command.push_back(word);
        if (only != 0 && number != only)
            continue;
        auto trial = std::ranges::find(trials, command, &planted_trial::command);
        if (trial == trials.end())
            trial = trials.insert(trial, {.command = std::move(command)});
        trial->bugs.push_back(std::move(bug));
    }
    return trials;
}

[[nodiscard]] std::string joined(const std::vector<std::string>& words) {
    return fmt::format("{}", fmt::join(words, " "));
}

[[nodiscard]] std::string value_of(const std::string& json, const std::string& name) {
    const auto at = json.find("\"" + name + "\":\"");
    if (at == std::string::npos)
        return {};
    const auto begin = at + name.size() + 4;
    return json.substr(begin, json.find('"', begin) - begin);
}

[[nodiscard]] std::string number_of(const std::string& json, const std::string& name) {
    const auto at = json.find("\"" + name + "\":");
    if (at == std::string::npos)
        return {};
    const auto begin = at + name.size() + 3;
    return json.substr(begin, json.find_first_not_of("0123456789", begin) - begin);
}

// The line of the part that failed; empty if none did, or if the program ended in another way.
[[nodiscard]] std::string failed_part(const program_outcome& ran) {
    if (ran.exit_status != 1)
        return {};
    for (const auto& line : ran.lines()) {
        if (line.starts_with("{\"row\":") && line.find("\"failures\":0,") == std::string::npos)
            return line;
    }
    return {};
}

// The command that the failed part gives for its first failure alone; empty if it gives none.
[[nodiscard]] std::vector<std::string> repeat_of(const std::string& part,
                                                 const std::string& program) {
    const std::string repeat = value_of(part, "repeat");
    if (repeat.empty())
        return {};
    std::istringstream words{repeat};
    std::vector<std::string> command{program};
    for (std::string word; words >> word;)
        command.push_back(word);
    if (std::ranges::find(command, "--seed") == command.end())
        command.insert(command.end(), {"--seed", number_of(part, "seed")});
    return command;
}

enum figure : std::size_t { caught, repeated, left_out };

// Runs the command with the bug enabled; it must find the bug. The command that it gives for the
// first failure alone is run as well, and counted if it shows the bug again. Returns what is wrong,
// else empty.
[[nodiscard]] std::string try_bug(const std::vector<std::string>& command, const planted_bug& bug,
                                  worker_report& report) {
    const auto ran = run_program(command, own_directory(), most_seconds);
    const std::string part = failed_part(ran);
    fmt::print(stderr, "{:<22} row {:>2}  {:<7} {}\n", bug.name, bug.row,
               part.empty() ? "MISSED" : "caught", value_of(part, "detail"));
    if (part.empty())
        return fmt::format("was not found by {}, which ended with status {}", joined(command),
                           ran.exit_status);
    ++report.figures[caught];
    const auto repeat = repeat_of(part, command.front());
    if (repeat.empty())
        return {};
    // A bug that depends on the timing of threads may need another try.
    for (int tries = 0; tries < 3; ++tries) {
        if (!failed_part(run_program(repeat, own_directory(), most_seconds)).empty()) {
            ++report.figures[repeated];
            return {};
        }
    }
    // A writer reads the clock from time to time, so on a busy machine its n-th call may be a
    // different one. That is reported and counted, but the bug was found nevertheless.
    fmt::print(stderr, "{:<22} not reproduced by {}\n", bug.name, joined(repeat));
    return {};
}

void run_trial(const planted_trial& trial, worker_report& report) {
    const auto fault = [&](const std::string& what) {
        if (!report.fault.empty())
            return;
        report.fault = what;
        report.repeat = fmt::format("--bug {}", trial.bugs.front().number);
    };
    const auto alone = run_program(trial.command, own_directory(), most_seconds);
    if (alone.exit_status == exit_skipped) {
        fmt::print(stderr, "{} cannot run here\n", joined(trial.command));
        report.figures[left_out] += trial.bugs.size();
        return;
    }
    if (alone.exit_status != 0)
        return fault(fmt::format("{} ended with status {} without any bug", joined(trial.command),
                                 alone.exit_status));
    for (const auto& bug : trial.bugs) {
        ::setenv("PAWL_PLANTED_BUG", bug.name.c_str(), 1);
        const std::string wrong = try_bug(trial.command, bug, report);
        ::unsetenv("PAWL_PLANTED_BUG");
        if (wrong.empty())
            continue;
        fault(fmt::format("{} {}", bug.name, wrong));
        report.repeat = fmt::format("--bug {}", bug.number);
    }
}

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 12, .name = "planted_bugs", .counted = "bugs caught"}, argc, argv};
    const auto trials = read_list(program.option("--bug", 0));
    std::uint64_t bugs = 0;
    for (const auto& trial : trials)
        bugs += trial.bugs.size();
    program.target({.quick = bugs, .ci = bugs, .full = bugs});
    if (!bugs_are_here) {
        program.skip("this build has no planted bugs; the preset 'planted' does");
        return program.finish();
    }
    using counter = std::atomic<std::size_t>;
    void* page =
        ::mmap(nullptr, sizeof(counter), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        program.failure("", "no shared memory");
        return program.finish();
    }
    auto& next = *new (page) counter{0};
    const auto work = [&](unsigned) {
        worker_report report;
        for (std::size_t i = next++; i < trials.size(); i = next++)
            run_trial(trials[i], report);
        return report;
    };
    std::uint64_t shown_again = 0;
    for (const auto& report : run_workers(usual_workers(), work)) {
        program.count(report.figures[caught]);
        bugs -= report.figures[left_out];
        shown_again += report.figures[repeated];
        if (!report.fault.empty())
            program.failure(report.repeat, report.fault);
    }
    program.target({.quick = bugs, .ci = bugs, .full = bugs});
    program.detail(
        fmt::format("by {} commands, each green without them; {} reproduced by the "
                    "command for the first failure alone",
                    trials.size(), shown_again));
    return program.finish();
}
