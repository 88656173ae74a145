// The same work on several cores, in processes of their own.
#pragma once

#include "row_program.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pawl::test {

// What one worker has to say: figures whose meaning is the caller's, and what went wrong.
struct worker_report {
    std::array<std::uint64_t, 8> figures{};
    std::string repeat;  // arguments that show the fault alone
    std::string fault;   // empty where there is none
    bool died = false;
};

[[nodiscard]] unsigned usual_workers() noexcept;

// Calls work(index) in `count` processes and gives back what each returned; one that died is a
// fault. Each stays on one processor, and so do the processes that it starts.
[[nodiscard]] std::vector<worker_report> run_workers(
    unsigned count, const std::function<worker_report(unsigned index)>& work);
// Undoes that, for a process whose threads are to run beside each other.
void use_all_processors() noexcept;

// Figures of one worker, whose meaning is the caller's.
using worker_sums = std::array<std::uint64_t, 7>;

// Divides what a program has to reach among processes. Each calls work(index), which counts and
// fails in its own copy of the program; here all of that is put together, and the sums with it.
// Directories below program.directory() are the workers' common ones. `repeat_of_dead` returns the
// arguments that show again why a worker died.
worker_sums divide_among_workers(
    row_program& program, unsigned workers, const std::function<worker_sums(unsigned index)>& work,
    const std::function<std::string(unsigned index)>& repeat_of_dead = {});

}  // namespace pawl::test
