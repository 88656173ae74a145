#include "os/background.hpp"

#include "os/deadline.hpp"
#include "os/thread.hpp"

#include <utility>

namespace pawl::detail {

result<void> background_thread::start(background_setup setup) {
    step_ = std::move(setup.step);
    auto started = start_thread({.name = std::move(setup.name), .cores = std::move(setup.cores)},
                                [this] { run(); });
    if (!started)
        return std::unexpected(std::move(started.error()));
    thread_ = std::move(*started);
    return {};
}

void background_thread::run() noexcept {
    std::unique_lock guard{mutex_};
    while (!stopping_) {
        guard.unlock();
        const auto idle = step_();
        guard.lock();
        if (idle.count() > 0)
            wake_.wait_until(guard, deadline_after(std::chrono::steady_clock::now(), idle),
                             [this] { return stopping_ || woken_; });
        woken_ = false;
    }
}

void background_thread::wake() noexcept {
    {
        const std::scoped_lock guard{mutex_};
        woken_ = true;
    }
    wake_.notify_all();
}

void background_thread::stop() noexcept {
    if (!thread_.joinable())
        return;
    {
        const std::scoped_lock guard{mutex_};
        stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

}  // namespace pawl::detail
