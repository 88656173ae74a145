// Tests how the libraries start threads, and how long they wait.
#include "os/thread.hpp"

#include "os/background.hpp"
#include "os/deadline.hpp"

#include <catch2/catch.hpp>
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

using namespace pawl;
using namespace std::chrono_literals;

namespace {

constexpr int raised_by_an_access[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL};

// Blocks a set of signals in this thread during its lifetime.
class blocked {
  public:
    explicit blocked(const sigset_t& set) { ::pthread_sigmask(SIG_SETMASK, &set, &before_); }
    ~blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    blocked(const blocked&) = delete;
    blocked& operator=(const blocked&) = delete;

  private:
    sigset_t before_{};
};

sigset_t mask_of_a_new_thread() {
    sigset_t seen{};
    auto started = detail::start_thread({.name = "a name of more than 15 characters"},
                                        [&] { ::pthread_sigmask(SIG_SETMASK, nullptr, &seen); });
    REQUIRE(started);
    started->join();
    return seen;
}

}  // namespace

TEST_CASE("a thread accepts only the signals of its own accesses, whichever thread starts it") {
    sigset_t all{};
    sigset_t none{};
    ::sigfillset(&all);
    ::sigemptyset(&none);
    for (const sigset_t& mask : {all, none}) {
        const blocked here{mask};
        const sigset_t seen = mask_of_a_new_thread();
        for (const int signal : raised_by_an_access)
            CHECK(::sigismember(&seen, signal) == 0);
        for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGCHLD, SIGALRM})
            CHECK(::sigismember(&seen, signal) == 1);
        sigset_t kept{};
        ::pthread_sigmask(SIG_SETMASK, nullptr, &kept);
        CHECK(::sigismember(&kept, SIGTERM) == ::sigismember(&mask, SIGTERM));
    }
}

TEST_CASE("a thread on a core that cannot exist is refused") {
    for (const int core : {-1, 1 << 20}) {
        const auto refused = detail::start_thread({.name = "x", .cores = {core}}, [] {});
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == errc::invalid_argument);
        CHECK(refused.error().detail.find(std::to_string(core)) != std::string::npos);
    }
}

TEST_CASE("a deadline saturates at both ends of the clock") {
    using clock = std::chrono::steady_clock;
    using detail::deadline_after;
    constexpr auto never = clock::time_point::max();
    for (const auto now : {clock::time_point{}, clock::now(), never - 1ns, never}) {
        CHECK(deadline_after(now, std::chrono::nanoseconds::max()) == never);
        CHECK(deadline_after(now, std::chrono::microseconds::max()) == never);
        CHECK(deadline_after(now, std::chrono::hours::max()) == never);
        CHECK(deadline_after(now, std::chrono::nanoseconds::min()) == now);
        CHECK(deadline_after(now, std::chrono::hours::min()) == now);
        CHECK(deadline_after(now, 0ns) == now);
    }
    const auto now = clock::now();
    CHECK(deadline_after(now, 5ms) == now + 5ms);
    CHECK(deadline_after(never - 7ns, 6ns) == never - 1ns);
    CHECK(deadline_after(never - 7ns, 8ns) == never);
}

TEST_CASE("a background thread without a deadline sleeps until it is woken") {
    std::atomic<int> steps{0};
    detail::background_thread sleeper;
    REQUIRE(sleeper.start({.name = "sleeper", .step = [&] {
                               ++steps;
                               return std::chrono::microseconds::max();
                           }}));
    const auto limit = std::chrono::steady_clock::now() + 60s;
    const auto comes_to = [&](int count) {
        while (steps < count && std::chrono::steady_clock::now() < limit)
            std::this_thread::yield();
        return steps.load();
    };
    REQUIRE(comes_to(1) == 1);
    sleeper.wake();
    CHECK(comes_to(2) == 2);
    sleeper.stop();
    CHECK(steps == 2);
}
