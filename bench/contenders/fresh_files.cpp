#include "contenders/fresh_files.hpp"

#include "measure/affinity.hpp"

#include <string>
#include <utility>

namespace bench {

fresh_files::fresh_files(std::filesystem::path directory, std::size_t bytes, int writer_core)
    : directory_(std::move(directory)), bytes_(bytes) {
    std::filesystem::create_directory(directory_);
    thread_ = std::thread([this, writer_core] {
        try {
            prepare(writer_core);
        } catch (...) {
            const std::scoped_lock guard(mutex_);
            failure_ = std::current_exception();
            changed_.notify_all();
        }
    });
}

fresh_files::~fresh_files() {
    {
        const std::scoped_lock guard(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

mapping& fresh_files::next() {
    std::unique_lock guard(mutex_);
    if (used_) {
        changed_.wait(guard, [this] { return !left_ || failure_ != nullptr; });
        left_ = std::exchange(used_, std::nullopt);
        changed_.notify_all();
    }
    changed_.wait(guard, [this] { return ready_ || failure_ != nullptr; });
    if (failure_ != nullptr) {
        std::rethrow_exception(failure_);
    }
    used_ = std::exchange(ready_, std::nullopt);
    changed_.notify_all();
    return *used_;
}

void fresh_files::prepare(int writer_core) {
    const auto cores = allowed_cores();
    std::optional<pinned> elsewhere;
    for (const int core : cores) {
        if (core != writer_core && !elsewhere) {
            elsewhere.emplace(core);
        }
    }
    for (std::uint64_t number = 0;; ++number) {
        auto made = mapping::create(directory_ / std::to_string(number), bytes_);
        std::optional<mapping> full;
        {
            std::unique_lock guard(mutex_);
            changed_.wait(guard, [this] { return !ready_ || stopping_; });
            if (stopping_) {
                return;
            }
            ready_ = std::move(made);
            full = std::exchange(left_, std::nullopt);
        }
        changed_.notify_all();
    }
}

}  // namespace bench
