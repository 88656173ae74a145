// Shows the progress of a long command on one line of the terminal.
#pragma once

#include <chrono>
#include <cstdint>

namespace pawl::cli {

// Shows nothing if standard error is not a terminal.
class progress {
  public:
    progress();
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;
    ~progress();  // clears the line

    void show(std::uint64_t done_bytes, std::uint64_t all_bytes);

  private:
    bool on_;
    bool shown_ = false;
    std::chrono::steady_clock::time_point last_{};
};

}  // namespace pawl::cli
