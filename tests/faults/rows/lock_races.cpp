// Row 11, first part: one writer at a time. Processes, threads of one process and forked children
// race for a journal while the lock file is deleted and replaced; at no time may two hold it.
#include "store/directory.hpp"
#include "support/failure_text.hpp"
#include "support/generated_log.hpp"
#include "support/row_program.hpp"

#include <fmt/core.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pawl/journal/journal.hpp>
#include <pawl/journal/writer.hpp>

#include <array>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <new>
#include <string>
#include <thread>
#include <vector>

using namespace pawl;
using namespace pawl::test;

namespace {

constexpr std::size_t contending_processes = 3;
constexpr std::size_t threads_each = 2;

// On a page that all contenders share.
struct arena {
    std::atomic<int> inside{0};
    std::atomic<bool> doubled{false};
    std::atomic<bool> child_appended{false};
    std::atomic<std::uint64_t> races{0};  // attempts to open
    std::atomic<std::uint64_t> won{0};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> forks{0};
    std::atomic<std::uint64_t> unlinks{0};
    std::atomic<bool> failed{false};
    char why[300]{};
};

[[nodiscard]] writer_options usual_options() {
    writer_options options;
    options.create = false;
    options.segment_bytes = std::uint64_t{64} << 10;
    options.sync = sync_policy::manual();
    options.background_threads = false;
    options.full = when_full::fail;
    options.scrub_bytes_per_second = 0;
    return options;
}

class contender {
  public:
    contender(std::filesystem::path directory, arena& shared, std::uint64_t seed,
              std::uint64_t target)
        : directory_{std::move(directory)}, shared_{shared}, random_{seed}, target_{target} {}

    void race() {
        while (!shared_.doubled && !shared_.failed && shared_.races < target_)
            one_race();
    }

  private:
    void fail(const std::string& why) {
        if (!shared_.failed.exchange(true))
            std::snprintf(shared_.why, sizeof shared_.why, "%s", why.c_str());
    }

    void one_race() {
        auto log = writer::open(directory_, usual_options());
        ++shared_.races;
        if (!log) {
            ++shared_.refused;
            if (log.error().code != errc::locked)
                fail(log.error().message());
            // Wait until the holder has ended, not only until it was signalled.
            ::usleep(static_cast<::useconds_t>(random_.below(300)));
            return;
        }
        if (shared_.inside.fetch_add(1) != 0)
            shared_.doubled = true;
        ++shared_.won;
        hold(*log);
        shared_.inside.fetch_sub(1);
        if (random_.one_in(2)) {
            if (auto closed = log->close(); !closed)
                fail("close: " + failure_text(*log, closed.error()));
        }
    }

    void hold(writer& log) {
        if (auto placed = log.append({.type = 1}, {}); !placed)
            fail("append: " + failure_text(log, placed.error()));
        switch (random_.below(4)) {
            case 0:
                // The name is removed; the lock must stay.
                std::filesystem::remove(detail::lock_path(directory_));
                ++shared_.unlinks;
                contend_from_here();
                break;
            case 1:
                fork_a_child(log);
                break;
            case 2:
                contend_from_here();
                break;
            default:
                ::sched_yield();
                break;
        }
    }

    void contend_from_here() {
        ++shared_.races;
        const auto second = writer::open(directory_, usual_options());
        if (second) {
            shared_.doubled = true;
        } else if (second.error().code != errc::locked) {
            fail("a second open: " + second.error().message());
        } else {
            ++shared_.refused;
        }
    }

    // A forked child may neither append nor keep the lock when its parent releases it.
    void fork_a_child(writer& log) {
        ++shared_.forks;
        const ::pid_t child = ::fork();
        if (child == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            const auto placed = log.append({.type = 2}, {});
            if (placed || placed.error().code != errc::forked)
                shared_.child_appended = true;
            ::usleep(static_cast<::useconds_t>(random_.below(2000)));
            ::_exit(0);
        }
        ::waitpid(child, nullptr, 0);
    }

