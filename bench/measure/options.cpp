#include "measure/options.hpp"

#include "measure/affinity.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace bench {

std::vector<std::size_t> options::payload_sizes() const {
    if (payload) {
        return {*payload};
    }
    return {64, 256, 1024};
}

std::vector<double> options::rates() const {
    if (rate) {
        return {*rate};
    }
    return {100'000, 1'000'000};
}

std::optional<options> parse_options(int argc, char** argv, int& exit_code) {
    options made;
    made.directory = "/var/tmp";
    const auto cores = allowed_cores();

    CLI::App app(
        "Measures Pawl against the floor that the machine sets and against what one would "
        "otherwise use, all in one run.");
    app.option_defaults()->always_capture_default();
    app.add_flag("--quick", made.quick, "fewer rounds and smaller journals: about a minute");
    app.add_option("--json", made.json, "write the report as JSON to this file");
    app.add_option("--html", made.html, "write the report as one page with plots to this file");
    app.add_option("--dir", made.directory, "directory on the disk to measure")
        ->check(CLI::ExistingDirectory);
    app.add_option("--cores", made.cores,
                   "cores to pin to: the writer's, the reader's, then those of replay")
        ->delimiter(',');
    app.add_option("--payload", made.payload, "measure this payload size instead of three")
        ->check(CLI::Range(std::size_t{8}, std::size_t{65536}));
    app.add_option("--rate", made.rate, "events a second of paced runs, instead of two rates")
        ->check(CLI::Range(1.0, 1e8));
    app.add_option("--like", made.like, "take payload sizes and rate from this journal")
        ->check(CLI::ExistingDirectory);
    app.add_option("--compare", made.compare, "say what got slower since this JSON report")
        ->check(CLI::ExistingFile);
    app.add_option("--only", made.only,
                   "ask only these questions: floor, micro, append, sustained, tail, durable, "
                   "latency, replay, commands, command_loop, restart, scale, peers, codec, sql")
        ->delimiter(',')
        ->check(CLI::IsMember({"floor", "micro", "append", "sustained", "tail", "durable",
                               "latency", "replay", "commands", "command_loop", "restart", "scale",
                               "peers", "codec", "sql"}));
    app.add_option("--rounds", made.rounds, "repetitions of every contender")
        ->check(CLI::Range(5U, 1000U));
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& wrong) {
        exit_code = app.exit(wrong) == 0 ? 0 : 2;
        return std::nullopt;
    }
    for (const int core : made.cores) {
        if (std::find(cores.begin(), cores.end(), core) == cores.end()) {
            std::cerr << "--cores: this process may not run on core " << core << '\n';
            exit_code = 2;
            return std::nullopt;
        }
    }
    if (made.cores.empty()) {
        made.cores = cores;
    }
    return made;
}

}  // namespace bench
