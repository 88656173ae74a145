// The same work on several cores, in separate processes.
#pragma once

#include "row_program.hpp"

#include <sys/mman.h>

#include <array>
#include <cstdint>
#include <functional>
#include <new>
#include <string>
#include <tuple>
#include <vector>

namespace pawl::test {

// Figures of one worker, whose meaning the caller defines.
using worker_sums = std::array<std::uint64_t, 8>;

// What one worker reports: what it counted and such figures, and what went wrong.
struct worker_report {
    std::array<std::uint64_t, std::tuple_size_v<worker_sums> + 1> figures{};
    std::string repeat;  // arguments that show the fault alone
    std::string fault;   // empty if there is none
    bool died = false;
};

[[nodiscard]] unsigned usual_workers() noexcept;

// Calls work(index) in `count` processes and returns what each returned; one that died is a fault.
// Each stays on one processor, and so do the processes that it starts.
[[nodiscard]] std::vector<worker_report> run_workers(
    unsigned count, const std::function<worker_report(unsigned index)>& work);
// Undoes that, for a process whose threads should run in parallel.
void use_all_processors() noexcept;

// Divides a program's target among processes. Each calls work(index), which counts and reports
// failures in its own copy of the program; this function combines those, and the sums. The workers
// share the directories below program.directory(). `repeat_of_dead` returns the arguments that
// repeat what killed a worker.
worker_sums divide_among_workers(
    row_program& program, unsigned workers, const std::function<worker_sums(unsigned index)>& work,
    const std::function<std::string(unsigned index)>& repeat_of_dead = {});

// A value on pages that this process shares with its children, which may be killed; it is never
// unmapped. Null if there is no memory, which is then the program's failure.
template <class T>
[[nodiscard]] T* shared_with_children(row_program& program) {
    void* pages =
        ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        program.failure("", "no shared memory");
        return nullptr;
    }
    return new (pages) T{};
}

}  // namespace pawl::test
