// Rows 1 and 10: the threads of a writer and its readers in many orders, one after another.
#include "schedules/scheduled_life.hpp"
#include "support/row_program.hpp"
#include "support/workers.hpp"

#include <fmt/core.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <new>
#include <string>

using namespace pawl::test;

namespace {

enum figure : std::size_t { cuts, steps, switches, rollovers };

constexpr std::size_t most_workers = 64;

// The schedule that each worker is running, plus 1, in case it dies there.
using places = std::array<std::atomic<std::uint64_t>, most_workers>;

[[nodiscard]] places& shared_places() {
    void* at =
        ::mmap(nullptr, sizeof(places), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        throw std::bad_alloc{};
    return *new (at) places{};
}

[[nodiscard]] std::uint64_t life_seed(std::uint64_t seed, std::uint64_t schedule) noexcept {
    return seed * 1'000'003 + schedule;
}

[[nodiscard]] std::string repeat_of(std::uint64_t seed, std::uint64_t schedule) {
    return fmt::format("--seed {} --schedule {} --workers 1 --count 1", seed, schedule);
}

// Whether the same seed leads to the same steps: otherwise a failure could not be investigated.
constexpr std::uint64_t repeat_every = 100;
[[nodiscard]] bool repeats(std::uint64_t seed, std::uint64_t schedule,
                           const schedule_outcome& outcome) {
    const auto again = scheduled_life{life_seed(seed, schedule)}.run();
    return again.fault == outcome.fault && again.steps == outcome.steps &&
           again.switches == outcome.switches && again.cuts == outcome.cuts;
}

// One schedule; what it found goes into the program and the sums.
void try_one(row_program& program, std::uint64_t schedule, worker_sums& sums) {
    const auto outcome = scheduled_life{life_seed(program.seed(), schedule)}.run();
    program.count();
    sums[cuts] += outcome.cuts;
    sums[steps] += outcome.steps;
    sums[switches] += outcome.switches;
    sums[rollovers] += outcome.rollovers;
    if (!outcome.fault.empty())
        program.failure(repeat_of(program.seed(), schedule), outcome.fault);
    else if (schedule % repeat_every == 0 && !repeats(program.seed(), schedule, outcome))
        program.failure(repeat_of(program.seed(), schedule), "a repeat took another course");
}

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 10, .name = "schedules", .counted = "schedules"}, argc, argv};
    const std::uint64_t first = program.option("--schedule", 0);
    const auto workers = static_cast<unsigned>(
        std::min<std::uint64_t>(program.option("--workers", usual_workers()), most_workers));
    program.target({.quick = 500, .ci = 50'000, .full = 10'000'000});
    places& in = shared_places();
    const auto work = [&](unsigned index) {
        worker_sums mine{};
        // The first writer of a process initializes things for later ones.
        (void)scheduled_life{1}.run();
        for (std::uint64_t i = first + index; program.goes_on(); i += workers) {
            in[index] = i + 1;
            try_one(program, i, mine);
            // The threads of a failed schedule stay stopped for good.
            if (program.failures() != 0)
                break;
        }
        in[index] = 0;
        return mine;
    };
    const auto sums = divide_among_workers(program, workers, work, [&](unsigned index) {
        return in[index] == 0 ? std::string{} : repeat_of(program.seed(), in[index] - 1);
    });
    program.detail(fmt::format("{} points, {} switches, {} power cuts, {} rollovers", sums[steps],
                               sums[switches], sums[cuts], sums[rollovers]));
    return program.finish();
}
