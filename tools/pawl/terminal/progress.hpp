// A line on a terminal that shows how far reading has come.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace pawl::cli {

// "12.3 %  340 of 2760 MiB, 890 MiB/s, 3 s left". Rate and rest only once a second has passed:
// before that they mean nothing.
[[nodiscard]] std::string progress_text(std::uint64_t done_bytes, std::uint64_t all_bytes,
                                        std::chrono::duration<double> elapsed);

// On anything but a terminal it shows nothing.
class progress {
  public:
    progress();
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;
    ~progress();

    // Call it as often as is convenient.
    void show(std::uint64_t done_bytes, std::uint64_t all_bytes);

  private:
    bool on_;
    bool shown_ = false;
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point last_{};
};

}  // namespace pawl::cli
