#include "terminal/interrupt.hpp"

#include <csignal>

namespace pawl::cli {

namespace {

volatile std::sig_atomic_t last_signal = 0;

extern "C" void remember_signal(int number) {
    last_signal = number;
}

}  // namespace

void catch_interrupts() {
    struct sigaction action{};
    action.sa_handler = remember_signal;
    sigemptyset(&action.sa_mask);
    // The second Ctrl-C kills the process, in case the first comes where interrupted() is not
    // checked.
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() noexcept {
    return last_signal != 0;
}

void die_of_interrupt() {
    if (last_signal == 0)
        return;
    std::signal(last_signal, SIG_DFL);
    std::raise(last_signal);
}

}  // namespace pawl::cli
