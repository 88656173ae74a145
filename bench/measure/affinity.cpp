#include "measure/affinity.hpp"

#include "measure/failure.hpp"

#include <sched.h>

#include <cstring>

namespace bench {

pinned::pinned(int core) : former_(sizeof(cpu_set_t)) {
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof cores, &cores) != 0) {
        fail_errno("sched_getaffinity");
    }
    std::memcpy(former_.data(), &cores, sizeof cores);
    CPU_ZERO(&cores);
    CPU_SET(static_cast<unsigned>(core), &cores);
    if (sched_setaffinity(0, sizeof cores, &cores) != 0) {
        fail_errno("cannot pin a thread to core " + std::to_string(core));
    }
}

pinned::~pinned() {
    cpu_set_t cores;
    std::memcpy(&cores, former_.data(), sizeof cores);
    sched_setaffinity(0, sizeof cores, &cores);
}

std::vector<int> allowed_cores() {
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof cores, &cores) != 0) {
        fail_errno("sched_getaffinity");
    }
    std::vector<int> list;
    for (int core = 0; core < CPU_SETSIZE; ++core) {
        if (CPU_ISSET(static_cast<unsigned>(core), &cores)) {
            list.push_back(core);
        }
    }
    return list;
}

}  // namespace bench