    std::filesystem::path directory_;
    arena& shared_;
    random_source random_;
    std::uint64_t target_;
};

// Threads of one process; forking beside threads that hold locks is part of the race.
[[nodiscard]] ::pid_t start_process(const std::filesystem::path& directory, arena& shared,
                                    std::uint64_t seed, std::uint64_t target) {
    const ::pid_t child = ::fork();
    if (child != 0)
        return child;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < threads_each; ++i) {
        threads.emplace_back([&, i] { contender{directory, shared, seed + i, target}.race(); });
    }
    for (auto& thread : threads)
        thread.join();
    ::_exit(0);
}

// Waits for all of them, but not forever: two writers may have overwritten the data for which the
// other waits.
[[nodiscard]] std::string await(const std::vector<::pid_t>& processes, const arena& shared) {
    constexpr int longest_wait_ms = 60'000;
    constexpr int longest_wait_for_two_ms = 2000;
    std::string wrong;
    int waited_ms = 0;
    for (const ::pid_t process : processes) {
        int status = 0;
        while (::waitpid(process, &status, WNOHANG) == 0) {
            ::usleep(1000);
            if (++waited_ms > (shared.doubled ? longest_wait_for_two_ms : longest_wait_ms))
                ::kill(process, SIGKILL);
        }
        if (status != 0)
            wrong = fmt::format("a contender died with status {:x}", status);
    }
    return wrong;
}

// A limited number of races on one journal, so that it does not grow without bound.
[[nodiscard]] std::string one_journal(row_program& program, arena& shared, std::uint64_t number,
                                      std::uint64_t races) {
    const auto directory = program.directory() / fmt::format("journal-{}", number);
    {
        auto options = usual_options();
        options.create = true;
        auto log = writer::open(directory, options);
        if (!log)
            return log.error().message();
    }
    std::vector<::pid_t> processes;
    for (std::size_t i = 0; i < contending_processes; ++i)
        processes.push_back(
            start_process(directory, shared, draw(program.seed(), number * 100 + i * 10), races));
    std::string wrong = await(processes, shared);
    if (shared.doubled)
        wrong = "two writers at once";
    else if (shared.child_appended)
        wrong = "a forked child appended";
    else if (shared.failed)
        wrong = shared.why;
    const auto report = verify(directory);
    if (!report)
        wrong = "verify: " + report.error().message();
    else if (report->events != shared.won && wrong.empty())
        wrong = fmt::format("{} events of {} writers", report->events, shared.won.load());
    else if (!report->findings.empty() && wrong.empty())
        wrong = "verify reports: " + report->findings.front().what.message();
    std::filesystem::remove_all(directory);
    return wrong;
}

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 11, .name = "lock_races", .counted = "races"}, argc, argv};
    const std::uint64_t target = program.target({.quick = 300, .ci = 10'000, .full = 1'000'000});
    const std::uint64_t first = program.option("--first-journal", 0);
    void* page =
        ::mmap(nullptr, sizeof(arena), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return 1;
    std::uint64_t won = 0;
    std::uint64_t forks = 0;
    std::uint64_t unlinks = 0;
    for (std::uint64_t number = first; program.goes_on(); ++number) {
        constexpr std::uint64_t races_a_journal = 100;
        auto* shared = new (page) arena{};
        const std::uint64_t races = std::min(races_a_journal, target);
        const std::string wrong = one_journal(program, *shared, number, races);
        program.count(shared->races);
        won += shared->won;
        forks += shared->forks;
        unlinks += shared->unlinks;
        if (!wrong.empty())
            program.failure(fmt::format("--first-journal {} --count {}", number, races), wrong);
    }
    if (program.reached() != 0)
        program.detail(fmt::format("{} won, {} forks while holding, {} lock files deleted", won,
                                   forks, unlinks));
    return program.finish();
}
