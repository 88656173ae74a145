#pragma once

#include "measure/options.hpp"
#include "measure/payloads.hpp"
#include "report/report.hpp"

#include <functional>
#include <string>

namespace bench {

// The input of a question: the options, the report for its rows, and a callback for its progress.
struct context {
    const options& asked;
    report& found;
    std::function<void(const std::string&)> progress;

    // The cases by payload: one per requested size, or one modelled on the journal of --like.
    struct load {
        std::string name;
        payloads events;
    };
    std::vector<load> loads;
    std::vector<double> rates;
};

// One question per file; each adds its rows and verdicts to the report, and throws `failure` if it
// cannot run.
void ask_floor(context& run);
void ask_micro(context& run);
void ask_append(context& run);
void ask_sustained(context& run);
void ask_tail(context& run);
void ask_durable(context& run);
void ask_commands(context& run);
void ask_command_loop(context& run);
void ask_latency(context& run);
void ask_replay(context& run);
void ask_restart(context& run);
void ask_scale(context& run);
void ask_peers(context& run);
void ask_codec(context& run);
// Only with PAWL_BENCH_SQL: it needs SQLite and the tools.
void ask_sql(context& run);

}  // namespace bench
