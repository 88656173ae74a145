#include "os/thread.hpp"

#include "os/assertion.hpp"
#include "os/file.hpp"

#include <pthread.h>
#include <sched.h>

#include <cerrno>
#include <csignal>
#include <new>
#include <system_error>
#include <utility>

namespace pawl::detail {

namespace {

// Sets this thread's signal mask for as long as it lives: a thread that is started meanwhile
// inherits it.
class inherited_mask {
  public:
    inherited_mask() noexcept {
        sigset_t mask{};
        ::sigfillset(&mask);
        for (const int own : {SIGBUS, SIGSEGV, SIGFPE, SIGILL})
            ::sigdelset(&mask, own);
        ::pthread_sigmask(SIG_SETMASK, &mask, &before_);
    }
    inherited_mask(const inherited_mask&) = delete;
    inherited_mask& operator=(const inherited_mask&) = delete;
    ~inherited_mask() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  private:
    sigset_t before_{};
};

void apply(const thread_setup& setup) noexcept {
    constexpr std::size_t longest_name = 15;
    char name[longest_name + 1] = {};
    setup.name.copy(name, longest_name);
    ::pthread_setname_np(::pthread_self(), name);
    if (setup.cores.empty())
        return;
    cpu_set_t cores;
    CPU_ZERO(&cores);
    for (const int core : setup.cores)
        CPU_SET(static_cast<unsigned>(core), &cores);
    // If the core does not exist, the thread stays on any core: slower, but correct.
    (void)::pthread_setaffinity_np(::pthread_self(), sizeof cores, &cores);
}

}  // namespace

result<std::thread> start_thread(thread_setup setup, std::function<void()> body) {
    PAWL_ASSERT(body != nullptr);
    for (const int core : setup.cores) {
        if (core < 0 || core >= CPU_SETSIZE)
            return fail(errc::invalid_argument, "no core has the number " + std::to_string(core));
    }
    const inherited_mask quiet;
    int failure = 0;
    try {
        return std::thread{[setup = std::move(setup), body = std::move(body)] {
            apply(setup);
            body();
        }};
    } catch (const std::system_error& why) {
        failure = why.code().value();
    } catch (const std::bad_alloc&) {
        failure = ENOMEM;
    }
    return std::unexpected(system_error(failure, {}, "cannot start a thread"));
}

}  // namespace pawl::detail
