#include "terminal/progress.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace pawl::cli {

std::string progress_text(std::uint64_t done_bytes, std::uint64_t all_bytes,
                          std::chrono::duration<double> elapsed) {
    using namespace std::chrono_literals;
    constexpr double mebibyte = 1 << 20;
    const auto done = static_cast<double>(std::min(done_bytes, all_bytes));
    const auto all = static_cast<double>(all_bytes);
    std::string text = fmt::format("{:5.1f} %  {:.0f} of {:.0f} MiB", 100.0 * done / all,
                                   done / mebibyte, all / mebibyte);
    if (elapsed >= 1s && done_bytes != 0) {
        const double rate = done / elapsed.count();
        text += fmt::format(", {:.0f} MiB/s, {:.0f} s left", rate / mebibyte, (all - done) / rate);
    }
    return text;
}

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
    fmt::print(stderr, "\r{}\x1b[K", progress_text(done_bytes, all_bytes, now - begun_));
}

}  // namespace pawl::cli
