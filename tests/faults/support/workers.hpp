// The same work on several cores, in processes of their own.
#pragma once

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
};

[[nodiscard]] unsigned usual_workers() noexcept;

// Calls work(index) in `count` processes and gives back what each returned; one that died is a
// fault.
[[nodiscard]] std::vector<worker_report> run_workers(
    unsigned count, const std::function<worker_report(unsigned index)>& work);

}  // namespace pawl::test
