#pragma once

#include "measure/options.hpp"
#include "measure/payloads.hpp"
#include "report/report.hpp"

#include <functional>
#include <string>

namespace bench {

// What a question is given: the options, where to leave its rows, and whom to tell how far it is.
struct context {
    const options& asked;
    report& found;
    std::function<void(const std::string&)> progress;

    // The cases by payload: one for each size asked for, or one for the journal to be like.
    struct load {
        std::string name;
        payloads events;
    };
    std::vector<load> loads;
    std::vector<double> rates;
};

// One question a file; each adds its rows and verdicts to the report and throws `failure` when it
// cannot be asked.
void ask_floor(context& run);
void ask_micro(context& run);
void ask_append(context& run);
void ask_sustained(context& run);
void ask_tail(context& run);
void ask_durable(context& run);
void ask_latency(context& run);
void ask_replay(context& run);
void ask_restart(context& run);
void ask_peers(context& run);

}  // namespace bench
