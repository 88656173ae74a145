// A thread that keeps a map and the words of a journal up to date while the journal grows.
#pragma once

#include "view/log_map.hpp"
#include "view/view_words.hpp"

#include <pawl/journal/error.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>

namespace pawl::cli {

class log_follower {
  public:
    // Both must outlive it.
    log_follower(log_map& map, view_words& words);
    log_follower(const log_follower&) = delete;
    log_follower& operator=(const log_follower&) = delete;

    // Whether it has read up to the end of the log once.
    [[nodiscard]] bool caught_up() const noexcept { return caught_up_.load(); }
    // Why it cannot read on now; it tries again.
    [[nodiscard]] std::optional<error> failure() const;

  private:
    void run(const std::stop_token& stop);
    [[nodiscard]] result<void> follow(const std::stop_token& stop);
    [[nodiscard]] result<void> look_at_files();
    [[nodiscard]] result<void> take(const cursor& events, const event& e);
    void set_failure(std::optional<error> why);

    log_map& map_;
    view_words& words_;
    std::chrono::steady_clock::time_point looked_{};
    std::uint64_t ordinal_ = 0;  // of the last event's segment
    std::atomic<bool> caught_up_ = false;
    mutable std::mutex guard_;  // of failure_
    std::optional<error> failure_;
    std::jthread thread_;  // the last, so that it ends first
};

}  // namespace pawl::cli
