// What a scenario found, as a value: Pawl's test helpers know no test framework.
#pragma once

#include <string>

namespace pawl {

// Whether a scenario went as expected, and what was different.
struct [[nodiscard]] verdict {
    bool holds = true;
    std::string why{};
};

}  // namespace pawl
