// The outcome of a scenario, as a value: Pawl's test helpers depend on no test framework.
#pragma once

#include <string>

namespace pawl {

struct [[nodiscard]] verdict {
    bool holds = true;
    std::string why{};
};

}  // namespace pawl
