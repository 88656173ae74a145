#include "tool/other_program.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace pawl::detail {

namespace {

[[nodiscard]] error cannot(const std::string& program, const char* what, int os_error) {
    return {.code = errc::io, .os_error = os_error, .file = program, .detail = what};
}

// All that comes until the other end is closed.
[[nodiscard]] std::string read_all(int pipe) {
    std::string text;
    std::array<char, 65536> part;
    while (true) {
        const ssize_t bytes = ::read(pipe, part.data(), part.size());
        if (bytes > 0)
            text.append(part.data(), static_cast<std::size_t>(bytes));
        else if (bytes == 0 || errno != EINTR)
            return text;
    }
}

}  // namespace

result<std::string> output_of(std::vector<std::string> words) {
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return std::unexpected(cannot(words[0], "cannot make a pipe", errno));
    ::posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    ::pid_t child = 0;
    const int refusal =
        ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    std::string text = refusal == 0 ? read_all(ends[0]) : std::string{};
    ::close(ends[0]);
    if (refusal != 0)
        return std::unexpected(cannot(words[0], "cannot run the program", refusal));
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return std::unexpected(cannot(words[0], "the program failed", 0));
    return text;
}

}  // namespace pawl::detail
