// Has every allocation of a call fail, one after the other.
#pragma once

#include "allocation_hook.hpp"

#include <cstdint>

namespace pawl::test {

// Refuses allocations while it lives: the n-th from now on, and all after it if `for_good`. Neither
// assertions nor messages meanwhile: they allocate.
class refused_allocation {
  public:
    explicit refused_allocation(std::int64_t number, bool for_good = false) noexcept {
        failing_allocations.for_good = for_good;
        failing_allocations.countdown = number;
        failing_allocations.refused = 0;
        failing_allocations.armed = true;
    }
    refused_allocation(const refused_allocation&) = delete;
    refused_allocation& operator=(const refused_allocation&) = delete;
    ~refused_allocation() { failing_allocations.armed = false; }
    [[nodiscard]] static bool happened() noexcept { return failing_allocations.refused != 0; }
};

// Prepares and calls until no allocation of the call is left to be refused, alone or with all that
// follow it; how many calls met one. For a call that takes long, every step-th.
template <class Prepare, class Call>
std::uint64_t refuse_each_allocation(const Prepare& prepare, const Call& call,
                                     std::int64_t step = 1) {
    std::uint64_t refused = 0;
    for (const bool for_good : {false, true}) {
        for (std::int64_t number = 0;; number += step) {
            prepare();
            {
                const refused_allocation refusing{number, for_good};
                call();
            }
            if (!refused_allocation::happened())
                break;
            ++refused;
        }
    }
    return refused;
}

}  // namespace pawl::test
