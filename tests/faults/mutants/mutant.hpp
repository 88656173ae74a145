// Included before everything else in a build with mutants: which one is enabled, and which were
// reached.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

namespace pawl_mutants {

// The number in PAWL_MUTANT; 0 if none is enabled.
inline const int awake = [] {
    const char* text = ::getenv("PAWL_MUTANT");
    return text == nullptr ? 0 : ::atoi(text);
}();

// One byte for each mutant in the file that PAWL_MUTANT_TRACE names: 1 if its place was reached.
// Shared, so that children count, too, and nothing is lost if a process is killed.
inline constexpr unsigned most = 65536;
inline char* const reached = []() -> char* {
    const char* path = ::getenv("PAWL_MUTANT_TRACE");
    if (path == nullptr)
        return nullptr;
    const int file = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ::ftruncate(file, most) != 0)
        return nullptr;
    void* at = ::mmap(nullptr, most, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    return at == MAP_FAILED ? nullptr : static_cast<char*>(at);
}();

[[nodiscard]] inline bool is_awake(int number) noexcept {
    if (reached != nullptr)
        reached[number] = 1;
    return awake == number;
}

}  // namespace pawl_mutants

// Disabled while the compiler evaluates it.
[[nodiscard]] constexpr bool pawl_mutant(int number) noexcept {
    if (__builtin_is_constant_evaluated())
        return false;
    return pawl_mutants::is_awake(number);
}
