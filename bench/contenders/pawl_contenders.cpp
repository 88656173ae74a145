#include "contenders/pawl_contenders.hpp"

#include "contenders/floor_contenders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

namespace bench {

fresh_journal::fresh_journal(const std::filesystem::path& directory,
                             const pawl::writer_options& options)
    : directory_(directory), window_(std::min(options.populate_bytes, options.segment_bytes)) {
    std::filesystem::remove_all(directory_);
    writer_.emplace(must(pawl::writer::open(directory_, options), "open a journal"));
}

fresh_journal::~fresh_journal() {
    writer_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

void fresh_journal::close() {
    must(writer_->close(), "close a journal");
    writer_.reset();
}

void fresh_journal::wait_until_populated() const {
    using namespace std::chrono_literals;
    std::uint64_t last = 0;
    auto changed = std::chrono::steady_clock::now();
    while (true) {
        const auto now = writer_->statistics().populated_bytes;
        // The window may continue in the next segment, which does not matter here. A window smaller
        // than requested cannot be detected from outside, so stop when nothing new has been
        // populated for a while.
        if (now >= window_ || std::chrono::steady_clock::now() - changed > 150ms) {
            return;
        }
        if (now != last) {
            last = now;
            changed = std::chrono::steady_clock::now();
        }
        std::this_thread::sleep_for(1ms);
    }
}

pawl::writer_options one_segment_options(const options& asked) {
    pawl::writer_options made;
    made.segment_bytes = round_bytes;
    made.populate_bytes = round_bytes;
    made.sync = pawl::sync_policy::manual();
    if (asked.cores.size() > 1) {
        made.threads.cores = {asked.cores.begin() + 1, asked.cores.end()};
    }
    return made;
}

std::string describe(const pawl::writer_options& options) {
    std::string sync = "sync on demand";
    if (options.sync.interval_us != 0) {
        sync = fmt::format("sync every {} us", options.sync.interval_us);
    } else if (options.sync.bytes != 0) {
        sync = fmt::format("sync every {} bytes", options.sync.bytes);
    }
    const char* clock = options.clock == pawl::clock_source::tsc      ? "tsc"
                        : options.clock == pawl::clock_source::system ? "system clock"
                                                                      : "caller's clock";
    return fmt::format("segments of {} MiB, populated {} MiB ahead, {}, {}",
                       options.segment_bytes >> 20, options.populate_bytes >> 20, sync, clock);
}

}  // namespace bench
