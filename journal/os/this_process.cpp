#include "os/this_process.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <span>

namespace pawl::detail {

namespace {

// The first line of a small file; empty if it cannot be read.
void first_line(const char* path, std::span<char> into) noexcept {
    const int descriptor = ::open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return;
    const auto got = ::read(descriptor, into.data(), into.size() - 1);
    ::close(descriptor);
    into[got > 0 ? static_cast<std::size_t>(got) : 0] = '\0';
    if (char* end = std::strchr(into.data(), '\n'); end != nullptr)
        std::memset(end, 0, static_cast<std::size_t>(into.data() + into.size() - end));
}

template <std::size_t Size>
[[nodiscard]] std::string get_text(const char (&from)[Size]) {
    return {from, ::strnlen(from, Size)};
}

}  // namespace

std::string process_name::text() const {
    return "process " + std::to_string(process) + " (" + get_text(program) + ") on " +
           get_text(host) + ", boot " + get_text(boot);
}

process_name this_process() noexcept {
    process_name name;
    name.process = static_cast<std::uint64_t>(::getpid());
    if (::gethostname(name.host, sizeof name.host - 1) != 0)
        std::memset(name.host, 0, sizeof name.host);
    first_line("/proc/self/comm", name.program);
    first_line("/proc/sys/kernel/random/boot_id", name.boot);
    return name;
}

}  // namespace pawl::detail
