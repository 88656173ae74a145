// Rows 1 and 5: the power fails at any moment of a writer's life, even inside a recovery.
#include "simulator/crash_history.hpp"
#include "support/row_program.hpp"
#include "support/workers.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <string>

using namespace pawl::test;

namespace {

enum figure : std::size_t { cuts, in_recovery, histories };

struct part {
    int row = 1;
    int generations = 1;
    row_targets targets{};
};

void run_part(row_program& program, const part& one, std::uint64_t first, unsigned workers) {
    const std::uint64_t target = program.target(one.targets);
    const auto work = [&](unsigned index) {
        worker_report report;
        const std::uint64_t share = target / workers + (index < target % workers ? 1 : 0);
        for (std::uint64_t i = first + index; report.figures[cuts] < share; i += workers) {
            const history_plan plan{.seed = program.seed() * 1'000'003 + i,
                                    .generations = one.generations,
                                    .cuts_a_moment = 2,
                                    .branch_every = 100};
            const auto outcome = run_history(plan, share - report.figures[cuts]);
            report.figures[cuts] += outcome.cuts;
            report.figures[in_recovery] += outcome.in_recovery;
            ++report.figures[histories];
            if (!outcome.fault.empty()) {
                report.fault = outcome.fault;
                // One more: a fault in a life shows before the next cut.
                report.repeat =
                    fmt::format("--seed {} --row {} --history {} --workers 1 --count {}",
                                program.seed(), one.row, i, outcome.cuts + 1);
                break;
            }
        }
        return report;
    };
    std::uint64_t inside = 0;
    std::uint64_t lived = 0;
    for (const auto& report : run_workers(workers, work)) {
        program.count(report.figures[cuts]);
        inside += report.figures[in_recovery];
        lived += report.figures[histories];
        if (!report.fault.empty())
            program.failure(report.repeat, report.fault);
    }
    if (program.failures() == 0)
        program.detail(fmt::format("{} histories, {} cuts inside a recovery", lived, inside));
}

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 1, .name = "power_cuts", .counted = "cuts"}, argc, argv};
    const std::uint64_t first = program.option("--history", 0);
    const std::uint64_t only = program.option("--row", 0);
    const auto workers = static_cast<unsigned>(program.option("--workers", usual_workers()));
    constexpr part one_life{.row = 1,
                            .generations = 1,
                            .targets = {.quick = 20'000, .ci = 1'000'000, .full = 100'000'000}};
    constexpr part several_lives{
        .row = 5, .generations = 3, .targets = {.quick = 5'000, .ci = 200'000, .full = 20'000'000}};
    if (only != several_lives.row) {
        run_part(program, one_life, first, workers);
        if (only == one_life.row)
            return program.finish();
    }
    const row_description generations{
        .row = 5, .name = "crash_generations", .counted = "cuts after three lives"};
    if (only == several_lives.row)
        program.describe(generations);
    else
        program.next_part(generations);
    run_part(program, several_lives, first, workers);
    return program.finish();
}
