// Row 9: hostile files are safe. The fuzzers of fuzz/ run as child processes with little memory,
// each for a share of the executions, with seeds from the row's seed; the executions that they
// report are counted.
#include "support/row_program.hpp"
#include "support/workers.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

// How many of 1,000 executions each target gets. Control files and snapshots are parsed from real
// files, which takes ten times as long.
struct share {
    std::string_view target;
    std::uint64_t per_mille;
};
constexpr std::array shares{share{"segment", 380}, share{"index", 220},  share{"heads", 60},
                            share{"payload", 150}, share{"control", 10}, share{"snapshot", 10},
                            share{"json", 50},     share{"schema", 50},  share{"retained", 30},
                            share{"fields", 20},   share{"lines", 20}};

// The directory of the fuzzers: beside this program, or in the build made for them.
[[nodiscard]] fs::path find_fuzzers() {
    const std::array places{fs::read_symlink("/proc/self/exe").parent_path(),
                            fs::path{PAWL_FUZZERS_DIR}};
    for (const fs::path& place : places) {
        const auto there = [&](const share& one) {
            return fs::exists(place / fmt::format("pawl_fuzz_{}", one.target));
        };
        if (std::ranges::all_of(shares, there))
            return place;
    }
    return {};
}

// Runs a command with its output in a file. Returns the exit status, or 128 plus the signal. Real
// files that it parses are in `scratch`, which is in memory if the row program's directory is.
int run_logged(std::vector<std::string> words, const fs::path& log, const fs::path& scratch) {
    std::vector<char*> arguments;
    for (std::string& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        const int into = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        ::dup2(into, STDOUT_FILENO);
        ::dup2(into, STDERR_FILENO);
        ::setenv("TMPDIR", scratch.c_str(), 1);
        // Recording where each allocation was made would take half of the time. The quarantine for
        // freed memory still holds a thousand inputs' worth.
        ::setenv("ASAN_OPTIONS", "malloc_context_size=1:quarantine_size_mb=8", 1);
        ::execv(arguments[0], arguments.data());
        ::_exit(127);
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child)
        return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct log_of_fuzzer {
    std::uint64_t executed = 0;
    std::string fault;
};

[[nodiscard]] log_of_fuzzer read_log(const fs::path& log) {
    constexpr std::string_view counted = "stat::number_of_executed_units:";
    log_of_fuzzer found;
    std::ifstream source{log};
    for (std::string line; std::getline(source, line);) {
        if (line.starts_with(counted)) {
            const char* digits = line.c_str() + line.find_first_of("0123456789");
            std::from_chars(digits, line.c_str() + line.size(), found.executed);
        }
        if (found.fault.empty() && (line.find("ERROR:") != std::string::npos ||
                                    line.find("runtime error:") != std::string::npos))
            found.fault = line;
    }
    return found;
}

struct fuzzing {
    fs::path fuzzers;
    fs::path directory;
    std::uint64_t seed;
    std::uint64_t executions;

    // Runs one target and adds the number of executions.
    [[nodiscard]] worker_report run(const share& one, std::uint64_t part) const {
        const fs::path home = directory / fmt::format("{}-{}", one.target, part);
        fs::create_directories(home / "corpus");
        const std::uint64_t runs = executions * one.per_mille / 1000 / parts + 1;
        const int status = run_logged(
            {fuzzers / fmt::format("pawl_fuzz_{}", one.target), fmt::format("-runs={}", runs),
             // With seed 0, the fuzzer would choose its own.
             fmt::format("-seed={}", (seed * parts + part) % 0x7fffffff + 1), "-max_len=4096",
             "-timeout=10", "-rss_limit_mb=1024", "-malloc_limit_mb=16", "-print_final_stats=1",
             "-verbosity=1", fmt::format("-artifact_prefix={}/", home.string()), home / "corpus",
             fs::path{PAWL_CORPUS_DIR} / one.target},
            home / "log", home);
        const auto log = read_log(home / "log");
        worker_report report{.figures = {log.executed}, .repeat = {}, .fault = {}};
        if (status != 0) {
            report.repeat = fmt::format("--seed {} --count {} --keep 1", seed, executions);
            report.fault = fmt::format("{}: exit status {}: {}", one.target, status, log.fault);
        }
        return report;
    }

    static constexpr std::uint64_t parts = 2;
};

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 9, .name = "hostile_files", .counted = "executions"}, argc, argv};
    const std::uint64_t target =
        program.target({.quick = 100'000, .ci = 20'000'000, .full = 1'000'000'000});
    const bool keep = program.option("--keep", 0) != 0;
    const fuzzing run{.fuzzers = find_fuzzers(),
                      .directory = program.directory(),
                      .seed = program.seed(),
                      .executions = target};
    if (run.fuzzers.empty()) {
        program.skip("no fuzzers: they need Clang with libFuzzer, cmake --build --preset fuzz");
        return program.finish();
    }
    // Each core runs every target once, so that no core waits for the slowest target.
    const auto reports = run_workers(fuzzing::parts, [&](unsigned part) {
        worker_report sum;
        for (const share& one : shares) {
            worker_report report = run.run(one, part);
            sum.figures[0] += report.figures[0];
            if (sum.fault.empty() && !report.fault.empty()) {
                sum.fault = report.fault;
                sum.repeat = report.repeat;
            }
        }
        return sum;
    });
    for (const worker_report& report : reports) {
        program.count(report.figures[0]);
        if (!report.fault.empty())
            program.failure(report.repeat, report.fault);
    }
    // The inputs that broke something, the logs, and the inputs that reached new code.
    if (keep) {
        const fs::path kept = fs::temp_directory_path() / fmt::format("pawl-hostile-{}", run.seed);
        fs::remove_all(kept);
        fs::copy(run.directory, kept, fs::copy_options::recursive);
        fmt::print(stderr, "kept in {}\n", kept.string());
    }
    program.detail(
        "segments, indexes, stream heads, retained, payloads, control files, snapshots, JSON, "
        "schemas, single fields, lines of a dump");
    return program.finish();
}
