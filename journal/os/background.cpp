#include "os/background.hpp"

#include "os/assertion.hpp"
#include "os/deadline.hpp"
#include "os/thread.hpp"

#include <utility>

namespace pawl::detail {

result<void> background_thread::start(background_setup setup) {
    PAWL_ASSERT(setup.step != nullptr);
    PAWL_ASSERT(!setup.name.empty() && setup.name.size() <= 15);
    PAWL_ASSERT(!thread_.joinable() && !stopping_);
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
        PAWL_ASSERT(idle.count() >= 0);
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
    PAWL_ASSERT(thread_.get_id() != std::this_thread::get_id());
    {
        const std::scoped_lock guard{mutex_};
        stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

}  // namespace pawl::detail
