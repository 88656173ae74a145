#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

using namespace pawl;
using namespace pawl::test;

namespace {

constexpr sequence_number events_in_all = 90'000;

// Runs the reader process; returns exit status 0 if it saw every event once, in order.
int follow(const std::filesystem::path& path) {
    using namespace std::chrono_literals;
    auto events = cursor::open(path, {.follow = true});
    while (!events && events.error().code == errc::not_a_journal) {
        events = cursor::open(path, {.follow = true});
    }
    if (!events)
        return 2;
    for (sequence_number expected = 0; expected < events_in_all;) {
        const event* e = events->next();
        if (e == nullptr) {
            const auto waited = events->wait(30s);
            if (!waited || !*waited)
                return 3;
            continue;
        }
        if (e->sequence() != expected || text_of(*e) != "event " + std::to_string(expected))
            return 4;
        ++expected;
    }
    return 0;
}

}  // namespace

TEST_CASE("a reader process follows a writer through a hundred rollovers, a death and a restart") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const pid_t reader = ::fork();
    if (reader == 0)
        ::_exit(follow(path));
    std::uint64_t rollovers = 0;
    for (int life = 0; life < 3; ++life) {
        auto log = must(writer::open(path, small_segments()));
        append_numbered(log, events_in_all / 3);
        rollovers += log.statistics().rollovers;
        if (life == 1)
            must(log.close());
    }
    CHECK(rollovers >= 100);
    int status = 0;
    REQUIRE(::waitpid(reader, &status, 0) == reader);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}
