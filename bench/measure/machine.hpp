#pragma once

#include "measure/options.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>

namespace bench {

// Clock ticks that the whole machine spent, and of these how many a hypervisor gave to others.
struct cpu_time {
    std::uint64_t total = 0;
    std::uint64_t steal = 0;
};
[[nodiscard]] cpu_time read_cpu_time();

// The first object of the report: machine, compiler, flags, file system, versions and options.
// `before` was read when the run started; the steal time since then goes into the object.
[[nodiscard]] nlohmann::ordered_json describe_machine(const options& asked, const cpu_time& before);

}  // namespace bench
