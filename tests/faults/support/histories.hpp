// Journals that live, die and are opened again, divided among worker processes.
#pragma once

#include "generated_log.hpp"
#include "row_program.hpp"
#include "workers.hpp"

#include <fmt/core.h>

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace pawl::test {

struct history_plan {
    std::string_view directory;  // the name of each, before its number
    std::uint64_t most_lives = 1;
};

// Counts each life of a `History`, which its directory and a seed determine. `holds` judges it once
// it has lived; `add` adds its figures. --first-history N --workers 1 repeats one.
template <class History, class Holds, class Add>
[[nodiscard]] worker_sums run_histories(row_program& program, const history_plan& plan,
                                        const Holds& holds, const Add& add) {
    const std::uint64_t first = program.option("--first-history", 0);
    const auto workers = static_cast<unsigned>(program.option("--workers", usual_workers()));
    return divide_among_workers(program, workers, [&](unsigned index) {
        worker_sums mine{};
        for (std::uint64_t number = first + index; program.goes_on(); number += workers) {
            const auto directory =
                program.directory() / fmt::format("{}-{}", plan.directory, number);
            History told{directory, draw(program.seed(), number)};
            bool right = true;
            while (right && told.lives() < plan.most_lives && program.goes_on()) {
                right = told.one_life();
                program.count();
            }
            if (!right || !holds(told))
                program.failure(
                    fmt::format("--first-history {} --workers 1 --count {}", number,
                                plan.most_lives),
                    fmt::format("{} (life {} of history {})", told.wrong(), told.lives(), number));
            std::filesystem::remove_all(directory);
            add(told, mine);
        }
        return mine;
    });
}

}  // namespace pawl::test
