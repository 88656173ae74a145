// Rows 1 and 5: the power is lost at any moment of a writer's life, also inside a recovery.
#include "support/crash_history.hpp"
#include "support/row_program.hpp"

#include <fmt/core.h>

#include <chrono>

using namespace pawl::test;

int main(int argc, char** argv) {
    row_program program{{.row = 1, .name = "power_cuts", .counted = "cuts"}, argc, argv};
    const std::uint64_t target =
        program.target({.quick = 20'000, .ci = 1'000'000, .full = 100'000'000});
    const std::uint64_t first = program.option("--history", 0);
    const std::uint64_t generations = program.option("--generations", 1);
    for (std::uint64_t i = first; program.goes_on(); ++i) {
        const history_plan plan{.seed = program.seed() * 1'000'003 + i,
                                .generations = static_cast<int>(generations)};
        const auto outcome = run_history(plan, program.directory(), target - program.reached());
        program.count(outcome.cuts);
        if (!outcome.fault.empty()) {
            program.failure(
                fmt::format("--seed {} --history {} --count {}", program.seed(), i, outcome.cuts),
                outcome.fault);
        }
    }
    return program.finish();
}
