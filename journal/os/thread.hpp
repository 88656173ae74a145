// The one way to start a thread.
#pragma once

#include <pawl/journal/error.hpp>

#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace pawl::detail {

struct thread_setup {
    std::string name{};        // the kernel keeps 15 characters of it
    std::vector<int> cores{};  // allowed cores; empty: any
};

// Starts a thread with every signal blocked, so that the program's handlers never run on it, except
// those that a thread raises by its own access: the kernel kills a process that blocks SIGBUS when
// a mapped page is lost, and the guard on our mappings could not step in.
//
// Fails with invalid_argument for a core that cannot exist, and with io or out_of_memory if the
// system refuses the thread. A core that this machine lacks leaves the thread on any.
[[nodiscard]] result<std::thread> start_thread(thread_setup setup, std::function<void()> body);

}  // namespace pawl::detail
