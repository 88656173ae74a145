#include "os/assertion.hpp"

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

TEST_CASE(
    "a failed assertion ends the process if assertions are on, and is not evaluated otherwise") {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        std::signal(SIGABRT, SIG_DFL);
        bool evaluated = false;
        PAWL_ASSERT((evaluated = true));
        if (evaluated != pawl::detail::assertions_on)
            ::_exit(3);
        ::close(STDERR_FILENO);
        PAWL_ASSERT(child != 0);
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    if (pawl::detail::assertions_on) {
        REQUIRE(WIFSIGNALED(status));
        CHECK(WTERMSIG(status) == SIGABRT);
    } else {
        REQUIRE(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 0);
    }
}
