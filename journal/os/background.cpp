#include "os/background.hpp"

#include "os/file.hpp"

#include <pthread.h>
#include <sched.h>

#include <cerrno>
#include <csignal>
#include <new>
#include <system_error>
#include <utility>

namespace pawl::detail {

result<void> background_thread::start(background_setup setup) {
    setup_ = std::move(setup);
    sigset_t all{};
    sigset_t before{};
    ::sigfillset(&all);
    // What a thread does itself must reach the handlers there are: blocked, it ends the process.
    for (const int own : {SIGBUS, SIGSEGV, SIGFPE, SIGILL})
        ::sigdelset(&all, own);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = 0;
    try {
        thread_ = std::thread{[this] { run(); }};
    } catch (const std::system_error& why) {
        failure = why.code().value();
    } catch (const std::bad_alloc&) {
        failure = ENOMEM;
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (failure != 0)
        return std::unexpected(system_error(failure, {}, "cannot start a thread"));
    return {};
}

void background_thread::run() noexcept {
    ::pthread_setname_np(::pthread_self(), setup_.name.c_str());
    if (!setup_.cores.empty()) {
        cpu_set_t cores;
        CPU_ZERO(&cores);
        for (const int core : setup_.cores)
            CPU_SET(static_cast<unsigned>(core), &cores);
        // A core that is not there leaves the thread where it was: slower, not wrong.
        (void)::pthread_setaffinity_np(::pthread_self(), sizeof cores, &cores);
    }
    std::unique_lock guard{mutex_};
    while (!stopping_) {
        guard.unlock();
        const auto idle = setup_.step();
        guard.lock();
        if (idle.count() > 0)
            wake_.wait_for(guard, idle, [this] { return stopping_ || woken_; });
        woken_ = false;
    }
}

void background_thread::wake() noexcept {
    {
        const std::scoped_lock guard{mutex_};
        woken_ = true;
    }
    wake_.notify_all();
}

void background_thread::stop() noexcept {
    if (!thread_.joinable())
        return;
    {
        const std::scoped_lock guard{mutex_};
        stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

}  // namespace pawl::detail
