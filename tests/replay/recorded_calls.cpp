#include "recorded_calls.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <mutex>

namespace pawl::test {

namespace {

std::mutex recording;
std::atomic<bool> listening{false};  // else a call allocates nothing
std::string recorded_below;
std::vector<std::string> recorded;
std::atomic<std::size_t> most_bytes{0};
std::atomic<unsigned> calls_made{0};

[[nodiscard]] std::string path_of(int descriptor) {
    std::array<char, 4096> path{};
    const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    const auto bytes = ::readlink(link.c_str(), path.data(), path.size());
    return bytes < 0 ? std::string{} : std::string(path.data(), static_cast<std::size_t>(bytes));
}

void note(const char* what, const std::string& path, const std::string& target = {}) {
    const std::scoped_lock guard{recording};
    if (!path.starts_with(recorded_below))
        return;
    const auto name = [](const std::string& of) {
        return std::filesystem::path{of}.filename().string();
    };
    std::string line = what + name(path) + (target.empty() ? "" : " to " + name(target));
    if (recorded.empty() || recorded.back() != line)
        recorded.push_back(std::move(line));
}

[[nodiscard]] bool interrupt() noexcept {
    if (most_bytes == 0 || calls_made++ % 2 != 0)
        return false;
    errno = EINTR;
    return true;
}

[[nodiscard]] std::size_t shortened(std::size_t bytes) noexcept {
    const std::size_t most = most_bytes;
    return most == 0 ? bytes : std::min(bytes, most);
}

}  // namespace

recorded_calls::recorded_calls(std::string directory, std::size_t most) {
    const std::scoped_lock guard{recording};
    recorded_below = std::move(directory);
    recorded.clear();
    most_bytes = most;
    listening = true;
}
recorded_calls::~recorded_calls() {
    const std::scoped_lock guard{recording};
    listening = false;
    most_bytes = 0;
}
std::vector<std::string> recorded_calls::calls() const {
    const std::scoped_lock guard{recording};
    return recorded;
}

}  // namespace pawl::test

using namespace pawl::test;

extern "C" {

int fsync(int descriptor) {
    if (listening)
        note("sync ", path_of(descriptor));
    return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

int rename(const char* from, const char* to) noexcept {
    if (listening)
        note("rename ", from, to);
    return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int mkdirat(int below, const char* path, mode_t mode) noexcept {
    if (listening)
        note("make ", path);
    return static_cast<int>(::syscall(SYS_mkdirat, below, path, mode));
}

ssize_t pwrite(int descriptor, const void* from, size_t bytes, off_t offset) {
    if (listening)
        note("write ", path_of(descriptor));
    if (interrupt())
        return -1;
    return ::syscall(SYS_pwrite64, descriptor, from, shortened(bytes), offset);
}

ssize_t pread(int descriptor, void* into, size_t bytes, off_t offset) {
    if (interrupt())
        return -1;
    return ::syscall(SYS_pread64, descriptor, into, shortened(bytes), offset);
}
}
