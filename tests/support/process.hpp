// Runs programs as a user does, with their output in files.
#pragma once

#include "support/temporary_directory.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace pawl::test {

struct finished_process {
    int exit_code = -1;  // -1 if a signal ended it
    int signal = 0;
    std::string out{};
    std::string err{};
};

class process {
  public:
    // The first word is the program, looked up in PATH if it has no slash.
    explicit process(std::vector<std::string> command) {
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        const int flags = O_WRONLY | O_CREAT | O_TRUNC;
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, file("out").c_str(), flags, 0600);
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, file("err").c_str(), flags, 0600);
        std::vector<char*> words;
        for (std::string& word : command)
            words.push_back(word.data());
        words.push_back(nullptr);
        const int problem = posix_spawnp(&pid_, words[0], &actions, nullptr, words.data(), environ);
        posix_spawn_file_actions_destroy(&actions);
        if (problem != 0)
            throw std::runtime_error("cannot start " + command[0]);
    }
    process(const process&) = delete;
    process& operator=(const process&) = delete;
    ~process() {
        if (pid_ == 0)
            return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

    void send(int signal) const { ::kill(pid_, signal); }
    // Its output so far.
    [[nodiscard]] std::string out() const { return read("out"); }
    [[nodiscard]] std::string err() const { return read("err"); }

    [[nodiscard]] finished_process wait() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = 0;
        finished_process done{.out = out(), .err = err()};
        if (WIFEXITED(status))
            done.exit_code = WEXITSTATUS(status);
        else
            done.signal = WTERMSIG(status);
        return done;
    }

  private:
    [[nodiscard]] std::string file(const char* name) const { return home_.path() / name; }
    [[nodiscard]] std::string read(const char* name) const {
        std::ifstream from{file(name), std::ios::binary};
        return {std::istreambuf_iterator<char>{from}, {}};
    }

    temporary_directory home_;
    pid_t pid_ = 0;
};

[[nodiscard]] inline finished_process run(std::vector<std::string> command) {
    return process{std::move(command)}.wait();
}

}  // namespace pawl::test
