// Replaces malloc and its relatives in a program, counts a thread's allocations and can refuse
// them. Included in exactly one source of a program, because it defines the functions.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PAWL_ALLOCATION_HOOK 0
#else
#define PAWL_ALLOCATION_HOOK 1
#endif

namespace pawl::test {

struct allocation_watch {
    bool counting = false;
    std::uint64_t count = 0;
};
inline thread_local allocation_watch this_thread_allocates;

// In all threads: fails the allocation when the countdown reaches zero, once or from then on.
struct allocation_failure {
    std::atomic<bool> armed{false};
    std::atomic<bool> for_good{false};
    std::atomic<std::int64_t> countdown{0};
    std::atomic<std::uint64_t> refused{0};
};
inline allocation_failure failing_allocations;

[[nodiscard]] inline bool allocation_refused() noexcept {
    if (this_thread_allocates.counting)
        ++this_thread_allocates.count;
    auto& failing = failing_allocations;
    if (!failing.armed.load(std::memory_order_relaxed))
        return false;
    const auto left = failing.countdown.fetch_sub(1, std::memory_order_relaxed);
    if (left > 0 || (left < 0 && !failing.for_good.load(std::memory_order_relaxed)))
        return false;
    failing.refused.fetch_add(1, std::memory_order_relaxed);
    errno = ENOMEM;
    return true;
}

}  // namespace pawl::test

#if PAWL_ALLOCATION_HOOK
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t bytes) {
    return pawl::test::allocation_refused() ? nullptr : __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
    return pawl::test::allocation_refused() ? nullptr : __libc_calloc(count, bytes);
}
void* realloc(void* old, std::size_t bytes) {
    return pawl::test::allocation_refused() ? nullptr : __libc_realloc(old, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
    return pawl::test::allocation_refused() ? nullptr : __libc_memalign(alignment, bytes);
}
int posix_memalign(void** into, std::size_t alignment, std::size_t bytes) {
    *into = pawl::test::allocation_refused() ? nullptr : __libc_memalign(alignment, bytes);
    return *into == nullptr ? ENOMEM : 0;
}
}
#endif
