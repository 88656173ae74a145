// A program that is killed when this process ends, however that ends.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace pawl::test {

class bound_process {
  public:
    bound_process() = default;
    // The first word is the path of the program; both outputs are appended to the file `log`.
    bound_process(std::vector<std::string> command, const std::filesystem::path& log) {
        std::vector<char*> words;
        for (std::string& word : command)
            words.push_back(word.data());
        words.push_back(nullptr);
        const pid_t parent = ::getpid();
        pid_ = ::fork();
        if (pid_ != 0)
            return;
        // Only calls that are safe after a fork beside other threads.
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent)
            ::_exit(127);
        const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        ::dup2(out, STDOUT_FILENO);
        ::dup2(out, STDERR_FILENO);
        ::execv(words[0], words.data());
        ::_exit(127);
    }
    bound_process(bound_process&& other) noexcept : pid_{std::exchange(other.pid_, 0)} {}
    bound_process& operator=(bound_process&& other) noexcept {
        kill();
        pid_ = std::exchange(other.pid_, 0);
        return *this;
    }
    ~bound_process() { kill(); }

    [[nodiscard]] bool is_running() {
        if (pid_ != 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_)
            pid_ = 0;
        return pid_ != 0;
    }
    void kill() { end_with(SIGKILL); }
    // Sends the signal, waits, and returns the exit status; -1 if a signal ended it, or it had
    // ended before.
    int end_with(int signal) {
        if (pid_ <= 0)
            return -1;
        int status = 0;
        ::kill(pid_, signal);
        ::waitpid(pid_, &status, 0);
        pid_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

  private:
    pid_t pid_ = 0;
};

}  // namespace pawl::test
