#include "interposed_calls.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>

namespace pawl::test {

namespace {

struct shortening {
    std::atomic<std::size_t> most{0};  // 0: calls are not changed
    std::atomic<std::uint64_t> calls{0};
    std::atomic<std::uint64_t> cut{0};
    std::atomic<std::uint64_t> interrupted{0};
};
shortening the_shortening;

thread_local std::uint64_t clock_calls_here = 0;
thread_local read_count reads_here;

[[nodiscard]] ssize_t counted(ssize_t got) noexcept {
    ++reads_here.calls;
    reads_here.bytes += got > 0 ? static_cast<std::uint64_t>(got) : 0;
    return got;
}

// True if this call must be interrupted.
[[nodiscard]] bool interrupt() noexcept {
    if (the_shortening.most == 0 || the_shortening.calls++ % 2 != 0)
        return false;
    ++the_shortening.interrupted;
    errno = EINTR;
    return true;
}

[[nodiscard]] std::size_t shortened(std::size_t bytes) noexcept {
    const std::size_t most = the_shortening.most;
    if (most == 0 || bytes <= most)
        return bytes;
    ++the_shortening.cut;
    return most;
}

}  // namespace

std::uint64_t& clock_calls() noexcept {
    return clock_calls_here;
}

const read_count& reads() noexcept {
    return reads_here;
}

short_calls::short_calls(std::size_t most) noexcept {
    the_shortening.cut = 0;
    the_shortening.interrupted = 0;
    the_shortening.most = most;
}
short_calls::~short_calls() {
    the_shortening.most = 0;
}
std::uint64_t short_calls::cut_short() const noexcept {
    return the_shortening.cut;
}
std::uint64_t short_calls::interrupted() const noexcept {
    return the_shortening.interrupted;
}

}  // namespace pawl::test

using namespace pawl::test;

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept {
    ++clock_calls_here;
    return static_cast<int>(::syscall(SYS_clock_gettime, clock, now));
}

ssize_t pread(int descriptor, void* into, size_t bytes, off_t offset) {
    if (interrupt())
        return -1;
    return counted(::syscall(SYS_pread64, descriptor, into, shortened(bytes), offset));
}

ssize_t preadv2(int descriptor, const iovec* into, int count, off_t offset, int flags) {
    if (interrupt())
        return -1;
    iovec first = into[0];
    first.iov_len = shortened(first.iov_len);
    return counted(
        ::syscall(SYS_preadv2, descriptor, count == 1 ? &first : into, count, offset, 0, flags));
}

ssize_t pwrite(int descriptor, const void* from, size_t bytes, off_t offset) {
    if (interrupt())
        return -1;
    return ::syscall(SYS_pwrite64, descriptor, from, shortened(bytes), offset);
}

int posix_fallocate(int descriptor, off_t offset, off_t bytes) {
    if (interrupt())
        return EINTR;
    return ::syscall(SYS_fallocate, descriptor, 0, offset, bytes) == 0 ? 0 : errno;
}

int open(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const auto mode = va_arg(rest, mode_t);
    va_end(rest);
    if (interrupt())
        return -1;
    return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}
}
