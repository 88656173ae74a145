#pragma once

#include "measure/row.hpp"

#include <pawl/replay/detail/histogram.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bench {

using pawl::detail::histogram;

// The result of one contender in one round.
struct sample {
    std::uint64_t events = 0;
    double total_ns = 0;
    // Latencies in ns, if the question measures them.
    std::optional<histogram> latency = {};
    // Another process ran on the core meanwhile. Only short slices of one pinned thread set this,
    // because delays by the contender's own threads must not be hidden.
    bool interrupted = false;
};

// A contender of a question. `run` does one slice of the work and reports its time; `begin` and
// `end`, if set, open and close the objects that a round's slices work on. The reported time never
// includes this preparation and cleanup.
struct contender {
    std::string name = {};
    std::string variant = {};
    std::size_t payload_bytes = 0;
    guarantees keeps = {};
    std::string options = {};
    std::function<void()> begin = {};
    std::function<sample()> run = {};
    std::function<void()> end = {};
    std::string note = {};
    std::size_t threads = 1;
};

// The contenders of one question, run in turns. In every round each begins, then all do their
// slices turn by turn, with a different one first each time, so that other activity on the machine
// affects all of them alike; then each ends. Ratios are taken between slices of the same turn and
// their median is reported. A turn in which any contender was interrupted is dropped for all, as
// long as five are left.
class contest {
  public:
    using id = std::size_t;
    // A contender's figure times a weight; a yardstick is a sum of parts.
    struct part {
        id who;
        double weight = 1.0;
    };
    using yardstick = std::vector<part>;

    explicit contest(std::string bench) : bench_(std::move(bench)) {}

    id add(contender who);
    // Runs `rounds` rounds of `slices` turns; at least five turns in all, or medians mean little.
    // Calls `progress` for every round.
    void run(unsigned rounds, unsigned slices,
             const std::function<void(const std::string&)>& progress);

    [[nodiscard]] double median(id who, figure which) const;
    // Median over the turns of `who` divided by the sum of the yardstick's parts.
    [[nodiscard]] double ratio(id who, const yardstick& against, figure which) const;
    // Median over the turns of one yardstick divided by another.
    [[nodiscard]] double ratio(const yardstick& what, const yardstick& against, figure which) const;
    // Width of the middle half of the turns divided by the median.
    [[nodiscard]] double spread(const yardstick& what, figure which) const;

    // The row for the table. Leave `floor` empty if nothing bounds this row from below.
    [[nodiscard]] row line(id who, const yardstick& floor = {},
                           figure ratio_of = figure::mean) const;
    // The verdict on `who` against a limit on ratio(who, against).
    [[nodiscard]] verdict judge(const std::string& question, id who, const yardstick& against,
                                figure which, double limit) const;
    // The same, but the limit is the ratio of two yardsticks.
    [[nodiscard]] verdict judge(const std::string& question, id who, const yardstick& against,
                                figure which, const yardstick& allowed) const;

  private:
    struct entry {
        contender who;
        std::vector<sample> turns;
    };

    void drop_interrupted_turns();
    [[nodiscard]] std::vector<double> series(const yardstick& what, figure which) const;

    std::string bench_;
    std::vector<entry> entries_;
    std::size_t dropped_turns_ = 0;
};

// Above this spread of the floor a row is marked unreliable.
inline constexpr double unreliable_spread = 0.20;

// The middle value; the mean of the two middle ones for an even count. Not of an empty list.
[[nodiscard]] double median_of(std::vector<double> values);

}  // namespace bench
