#include "contenders/floor_contenders.hpp"

#include "contenders/fresh_files.hpp"
#include "contenders/raw_log.hpp"
#include "measure/affinity.hpp"
#include "measure/clock.hpp"
#include "measure/failure.hpp"
#include "measure/mapping.hpp"
#include "measure/pace.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace bench {
namespace {

constexpr std::uint64_t epoch = 0x5eed0fa11e0c4000;

const char* const raw_options = "populated mapping, 56-byte header, memcpy, XXH3-64, tsc stamp";
const char* const fresh_options =
    "the same over new files, each populated by a second thread while the one before it fills";

// Appends at a fixed rate on a core of its own, and times each append from when it was due.
template <class Append>
[[nodiscard]] sample paced_sample(int core, double rate, std::uint64_t count, Append&& append) {
    sample made{.events = count, .total_ns = 0, .latency = histogram{}};
    const pinned here(core);
    const auto start = ticks();
    paced(rate, count, *made.latency, [&](std::uint64_t i, std::uint64_t) { append(i); });
    made.total_ns = elapsed_ns(start);
    return made;
}

// The raw loop that continues in the next file when one is full. All files hold the same number of
// events, so the loop only checks a count.
class fresh_loop {
  public:
    fresh_loop(const std::filesystem::path& directory, const payloads& events,
               std::size_t file_bytes, int core)
        : files_(directory / "fresh", file_bytes, core),
          events_(events),
          a_file_(events.fitting(file_bytes, raw::header_bytes)) {
        move_on();
    }

    void append(std::uint64_t number) {
        if (left_ == 0) {
            move_on();
        }
        --left_;
        out_->append(events_.at(number));
    }
    [[nodiscard]] std::uint64_t events_a_file() const noexcept { return a_file_; }

  private:
    void move_on() {
        out_.emplace(files_.next().data(), epoch);
        left_ = a_file_;
    }

    fresh_files files_;
    const payloads& events_;
    std::uint64_t a_file_;
    std::uint64_t left_ = 0;
    std::optional<raw::writer> out_;
};

[[nodiscard]] contender over_fresh_files(const context::load& load, std::function<sample()> run) {
    return {.name = "floor, fresh pages",
            .variant = load.name,
            .payload_bytes = load.events.mean_bytes(),
            .keeps = floor_memory_guarantees,
            .options = fresh_options,
            .run = std::move(run)};
}

}  // namespace

std::uint64_t slice_events(const payloads& events) {
    return events.fitting(round_bytes - round_overhead, raw::header_bytes) / slices_a_round;
}

contender floor_append(const std::filesystem::path& directory, const context::load& load,
                       int core) {
    struct state {
        std::optional<mapping> file;
        std::optional<raw::writer> out;
    };
    const auto now = std::make_shared<state>();
    const auto begin = [now, path = directory / ("append, " + load.name)] {
        now->file = mapping::create(path, round_bytes);
        now->out.emplace(now->file->data(), epoch);
    };
    const auto run = [now, &events = load.events, core]() -> sample {
        const auto count = slice_events(events);
        auto& out = *now->out;
        const pinned here(core);
        stopwatch watch;
        for (std::uint64_t i = 0; i < count; ++i) {
            out.append(events.at(i));
        }
        const auto taken = watch.stop();
        return {.events = count, .total_ns = taken, .interrupted = watch.interrupted()};
    };
    return {.name = "floor",
            .variant = load.name,
            .payload_bytes = load.events.mean_bytes(),
            .keeps = floor_memory_guarantees,
            .options = raw_options,
            .begin = begin,
            .run = run,
            .end = [now] { now->file.reset(); }};
}

contender floor_paced(const std::filesystem::path& directory, const context::load& load, int core,
                      double rate, std::uint64_t count) {
    const auto run = [directory, &events = load.events, core, rate, count]() -> sample {
        auto file = mapping::create(directory / "floor", events.room(count, raw::header_bytes));
        raw::writer out(file.data(), epoch);
        return paced_sample(core, rate, count, [&](std::uint64_t i) { out.append(events.at(i)); });
    };
    return {.name = "floor",
            .variant = load.name,
            .payload_bytes = load.events.mean_bytes(),
            .keeps = floor_memory_guarantees,
            .options = raw_options,
            .run = run};
}

contender floor_fresh(const std::filesystem::path& directory, const context::load& load, int core,
                      std::size_t file_bytes, unsigned files) {
    const auto run = [directory, &events = load.events, core, file_bytes, files]() -> sample {
        const scratch_directory own(directory);
        fresh_loop out(own.path(), events, file_bytes, core);
        const auto count = out.events_a_file() * files;
        const pinned here(core);
        const auto start = ticks();
        for (std::uint64_t i = 0; i < count; ++i) {
            out.append(i);
        }
        return {.events = count, .total_ns = elapsed_ns(start)};
    };
    return over_fresh_files(load, run);
}

contender floor_fresh_paced(const std::filesystem::path& directory, const context::load& load,
                            int core, double rate, std::uint64_t count, std::size_t file_bytes) {
    const auto run = [directory, &events = load.events, core, rate, count, file_bytes]() -> sample {
        const scratch_directory own(directory);
        fresh_loop out(own.path(), events, file_bytes, core);
        return paced_sample(core, rate, count, [&](std::uint64_t i) { out.append(i); });
    };
    return over_fresh_files(load, run);
}

constexpr std::size_t page_bytes = 4096;

contender floor_durable(const std::filesystem::path& directory, const context::load& load,
                        std::uint64_t per_sync, std::uint64_t syncs, blocks state, pages wanted) {
    const auto run = [directory, &events = load.events, per_sync, syncs, state,
                      wanted]() -> sample {
        // As large as a segment: ext4 takes longer to sync a part of a large file than all of a
        // small one, and a small one has no large pages.
        const auto room =
            std::max(events.room(per_sync * syncs, raw::header_bytes) + 4096, round_bytes);
        auto file = mapping::create(directory / "floor", room, wanted);
        // fsync writes all pages that creation populated; one page is enough to make the allocation
        // itself durable.
        const bool durable = state == blocks::written
                                 ? fsync(file.descriptor()) == 0
                                 : msync(file.data(), page_bytes, MS_SYNC) == 0;
        if (!durable) {
            fail_errno("make an allocation durable");
        }
        raw::writer out(file.data(), epoch);
        sample made{.events = per_sync * syncs, .total_ns = 0, .latency = histogram{}};
        const auto start = ticks();
        for (std::uint64_t group = 0; group < syncs; ++group) {
            const auto begin = ticks();
            const auto from = out.offset() / page_bytes * page_bytes;
            for (std::uint64_t i = 0; i < per_sync; ++i) {
                out.append(events.at(group * per_sync + i));
            }
            // Syncs only the range, and no page that is merely present.
            if (msync(file.data() + from, out.offset() - from, MS_SYNC) != 0) {
                fail_errno("msync");
            }
            out.set_durable(out.sequence());
            made.latency->record(tick_scale::get().to_ns(ticks() - begin));
        }
        made.total_ns = elapsed_ns(start);
        return made;
    };
    const bool written = state == blocks::written;
    return {.name = written ? "floor, written before" : "floor",
            .variant = load.name + ", " + std::to_string(per_sync) + " a sync",
            .payload_bytes = load.events.mean_bytes(),
            .keeps = {.survives_kill = true, .survives_power_loss = true, .checksummed = true},
            .options = written
                           ? "stores into a mapping whose blocks were written before, then msync"
                           : "stores into a mapping whose blocks are allocated, then msync",
            .run = run};
}

}  // namespace bench
