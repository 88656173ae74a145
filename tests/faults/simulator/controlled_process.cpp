#include "controlled_process.hpp"

#include <malloc.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <pawl/journal/detail/frame.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <mutex>
#include <utility>

namespace pawl::test {

namespace {

struct control {
    bool active = false;
    std::uint64_t random = 0;
    std::uint64_t nanoseconds = 0;
};
control the_control;

constexpr std::size_t page_size = 4096;
constexpr std::size_t most_regions = 64;
constexpr std::size_t most_pages = 64;  // one bit each

struct region {
    std::byte* begin = nullptr;
    std::size_t bytes = 0;
    std::uint64_t stored = 0;  // bit by page
};
std::array<region, most_regions> the_regions;
bool watching = false;
struct sigaction before_watching{};

void on_fault(int signal, siginfo_t* info, void*) {
    auto* at = static_cast<std::byte*>(info->si_addr);
    for (region& one : the_regions) {
        if (one.begin == nullptr || at < one.begin || at >= one.begin + one.bytes)
            continue;
        const auto index = static_cast<std::size_t>(at - one.begin) / page_size;
        one.stored |= std::uint64_t{1} << index;
        ::mprotect(one.begin + index * page_size, page_size, PROT_READ | PROT_WRITE);
        return;
    }
    // Not our fault: returning repeats the access, which ends the process as it should.
    ::sigaction(signal, &before_watching, nullptr);
}

// Freed memory stays in the heap: otherwise every cut would request it from the kernel again.
void keep_heap() noexcept {
    constexpr int everything = 1 << 30;
    constexpr int at_a_time = 16 << 20;
    ::mallopt(M_TRIM_THRESHOLD, everything);
    ::mallopt(M_MMAP_THRESHOLD, everything);
    ::mallopt(M_TOP_PAD, at_a_time);
}

}  // namespace

controlled_process::controlled_process(std::uint64_t seed) noexcept {
    static std::once_flag kept;
    std::call_once(kept, keep_heap);
    the_control = {.active = true, .random = seed, .nanoseconds = 1'700'000'000'000'000'000};
}
controlled_process::~controlled_process() {
    the_control.active = false;
}
bool controlled_process::active() noexcept {
    return the_control.active;
}
void controlled_process::advance_us(std::uint64_t microseconds) noexcept {
    the_control.nanoseconds += microseconds * 1000;
}
void controlled_process::advance_to_ns(std::uint64_t nanoseconds) noexcept {
    the_control.nanoseconds = std::max(the_control.nanoseconds, nanoseconds);
}
std::uint64_t controlled_process::now_ns() noexcept {
    return the_control.nanoseconds;
}

namespace store_watch {

bool enable(bool on) noexcept {
    static std::once_flag installed;
    if (on) {
        std::call_once(installed, [] {
            struct sigaction action{};
            action.sa_sigaction = &on_fault;
            action.sa_flags = SA_SIGINFO | SA_NODEFER;
            ::sigaction(SIGSEGV, &action, &before_watching);
        });
    }
    return std::exchange(watching, on);
}

void mapped(void* begin, std::size_t bytes) noexcept {
    if (!watching || std::ranges::find(the_regions, begin, &region::begin) != the_regions.end())
        return;
    const auto free = std::ranges::find(the_regions, nullptr, &region::begin);
    if (free == the_regions.end() || bytes > most_pages * page_size)
        return;
    *free = {static_cast<std::byte*>(begin), bytes, 0};
    ::mprotect(begin, bytes, PROT_READ);
}

void unmapped(void* begin) noexcept {
    const auto found = std::ranges::find(the_regions, begin, &region::begin);
    if (found == the_regions.end())
        return;
    ::mprotect(begin, found->bytes, PROT_READ | PROT_WRITE);
    found->begin = nullptr;
}

std::vector<page> take() {
    std::vector<page> pages;
    for (region& one : the_regions) {
        if (one.begin == nullptr || one.stored == 0)
            continue;
        for (std::size_t i = 0; i < most_pages; ++i) {
            if ((one.stored >> i & 1) == 0)
                continue;
            pages.push_back({one.begin, i});
            ::mprotect(one.begin + i * page_size, page_size, PROT_READ);
        }
        one.stored = 0;
    }
    return pages;
}

}  // namespace store_watch

}  // namespace pawl::test

using pawl::test::the_control;

extern "C" {

ssize_t getrandom(void* into, size_t bytes, unsigned flags) {
    if (!the_control.active)
        return ::syscall(SYS_getrandom, into, bytes, flags);
    for (size_t at = 0; at < bytes; at += sizeof(std::uint64_t)) {
        const std::uint64_t value = pawl::detail::mix64(++the_control.random * 0x9e3779b97f4a7c15);
        std::memcpy(static_cast<std::byte*>(into) + at, &value, std::min(sizeof value, bytes - at));
    }
    return static_cast<ssize_t>(bytes);
}

int clock_gettime(clockid_t clock, struct timespec* now) noexcept {
    if (!the_control.active)
        return static_cast<int>(::syscall(SYS_clock_gettime, clock, now));
    the_control.nanoseconds += 1000;
    now->tv_sec = static_cast<time_t>(the_control.nanoseconds / 1'000'000'000);
    now->tv_nsec = static_cast<long>(the_control.nanoseconds % 1'000'000'000);
    return 0;
}
}
