#include "child_process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <sstream>

namespace pawl::test {

std::vector<std::string> program_outcome::lines() const {
    std::vector<std::string> found;
    std::istringstream text{output};
    for (std::string line; std::getline(text, line);)
        found.push_back(line);
    return found;
}

std::filesystem::path own_directory() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

program_outcome run_program(const std::vector<std::string>& words,
                            const std::filesystem::path& directory, unsigned most_seconds) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return {};
    const pid_t child = ::fork();
    if (child == 0) {
        // If the scoreboard is aborted, no child stays running.
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::alarm(most_seconds);
        ::dup2(ends[1], STDOUT_FILENO);
        const std::string program = directory / ("pawl_fault_" + words.front());
        std::vector<std::string> copies{words};
        std::vector<char*> arguments;
        for (auto& word : copies)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        ::execv(program.c_str(), arguments.data());
        ::_exit(127);
    }
    ::close(ends[1]);
    program_outcome outcome;
    std::array<char, 4096> part{};
    for (;;) {
        const auto got = ::read(ends[0], part.data(), part.size());
        if (got <= 0)
            break;
        outcome.output.append(part.data(), static_cast<std::size_t>(got));
    }
    ::close(ends[0]);
    int status = 0;
    if (child > 0 && ::waitpid(child, &status, 0) == child)
        outcome.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return outcome;
}

}  // namespace pawl::test
