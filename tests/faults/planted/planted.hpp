// Bugs planted on purpose, to show that the fault tests would find them.
//
// Each is one patch in this directory. The preset `planted` applies all of them to a copy of the
// sources and includes this header in every file of it; one bug at a time is awake there, named by
// the environment variable PAWL_PLANTED_BUG.
#pragma once

#include "bugs.hpp"  // made by plant.sh: one enumerator for each patch

namespace pawl::detail {

[[nodiscard]] bool planted(bug which) noexcept;

}  // namespace pawl::detail
