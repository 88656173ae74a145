#include "os/sigbus_guard.hpp"

#include "os/assertion.hpp"
#include "os/pages.hpp"

#include <sys/mman.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <new>

namespace pawl::detail {

namespace {

// Chunks are never freed: the handler may be walking them.
struct range_chunk {
    std::array<guarded_range, 64> ranges{};
    std::atomic<range_chunk*> next{nullptr};
};

range_chunk first_chunk;
std::mutex ranges_mutex;
struct sigaction previous_action;
std::size_t page_size = 0;

[[nodiscard]] guarded_range* find_range(std::uintptr_t address) noexcept {
    for (range_chunk* chunk = &first_chunk; chunk != nullptr;
         chunk = chunk->next.load(std::memory_order_acquire)) {
        for (guarded_range& range : chunk->ranges) {
            const std::uintptr_t begin = range.begin.load(std::memory_order_acquire);
            if (begin != 0 && address >= begin &&
                address < range.end.load(std::memory_order_relaxed)) {
                return &range;
            }
        }
    }
    return nullptr;
}

// Only what a signal handler may do: loads, stores and a system call.
[[nodiscard]] bool put_zeros(std::uintptr_t from, std::size_t bytes) noexcept {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel names the place as a number
    void* at = reinterpret_cast<void*>(from);
    return ::mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                  0) != MAP_FAILED;
}

[[nodiscard]] bool cover(guarded_range& range, std::uintptr_t address) noexcept {
    std::uintptr_t none = 0;
    range.fault.compare_exchange_strong(none, address);
    guarded_faults.faults.fetch_add(1);
    const std::uintptr_t page = address / page_size * page_size;
    const std::uintptr_t end = range.end.load(std::memory_order_relaxed);
    const int before = errno;
    // A process may have only so many mappings. If one more is refused, one for the whole rest of
    // this range can take the place of those that are there.
    const bool covered = put_zeros(page, page_size) || put_zeros(page, end - page);
    errno = before;
    return covered;
}

void pass_on(int signal, siginfo_t* info, void* context) {
    const bool sent = info->si_code <= 0;
    if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
        previous_action.sa_sigaction(signal, info, context);
    } else if (previous_action.sa_handler == SIG_IGN && sent) {
        return;
    } else if (previous_action.sa_handler == SIG_DFL || previous_action.sa_handler == SIG_IGN) {
        // Returning repeats the access, which then ends the process as it would have without us. A
        // signal that was sent must be raised again.
        struct sigaction plain{};
        plain.sa_handler = SIG_DFL;
        ::sigaction(signal, &plain, nullptr);
        if (sent)
            ::raise(signal);
    } else {
        previous_action.sa_handler(signal);
    }
}

void on_bus_error(int signal, siginfo_t* info, void* context) {
    const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
    // A signal that somebody sent has no address to repair.
    const bool is_fault = info->si_code > 0;
    guarded_range* range = is_fault ? find_range(address) : nullptr;
    if (range == nullptr || !cover(*range, address))
        pass_on(signal, info, context);
}

void install_handler() noexcept {
    page_size = page_bytes();
    // Read first: the handler may be called before the call that installs it has returned.
    ::sigaction(SIGBUS, nullptr, &previous_action);
    struct sigaction action{};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace

guarded_range* guard_range(const void* begin, std::size_t bytes) noexcept {
    PAWL_ASSERT(begin != nullptr && bytes != 0);
    static std::once_flag installed;
    std::call_once(installed, install_handler);
    PAWL_ASSERT(reinterpret_cast<std::uintptr_t>(begin) % page_size == 0);
    const std::scoped_lock guard{ranges_mutex};
    for (range_chunk* chunk = &first_chunk;;) {
        for (guarded_range& range : chunk->ranges) {
            if (range.begin.load(std::memory_order_relaxed) != 0)
                continue;
            const auto at = reinterpret_cast<std::uintptr_t>(begin);
            range.fault.store(0, std::memory_order_relaxed);
            range.end.store(at + bytes, std::memory_order_relaxed);
            range.begin.store(at, std::memory_order_release);
            return &range;
        }
        range_chunk* next = chunk->next.load(std::memory_order_relaxed);
        if (next == nullptr) {
            next = new (std::nothrow) range_chunk;
            if (next == nullptr)
                return nullptr;
            chunk->next.store(next, std::memory_order_release);
        }
        chunk = next;
    }
}

void unguard_range(guarded_range* range) noexcept {
    PAWL_ASSERT(range == nullptr || range->begin.load(std::memory_order_relaxed) != 0);
    if (range != nullptr)
        range->begin.store(0, std::memory_order_release);
}

}  // namespace pawl::detail
