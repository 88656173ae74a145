// A writer whose disk refuses writes or flushes from some point on, and what it may report then.
#pragma once

#include "acknowledgements.hpp"
#include "log_lives.hpp"
#include "recorded_disk.hpp"

#include <pawl/journal/options.hpp>
#include <pawl/journal/writer.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>

namespace pawl::test {

// The outcome of a trial. Lies in shared memory and outlives the processes that write to it.
class struck_record {
  public:
    struct figures {
        std::atomic<std::uint64_t> poisoned{0};  // writers that ended with a failed sync
        std::atomic<std::uint64_t> refused{0};   // openings that failed
        std::atomic<std::uint64_t> reopened{0};  // openings on a disk that had refused something
        // Recoveries that had to bypass the page cache to reach the disk.
        std::atomic<std::uint64_t> past_the_cache{0};
        std::atomic<std::uint64_t> unmountable{0};
    };

    // Made in memory that children share.
    [[nodiscard]] static struck_record& shared();
    void reset() noexcept;

    // A writer continues here; its events follow from this seed.
    void begin_life(sequence_number first, std::uint64_t seed) noexcept;
    // For the processes that read the journal afterwards.
    [[nodiscard]] log_lives lives() const;

    acknowledgements told;
    figures sums;  // of all trials

  private:
    struct life {
        sequence_number first = 0;
        std::uint64_t seed = 0;
    };
    std::array<life, 32> lives_{};
    std::size_t lives_used_ = 0;
};

struct struck_plan {
    sync_policy sync{};
    bool background = true;
    std::uint64_t units_before = 0;  // and a sync, before the disk begins to refuse
    std::uint64_t units_after = 0;
    std::uint64_t sync_every = 1;  // units
    std::uint64_t openings = 1;    // in this process, one after the other
    bool closes = false;
    disk_refusal refusal;  // begins with the first opening; may refuse nothing
};

// Opens the journal, appends and syncs as planned. Returns what it did wrong, else empty. A call
// that fails is not wrong, but what follows a failed sync may be.
[[nodiscard]] std::string write_while_struck(const std::filesystem::path& directory,
                                             recorded_disk& disk, struck_record& record,
                                             const struck_plan& plan, std::uint64_t seed);

}  // namespace pawl::test
