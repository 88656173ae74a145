#include "loop_janitor.hpp"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <set>

namespace pawl::test {

namespace {

// Reads lines of a sign and a path until every writer has gone.
[[noreturn]] void remember_and_detach(int lines) {
    ::setsid();
    // A reader of the owner's output must not wait for this process.
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        ::close(standard);
    std::set<std::string> attached;
    std::FILE* file = ::fdopen(lines, "r");
    char line[64];
    while (file != nullptr && std::fgets(line, sizeof line, file) != nullptr) {
        std::string path = line + 1;
        path.pop_back();
        if (line[0] == '+')
            attached.insert(path);
        else
            attached.erase(path);
    }
    for (const std::string& path : attached)
        detach_loop_device(path);
    ::_exit(0);
}

// Where the lines go; -1 if there is no janitor.
[[nodiscard]] int start_janitor() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    // Fork twice, so that nobody has to wait for it.
    const ::pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[1]);
        if (::fork() == 0)
            remember_and_detach(ends[0]);
        ::_exit(0);
    }
    ::close(ends[0]);
    if (child > 0)
        ::waitpid(child, nullptr, 0);
    return ends[1];
}

void tell(char sign, const std::string& path) {
    static const int lines = start_janitor();
    const std::string line = sign + path + "\n";
    // A line is short enough for one atomic write to a pipe. Without a janitor, the device merely
    // stays attached if the owner is killed.
    [[maybe_unused]] const auto written = ::write(lines, line.data(), line.size());
}

}  // namespace

void remember_loop_device(const std::string& path) {
    tell('+', path);
}

void forget_loop_device(const std::string& path) {
    tell('-', path);
}

void detach_loop_device(const std::string& path) noexcept {
    const int device = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (device < 0)
        return;
    (void)::ioctl(device, LOOP_CLR_FD);
    ::close(device);
}

}  // namespace pawl::test
