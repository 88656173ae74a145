// Checks the sealed segments of a journal one after the other, in a thread of its own.
#pragma once

#include "view/log_map.hpp"

#include <pawl/journal/error.hpp>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace pawl::cli {

struct segment_verdict {
    bool sound = false;
    std::optional<error> problem{};  // if it is not
};

class segment_check {
  public:
    // `map` must outlive it.
    explicit segment_check(const log_map& map) : map_{map} {}

    struct progress {
        bool running = false;
        std::uint64_t ordinal = 0;  // that is being read, while it runs
        std::map<std::uint64_t, segment_verdict> verdicts{};
    };
    [[nodiscard]] progress look() const;

    // Reads every event of every sealed segment, and whether each segment continues the one before
    // it. Does nothing while it runs. Uses one core, and leaves nothing in the page cache that was
    // not there.
    void start();

  private:
    void run(const std::stop_token& stop);
    void put(std::uint64_t ordinal, segment_verdict verdict);

    const log_map& map_;
    mutable std::mutex guard_;  // of seen_
    progress seen_;
    std::mutex starting_;
    std::jthread thread_;
};

}  // namespace pawl::cli
