#include "os/thread.hpp"

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/replay/detail/crew.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace pawl::detail {

struct crew::shared {
    std::mutex mutex;
    std::condition_variable begin;
    std::condition_variable end;
    std::uint64_t round = 0;  // counts the calls of run
    std::size_t at_work = 0;  // threads that have not finished this round
    bool leaving = false;
    const std::function<void(std::size_t)>* task = nullptr;
    std::size_t count = 0;
    std::atomic<std::size_t> next{0};
    std::atomic<bool> out_of_memory{false};
    std::vector<std::thread> threads;

    void take_tasks() {
        for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1))
            if (!guarded([&] { (*task)(i); }))
                out_of_memory = true;
    }

    void live() {
        std::uint64_t seen = 0;
        std::unique_lock lock{mutex};
        while (true) {
            begin.wait(lock, [&] { return leaving || round != seen; });
            if (leaving)
                return;
            seen = round;
            lock.unlock();
            take_tasks();
            lock.lock();
            if (--at_work == 0)
                end.notify_one();
        }
    }
};

crew::crew(std::uint32_t threads) : shared_{std::make_unique<shared>()} {
    const std::uint32_t cores = std::max(1u, std::thread::hardware_concurrency());
    const std::uint32_t wanted = threads == 0 ? cores : threads;
    // No allocation may fail once a thread runs: nobody would join it.
    shared_->threads.reserve(wanted - 1);
    while (shared_->threads.size() + 1 < wanted) {
        auto started = guarded([&] {
            return start_thread({.name = "pawl-fold"}, [mine = shared_.get()] { mine->live(); });
        });
        // Fewer threads still do all the work, only more slowly.
        if (!started)
            break;
        shared_->threads.push_back(std::move(*started));
    }
}

crew::crew(crew&&) noexcept = default;

crew::~crew() {
    if (!shared_)
        return;
    {
        const std::scoped_lock lock{shared_->mutex};
        shared_->leaving = true;
    }
    shared_->begin.notify_all();
    for (std::thread& each : shared_->threads)
        each.join();
}

std::uint32_t crew::threads() const noexcept {
    return static_cast<std::uint32_t>(shared_->threads.size() + 1);
}

result<void> crew::run(std::size_t count, const std::function<void(std::size_t)>& task) {
    {
        const std::scoped_lock lock{shared_->mutex};
        shared_->task = &task;
        shared_->count = count;
        shared_->next = 0;
        shared_->out_of_memory = false;
        shared_->at_work = shared_->threads.size();
        ++shared_->round;
    }
    shared_->begin.notify_all();
    shared_->take_tasks();
    std::unique_lock lock{shared_->mutex};
    shared_->end.wait(lock, [&] { return shared_->at_work == 0; });
    if (shared_->out_of_memory)
        return std::unexpected(error{.code = errc::out_of_memory});
    return {};
}

}  // namespace pawl::detail
