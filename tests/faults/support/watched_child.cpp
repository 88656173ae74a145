#include "watched_child.hpp"

#include "scratch_files.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace pawl::test {

namespace {

using std::chrono::milliseconds;

// Gives the kernel time to release what a process held.
constexpr std::chrono::seconds to_die{10};

[[nodiscard]] std::string text_of(const std::filesystem::path& file) {
    std::ifstream in{file};
    return {std::istreambuf_iterator<char>{in}, {}};
}

// The letter after the name in parentheses, which may itself contain anything.
[[nodiscard]] char state_of(const std::string& stat) {
    const auto name_end = stat.rfind(") ");
    return name_end == std::string::npos ? '?' : stat[name_end + 2];
}

// Describes each thread of the process, and then its children; adds descriptors to wait for them.
void describe(::pid_t process, std::string& line, std::vector<int>& descriptors) {
    descriptors.push_back(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
    std::error_code ignored;
    const std::filesystem::path tasks = fmt::format("/proc/{}/task", process);
    for (const auto& task : std::filesystem::directory_iterator{tasks, ignored}) {
        line +=
            fmt::format("{}{} {} in {}", line.empty() ? "" : ", ", task.path().filename().string(),
                        state_of(text_of(task.path() / "stat")), text_of(task.path() / "wchan"));
        std::ifstream children{task.path() / "children"};
        for (::pid_t child = 0; children >> child;)
            describe(child, line, descriptors);
    }
}

[[nodiscard]] bool ended_within(int process_descriptor, milliseconds most) {
    ::pollfd waited{.fd = process_descriptor, .events = POLLIN, .revents = 0};
    return ::poll(&waited, 1, static_cast<int>(most.count())) == 1;
}

}  // namespace

child_end run_watched(const std::function<int()>& work, std::chrono::seconds most) {
    child_end end;
    const ::pid_t child = ::fork();
    if (child < 0)
        give_up("fork");
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::_exit(work());
    }
    const auto descriptor = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
    if (descriptor < 0)
        give_up("pidfd_open");
    if (!ended_within(descriptor, most)) {
        end.late = true;
        std::vector<int> all;
        describe(child, end.where, all);
        ::kill(child, SIGKILL);
        for (const int each : all) {
            end.stuck = end.stuck || (each >= 0 && !ended_within(each, to_die));
            ::close(each);
        }
    }
    if (ended_within(descriptor, milliseconds{0}))
        ::waitpid(child, &end.status, 0);
    ::close(descriptor);
    return end;
}

}  // namespace pawl::test
