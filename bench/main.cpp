// Asks every question in turn and reports.

#include "contenders/question.hpp"
#include "measure/failure.hpp"
#include "measure/like.hpp"
#include "measure/machine.hpp"
#include "measure/options.hpp"
#include "report/report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace bench {
namespace {

struct named_question {
    const char* name;
    void (*ask)(context&);
};

constexpr named_question questions[] = {
    {"floor", ask_floor},       {"micro", ask_micro},
    {"append", ask_append},     {"sustained", ask_sustained},
    {"tail", ask_tail},         {"durable", ask_durable},
    {"latency", ask_latency},   {"replay", ask_replay},
    {"commands", ask_commands}, {"command_loop", ask_command_loop},
    {"restart", ask_restart},   {"scale", ask_scale},
    {"peers", ask_peers},       {"codec", ask_codec},
#if PAWL_BENCH_SQL
    {"sql", ask_sql},
#endif
};

bool wanted(const options& asked, const std::string& name) {
    return asked.only.empty() ||
           std::find(asked.only.begin(), asked.only.end(), name) != asked.only.end();
}

// On a terminal, shows one line that overwrites itself; elsewhere, shows nothing.
void show_progress(const std::string& what) {
    if (isatty(STDERR_FILENO) != 0) {
        fmt::print(stderr, "\r\x1b[K{:.100}", what);
        std::fflush(stderr);
    }
}

std::vector<context::load> fixed_loads(const options& asked) {
    std::vector<context::load> loads;
    for (const auto bytes : asked.payload_sizes()) {
        loads.push_back({fmt::format("{} bytes", bytes), payloads::of_size(bytes)});
    }
    return loads;
}

void ask_all(context& run) {
    for (const auto& [name, ask] : questions) {
        if (!wanted(run.asked, name)) {
            continue;
        }
        const auto first = run.found.rows.size();
        try {
            ask(run);
        } catch (const std::exception& wrong) {
            run.found.failures.push_back(fmt::format("{}: {}", name, wrong.what()));
        }
        show_progress("");
        print_rows(stdout, {run.found.rows.begin() + static_cast<std::ptrdiff_t>(first),
                            run.found.rows.end()});
        std::fflush(stdout);
    }
}

void print_legend() {
    fmt::print(
        "\nper event and percentiles: medians over the turns; max: over all turns\n"
        "x floor: median over the turns of the ratio to the raw loop of the same turn; ' of the\n"
        "  percentile that the question is about instead of the mean; ? the floor itself moved by\n"
        "  more than a fifth, so do not rely on it\n"
        "keeps: what an acknowledged event outlives: K the death of the process, P a power cut; C\n"
        "  damage is found when it is read\n");
}

int run(const options& asked) {
    const auto before = read_cpu_time();
    report found;
    context all{
        .asked = asked, .found = found, .progress = show_progress, .loads = {}, .rates = {}};
    if (asked.like.empty()) {
        all.loads = fixed_loads(asked);
        all.rates = asked.rates();
    } else {
        const auto model = like_journal(asked.like);
        all.loads.push_back({"like " + asked.like.filename().string(), model.events});
        all.rates = {asked.rate.value_or(model.events_per_s)};
    }
    ask_all(all);
    print_legend();
    print_verdicts(stdout, found);

    const auto machine = describe_machine(asked, before);
    if (!asked.json.empty()) {
        write_file(asked.json, to_json(machine, found).dump(2) + "\n");
    }
    if (!asked.html.empty()) {
        write_file(asked.html, to_html(machine, found));
    }
    int slower = 0;
    if (!asked.compare.empty()) {
        slower = print_slower(stdout, asked.compare, found);
    }
    return found.failures.empty() && slower == 0 ? 0 : 1;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
    int exit_code = 0;
    const auto asked = bench::parse_options(argc, argv, exit_code);
    if (!asked) {
        return exit_code;
    }
    try {
        return bench::run(*asked);
    } catch (const std::exception& wrong) {
        fmt::print(stderr, "pawl-bench: {}\n", wrong.what());
        return 1;
    }
}
