// The one way to start a thread.
#pragma once

#include <pawl/journal/error.hpp>

#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace pawl::detail {

struct thread_setup {
    std::string name{};        // the kernel keeps its first 15 characters
    std::vector<int> cores{};  // allowed cores; empty: any
};

// Starts a thread with every signal blocked, so that the program's handlers never run on it. The
// exceptions are the signals that a thread's own access raises: if SIGBUS were blocked, the kernel
// would kill the process when a mapped page is lost, before our guard could act.
//
// Fails with invalid_argument for a core that cannot exist, and with io or out_of_memory if the
// system refuses the thread. A core that this machine lacks leaves the thread on any.
[[nodiscard]] result<std::thread> start_thread(thread_setup setup, std::function<void()> body);

}  // namespace pawl::detail
