#include "bundle/own_report.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace pawl::cli {

namespace {

constexpr const char* this_program = "/proc/self/exe";

std::unexpected<error> failed(int os_error) {
    return std::unexpected(error{.code = errc::io, .os_error = os_error, .file = this_program});
}

}  // namespace

result<own_report> run_self(const std::vector<std::string>& arguments) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return failed(errno);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    std::vector<std::string> words{"pawl"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    pointers.reserve(words.size() + 1);
    for (std::string& word : words)
        pointers.push_back(word.data());
    pointers.push_back(nullptr);
    pid_t child = 0;
    const int refused =
        ::posix_spawn(&child, this_program, &actions, nullptr, pointers.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    own_report report;
    std::array<char, 65536> piece{};
    while (refused == 0) {
        const ssize_t got = ::read(ends[0], piece.data(), piece.size());
        if (got == 0 || (got < 0 && errno != EINTR))
            break;
        if (got > 0)
            report.text.append(piece.data(), static_cast<std::size_t>(got));
    }
    ::close(ends[0]);
    if (refused != 0)
        return failed(refused);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    report.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return report;
}

}  // namespace pawl::cli
