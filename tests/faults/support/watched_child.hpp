// Runs work in its own process and gives it up if it does not end: a store or a sync may hang in
// the kernel, and nothing inside the hanging process can end it.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace pawl::test {

struct child_end {
    bool late = false;   // it was still running when its time was over, and was killed
    bool stuck = false;  // even that did not end it or one of its children: the kernel holds them
    int status = 0;      // from waitpid, if it has ended
    // Where it and its children were when the time was over: state and the kernel's function.
    std::string where;

    [[nodiscard]] bool well() const noexcept { return !late && status == 0; }
};

// Calls `work` in a child, which exits with its result, and waits. The child's own children die
// with it if they have requested that.
[[nodiscard]] child_end run_watched(const std::function<int()>& work, std::chrono::seconds most);

}  // namespace pawl::test
