// A named thread that repeats a step and sleeps in between.
#pragma once

#include <pawl/journal/error.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace pawl::detail {

struct background_setup {
    std::string name{};  // at most 15 characters
    std::vector<int> cores{};
    // Does the work that is due and returns how long to sleep.
    std::function<std::chrono::microseconds()> step;
};

class background_thread {
  public:
    background_thread() = default;
    ~background_thread() { stop(); }
    background_thread(const background_thread&) = delete;
    background_thread& operator=(const background_thread&) = delete;

    [[nodiscard]] result<void> start(background_setup setup);
    // Ends the current sleep. Any thread.
    void wake() noexcept;
    void stop() noexcept;

  private:
    void run() noexcept;

    std::function<std::chrono::microseconds()> step_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool woken_ = false;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace pawl::detail
