#include "os/held_flock.hpp"

#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <utility>

using namespace pawl;
using namespace pawl::test;
using detail::file;
using detail::held_flock;

namespace {

file lock_file(const temporary_directory& where) {
    return must(file::open(where.path() / "lock", file::access::create));
}

// How a child that runs `work` and exits ended: 0.
template <class Work>
int status_of_child(Work work) {
    const pid_t child = ::fork();
    if (child == 0) {
        work();
        ::_exit(0);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return status;
}

}  // namespace

TEST_CASE("held_flock: one at a time, until it is released") {
    const temporary_directory where;
    auto first = must(held_flock::try_take(lock_file(where)));
    REQUIRE(first);
    const auto second = held_flock::try_take(lock_file(where));
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().code == errc::locked);
    CHECK(second.error().file == (where.path() / "lock").string());
    held_flock moved = std::move(first);
    CHECK_FALSE(held_flock::try_take(lock_file(where)).has_value());
    moved.release();
    CHECK_FALSE(moved);
    CHECK(held_flock::try_take(lock_file(where)).has_value());
}

TEST_CASE("held_flock: a forked child's copy does not end the lock of its parent") {
    const temporary_directory where;
    auto held = must(held_flock::take(lock_file(where)));
    CHECK(status_of_child([&held] { held.release(); }) == 0);
    const auto other = held_flock::try_take(lock_file(where));
    REQUIRE_FALSE(other.has_value());
    CHECK(other.error().code == errc::locked);
}

TEST_CASE("held_flock: a child that was forked meanwhile does not keep the lock") {
    const temporary_directory where;
    auto held = must(held_flock::take(lock_file(where)));
    int until_asked[2];
    REQUIRE(::pipe(until_asked) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        char byte = 0;
        ::close(until_asked[1]);
        (void)!::read(until_asked[0], &byte, 1);
        ::_exit(0);
    }
    held.release();
    CHECK(held_flock::try_take(lock_file(where)).has_value());
    ::close(until_asked[0]);
    ::close(until_asked[1]);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
}
