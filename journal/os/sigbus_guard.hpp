// A page of a mapped file that cannot be had (a file cut short, no room to copy a shared block, a
// bad sector) is a SIGBUS, which ends a process. For our mappings it becomes a flag.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace pawl::detail {

// One mapping under guard. The handler notes the fault here and then puts a private page of zeros
// where it was, so that the thread goes on; in this order, so that nobody can see those zeros or
// store to them and find no fault noted. What is read from or stored to the mapping afterwards is
// worthless.
struct guarded_range {
    std::atomic<std::uintptr_t> begin{0};  // 0: not in use
    std::atomic<std::uintptr_t> end{0};
    std::atomic<std::uintptr_t> fault{0};  // the address of the first one; 0: none
};

// Puts a mapping under guard; null if out of memory. The first call installs the handler
// for the process. A SIGBUS elsewhere goes to the handler that was there before; a program that
// installs its own afterwards and does not call ours gives the guard up, and so does a thread that
// blocks the signal.
[[nodiscard]] guarded_range* guard_range(const void* begin, std::size_t bytes) noexcept;
// Must be called before the mapping is removed.
void unguard_range(guarded_range* range) noexcept;

// On a cache line of its own: every append and every read loads it, and it hardly ever changes.
struct alignas(64) fault_counter {
    std::atomic<std::uint32_t> faults{0};
};
inline fault_counter guarded_faults;

// The number of faults in all guarded mappings: one load is enough to decide whether to look
// closer. Faults of this thread's earlier stores are included.
[[nodiscard]] inline std::uint32_t count_guarded_faults() noexcept {
    // The handler runs on this thread: the compiler must not move the load before the stores.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return guarded_faults.faults.load(std::memory_order_relaxed);
}

}  // namespace pawl::detail
