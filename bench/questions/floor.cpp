// What does the machine allow? The raw loops that are the denominators of all ratios, by
// themselves.

#include "contenders/floor_contenders.hpp"
#include "contenders/question.hpp"
#include "contenders/raw_log.hpp"
#include "measure/affinity.hpp"
#include "measure/clock.hpp"
#include "measure/contest.hpp"
#include "measure/failure.hpp"
#include "measure/mapping.hpp"

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bench {
namespace {

constexpr std::uint64_t epoch = 1;

// Frames written by the raw loop, then read back with every hash checked.
contender read_back(const std::filesystem::path& directory, const context::load& load, int core) {
    struct state {
        mapping file;
        std::size_t offset = 0;
    };
    const auto now = std::make_shared<state>(
        state{mapping::create(directory / ("read back, " + load.name), round_bytes)});
    const auto count = slice_events(load.events);
    raw::writer out(now->file.data(), epoch);
    for (std::uint64_t i = 0; i < count * slices_a_round; ++i) {
        out.append(load.events.at(i));
    }
    const auto run = [now, count, core]() -> sample {
        const pinned here(core);
        stopwatch watch;
        const auto totals = raw::read(now->file.view(), epoch, 0, now->offset, count);
        const auto taken = watch.stop();
        if (totals.events != count) {
            throw failure("the raw read does not give what the raw loop wrote");
        }
        return {.events = count, .total_ns = taken, .interrupted = watch.interrupted()};
    };
    return {.name = "floor",
            .variant = "read back, " + load.name,
            .payload_bytes = load.events.mean_bytes(),
            .keeps = floor_memory_guarantees,
            .options = "mapped, in the page cache; XXH3-64 of every frame",
            .begin = [now] { now->offset = 0; },
            .run = run};
}

struct alignas(64) line_of_cache {
    std::atomic<std::uint64_t> value{0};
};

// Passes one cache line back and forth between two cores; a round trip is two events.
contender ping_pong(int first_core, int second_core) {
    const auto run = [first_core, second_core]() -> sample {
        constexpr std::uint64_t trips = 5'000;
        line_of_cache line;
        std::thread other([&] {
            const pinned here(second_core);
            for (std::uint64_t i = 1; i < 2 * trips; i += 2) {
                while (line.value.load(std::memory_order_acquire) != i) {
                }
                line.value.store(i + 1, std::memory_order_release);
            }
        });
        const pinned here(first_core);
        std::uint64_t start = 0;
        // The first trips wake the other thread up and are not counted.
        constexpr std::uint64_t warm_up = 500;
        for (std::uint64_t i = 0; i < 2 * trips; i += 2) {
            if (i == 2 * warm_up) {
                start = ticks();
            }
            line.value.store(i + 1, std::memory_order_release);
            while (line.value.load(std::memory_order_acquire) != i + 2) {
            }
        }
        const auto taken = elapsed_ns(start);
        other.join();
        return {.events = 2 * (trips - warm_up), .total_ns = taken};
    };
    return {.name = "floor",
            .variant = "a cache line from core to core",
            .payload_bytes = 8,
            .options = "store-release, load-acquire, spinning",
            .run = run,
            .threads = 2};
}

contender copy_memory(int core) {
    constexpr std::size_t bytes = std::size_t{64} << 20;
    constexpr std::size_t piece = std::size_t{1} << 20;
    constexpr std::size_t pieces = 4;
    auto source = std::make_shared<mapping>(mapping::anonymous(bytes));
    auto target = std::make_shared<mapping>(mapping::anonymous(bytes));
    std::memset(source->data(), 1, bytes);
    const auto next = std::make_shared<std::size_t>(0);
    const auto run = [source, target, next, core]() -> sample {
        const pinned here(core);
        stopwatch watch;
        for (std::size_t i = 0; i < pieces; ++i) {
            std::memcpy(target->data() + *next, source->data() + *next, piece);
            *next = (*next + piece) % bytes;
        }
        const auto taken = watch.stop();
        return {.events = pieces, .total_ns = taken, .interrupted = watch.interrupted()};
    };
    return {.name = "floor",
            .variant = "memory copy, an event is 1 MiB",
            .payload_bytes = piece,
            .options = "memcpy, 64 MiB to another 64 MiB",
            .run = run};
}

// The background thread's work for every page that the writer will use.
contender populate_pages(const std::filesystem::path& directory, pages wanted) {
    const auto run = [directory, wanted]() -> sample {
        stopwatch watch;
        const auto file = mapping::create(directory / "populate", std::size_t{4} << 20, wanted);
        const auto taken = watch.stop();
        return {
            .events = file.bytes() / 4096, .total_ns = taken, .interrupted = watch.interrupted()};
    };
    return {.name = "floor",
            .variant = wanted == pages::large
                           ? "allocate and populate, large pages, an event is 4 KiB"
                           : "allocate and populate, an event is 4 KiB",
            .payload_bytes = 4096,
            .options = wanted == pages::large
                           ? "fallocate, MADV_HUGEPAGE, MADV_POPULATE_WRITE, every 4 KiB read once"
                           : "fallocate, MADV_POPULATE_WRITE, every page read once",
            .run = run};
}

}  // namespace

void ask_floor(context& run) {
    const scratch_directory scratch(run.asked.directory);
    const int core = run.asked.writer_core();
    for (const auto& load : run.loads) {
        contest loops("floor");
        auto loop = floor_append(scratch.path(), load, core);
        loop.variant = "append loop, " + load.name;
        const auto append = loops.add(std::move(loop));
        const auto read = loops.add(read_back(scratch.path(), load, core));
        loops.run(run.asked.many_rounds(), slices_a_round, run.progress);
        run.found.rows.push_back(loops.line(append, {{append}}));
        run.found.rows.push_back(loops.line(read, {{read}}));
    }
    contest memory("floor");
    std::vector<contest::id> ids{memory.add(copy_memory(core)),
                                 memory.add(populate_pages(scratch.path(), pages::usual)),
                                 memory.add(populate_pages(scratch.path(), pages::large))};
    if (run.asked.cores.size() > 1) {
        ids.push_back(memory.add(ping_pong(core, run.asked.reader_core())));
    }
    memory.run(run.asked.many_rounds(), slices_a_round, run.progress);
    for (const auto id : ids) {
        run.found.rows.push_back(memory.line(id, {{id}}));
    }

    contest disk("floor");
    const unsigned syncs = run.asked.quick ? 50 : 500;
    const auto stored = [&](pages wanted, const char* name) {
        auto one =
            floor_durable(scratch.path(), run.loads.front(), 1, syncs, blocks::allocated, wanted);
        one.variant = name;
        return disk.add(std::move(one));
    };
    const auto usual = stored(pages::usual, "a frame stored, then msync");
    const auto large = stored(pages::large, "a frame stored, then msync, large pages");
    disk.run(run.asked.few_rounds(), 1, run.progress);
    for (const auto id : {usual, large}) {
        run.found.rows.push_back(disk.line(id, {{usual}}));
    }
}

}  // namespace bench
