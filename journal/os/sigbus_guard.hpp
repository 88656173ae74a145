// Access to a page of a mapped file that is not available (a file cut short, no room to copy a
// shared block, a bad sector) raises SIGBUS, which ends a process. For our mappings it sets a flag
// instead.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace pawl::detail {

// One mapping under guard. The handler records the fault here and then maps a private page of zeros
// at that place, so that the thread continues. The order ensures that no thread reads those zeros,
// or stores to them, before the fault is recorded. What is read from or stored to the mapping
// afterwards is worthless.
struct guarded_range {
    std::atomic<std::uintptr_t> begin{0};  // 0: not in use
    std::atomic<std::uintptr_t> end{0};
    std::atomic<std::uintptr_t> fault{0};  // the address of the first one; 0: none
};

// Puts a mapping under guard; null if out of memory. The first call installs the handler for the
// process. A SIGBUS elsewhere goes to the handler that was installed before. A program that later
// installs its own handler and does not call ours loses the guard, and so does a thread that blocks
// the signal.
[[nodiscard]] guarded_range* guard_range(const void* begin, std::size_t bytes) noexcept;
// Must be called before the mapping is removed.
void unguard_range(guarded_range* range) noexcept;

// On a cache line of its own: every append and every read loads it, and it hardly ever changes.
struct alignas(64) fault_counter {
    std::atomic<std::uint32_t> faults{0};
};
inline fault_counter guarded_faults;

// The number of faults in all guarded mappings: one load suffices to know whether to check each
// mapping. Faults of this thread's earlier stores are included.
[[nodiscard]] inline std::uint32_t count_guarded_faults() noexcept {
    // The handler runs on this thread: the compiler must not move the load before the stores.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return guarded_faults.faults.load(std::memory_order_relaxed);
}

}  // namespace pawl::detail
