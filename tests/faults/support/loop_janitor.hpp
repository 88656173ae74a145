// Detaches loop devices if their owner was killed.
#pragma once

#include <string>

namespace pawl::test {

// A separate process remembers what is attached, and detaches it once this process and all its
// children are gone.
void remember_loop_device(const std::string& path);
void forget_loop_device(const std::string& path);

void detach_loop_device(const std::string& path) noexcept;

}  // namespace pawl::test
