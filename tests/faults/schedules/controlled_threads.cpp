// Replaces the C library's threads, locks, sleeps and futexes in the program that links this: the
// scheduler grants what a scheduled thread requests. Outside a schedule, the program has one
// thread, which finds every lock free.
#include "scheduler.hpp"
#include "simulator/controlled_process.hpp"

#include <dlfcn.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

using pawl::test::controlled_process;
using pawl::test::scheduled_thread;
using pawl::test::scheduler;

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names
extern char __data_start;
extern char _end;
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

namespace {

constexpr std::uint64_t nanoseconds_a_second = 1'000'000'000;

[[nodiscard]] std::uint64_t nanoseconds_of(const timespec& time) noexcept {
    return static_cast<std::uint64_t>(time.tv_sec) * nanoseconds_a_second +
           static_cast<std::uint64_t>(time.tv_nsec);
}

[[noreturn]] void not_outside(const char* what) {
    std::fprintf(stderr, "%s outside a schedule\n", what);
    std::abort();
}

// How many times it is locked: 0 or 1, or more if it is recursive.
[[nodiscard]] int& locks(pthread_mutex_t* mutex) noexcept {
    return mutex->__data.__lock;
}

// A lock of the process, not of a writer: the code of a moment takes it, too, so its owner is not
// held up while it holds it.
[[nodiscard]] bool is_common(const pthread_mutex_t* mutex) noexcept {
    const auto* at = reinterpret_cast<const char*>(mutex);
    return at >= &__data_start && at < &_end;
}

void lock(pthread_mutex_t* mutex) {
    scheduler* schedule = scheduler::inside();
    if (schedule != nullptr) {
        schedule->point();
        while (locks(mutex) != 0)
            (void)schedule->wait_on(mutex, 0);
        schedule->current().unheld_for += is_common(mutex) ? 1 : 0;
    } else if (locks(mutex) != 0 && mutex->__data.__kind != PTHREAD_MUTEX_RECURSIVE_NP) {
        not_outside("a thread waits for a lock");
    }
    ++locks(mutex);
}

void unlock(pthread_mutex_t* mutex) {
    --locks(mutex);
    if (scheduler* schedule = scheduler::inside()) {
        schedule->current().unheld_for -= is_common(mutex) ? 1 : 0;
        schedule->wake(mutex);
    }
}

bool wait_for(pthread_cond_t* condition, pthread_mutex_t* mutex, std::uint64_t deadline_ns) {
    scheduler* schedule = scheduler::inside();
    if (schedule == nullptr)
        not_outside("a thread waits for a condition");
    schedule->point();
    unlock(mutex);
    const bool woken = schedule->wait_on(condition, deadline_ns);
    lock(mutex);
    return woken;
}

int wake_all(pthread_cond_t* condition) {
    if (scheduler* schedule = scheduler::inside()) {
        schedule->point();
        schedule->wake(condition);
    }
    return 0;
}

int sleep_for(const timespec& time) {
    scheduler* schedule = scheduler::inside();
    if (schedule == nullptr)
        not_outside("a sleep");
    // Nothing wakes this thread except the end of the time.
    (void)schedule->wait_on(&time, controlled_process::now_ns() + nanoseconds_of(time));
    return 0;
}

long use_futex(scheduler& schedule, std::uint32_t* word, int operation, std::uint32_t value,
               const timespec* timeout) {
    schedule.point();
    if ((operation & FUTEX_CMD_MASK) == FUTEX_WAKE) {
        schedule.wake(word);
        return 0;
    }
    if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != value) {
        errno = EAGAIN;
        return -1;
    }
    const std::uint64_t deadline =
        timeout == nullptr ? 0 : controlled_process::now_ns() + nanoseconds_of(*timeout);
    if (schedule.wait_on(word, deadline))
        return 0;
    errno = ETIMEDOUT;
    return -1;
}

}  // namespace

extern "C" {

int pthread_create(pthread_t* made, const pthread_attr_t*, void* (*body)(void*),
                   void* argument) noexcept {
    scheduler* schedule = scheduler::inside();
    if (schedule == nullptr)
        not_outside("a thread is started");
    scheduled_thread& thread = schedule->start([body, argument] { (void)body(argument); });
    *made = reinterpret_cast<pthread_t>(&thread);
    schedule->point();
    return 0;
}
int pthread_join(pthread_t which, void**) {
    scheduler* schedule = scheduler::inside();
    if (schedule == nullptr)
        not_outside("a thread is joined");
    // NOLINTNEXTLINE(performance-no-int-to-ptr): made above
    const auto* thread = reinterpret_cast<scheduled_thread*>(which);
    schedule->point();
    while (thread->now != scheduled_thread::state::ended)
        (void)schedule->wait_on(thread, 0);
    return 0;
}

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
    lock(mutex);
    return 0;
}
int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
    if (scheduler* schedule = scheduler::inside())
        schedule->point();
    if (locks(mutex) != 0)
        return EBUSY;
    lock(mutex);
    return 0;
}
int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
    unlock(mutex);
    if (scheduler* schedule = scheduler::inside())
        schedule->point();
    return 0;
}

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
    (void)wait_for(condition, mutex, 0);
    return 0;
}
int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* deadline) {
    return wait_for(condition, mutex, nanoseconds_of(*deadline)) ? 0 : ETIMEDOUT;
}
int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t,
                           const timespec* deadline) {
    return wait_for(condition, mutex, nanoseconds_of(*deadline)) ? 0 : ETIMEDOUT;
}
int pthread_cond_signal(pthread_cond_t* condition) noexcept {
    return wake_all(condition);  // a condition may wake more than one
}
int pthread_cond_broadcast(pthread_cond_t* condition) noexcept {
    return wake_all(condition);
}

int sched_yield() noexcept {
    constexpr std::uint64_t pause_us = 50;
    if (scheduler* schedule = scheduler::inside()) {
        controlled_process::advance_us(pause_us);
        schedule->give_way();
    }
    return 0;
}
int nanosleep(const timespec* time, timespec*) {
    return sleep_for(*time);
}

long syscall(long number, ...) noexcept {
    va_list rest;
    va_start(rest, number);
    long words[6];
    for (long& word : words)
        word = va_arg(rest, long);
    va_end(rest);
    if (scheduler* schedule = number == SYS_futex ? scheduler::inside() : nullptr) {
        // NOLINTBEGIN(performance-no-int-to-ptr): a system call's arguments are words
        return use_futex(*schedule, reinterpret_cast<std::uint32_t*>(words[0]),
                         static_cast<int>(words[1]), static_cast<std::uint32_t>(words[2]),
                         reinterpret_cast<const timespec*>(words[3]));
        // NOLINTEND(performance-no-int-to-ptr)
    }
    using call = long (*)(long, ...);
    static call kernel = nullptr;
    if (kernel == nullptr)
        kernel = reinterpret_cast<call>(::dlsym(RTLD_NEXT, "syscall"));
    return kernel(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}
}
