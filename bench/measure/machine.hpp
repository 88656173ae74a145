#pragma once

#include "measure/options.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>

namespace bench {

// Clock ticks of the whole machine, and the number of them that a hypervisor gave to others.
struct cpu_time {
    std::uint64_t total = 0;
    std::uint64_t steal = 0;
};
[[nodiscard]] cpu_time read_cpu_time();

// The first object of the report: machine, compiler, flags, file system, versions and options.
// `before` was read when the run started; the object includes the steal time since then.
[[nodiscard]] nlohmann::ordered_json describe_machine(const options& asked, const cpu_time& before);

}  // namespace bench
