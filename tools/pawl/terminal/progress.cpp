#include "terminal/progress.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>

namespace pawl::cli {

progress::progress() : on_{isatty(STDERR_FILENO) == 1} {}

progress::~progress() {
    if (shown_)
        fmt::print(stderr, "\r\x1b[K");
}

void progress::show(std::uint64_t done_bytes, std::uint64_t all_bytes) {
    using namespace std::chrono_literals;
    const auto now = std::chrono::steady_clock::now();
    if (!on_ || all_bytes == 0 || now - last_ < 100ms)
        return;
    last_ = now;
    shown_ = true;
    const double mebibyte = 1 << 20;
    fmt::print(stderr, "\r{:5.1f} %  {:.0f} of {:.0f} MiB\x1b[K",
               100.0 * static_cast<double>(done_bytes) / static_cast<double>(all_bytes),
               static_cast<double>(done_bytes) / mebibyte,
               static_cast<double>(all_bytes) / mebibyte);
}

}  // namespace pawl::cli
