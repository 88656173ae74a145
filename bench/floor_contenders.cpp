#include "floor_contenders.hpp"

#include "affinity.hpp"
#include "clock.hpp"
#include "failure.hpp"
#include "mapping.hpp"
#include "pace.hpp"
#include "raw_log.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>

namespace bench {
namespace {

constexpr std::uint64_t epoch = 0x5eed0fa11e0c4000;

const char* const raw_options = "populated mapping, 56-byte header, memcpy, XXH3-64, tsc stamp";

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
        sample made{.events = count, .total_ns = 0, .latency = histogram{}};
        const pinned here(core);
        const auto start = ticks();
        paced(rate, count, *made.latency,
              [&](std::uint64_t i, std::uint64_t) { out.append(events.at(i)); });
        made.total_ns = elapsed_ns(start);
        return made;
    };
    return {.name = "floor",
            .variant = load.name,
            .payload_bytes = load.events.mean_bytes(),
            .keeps = floor_memory_guarantees,
            .options = raw_options,
            .run = run};
}

constexpr std::size_t page_bytes = 4096;

contender floor_durable(const std::filesystem::path& directory, const context::load& load,
                        std::uint64_t per_sync, std::uint64_t syncs, blocks state) {
    const auto run = [directory, &events = load.events, per_sync, syncs, state]() -> sample {
        const auto room = events.room(per_sync * syncs, raw::header_bytes) + 4096;
        auto file = mapping::create(directory / "floor", room);
        // The pages that creation made present are all written with fsync; one page is enough for
        // the allocation itself to be durable.
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
            // fdatasync of the range, and of no page that is only present.
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
