// How late is an append? Events at a fixed rate through many rollovers, each timed from when it was
// due, on the disk and in memory, with the flusher off and on.

#include "contenders/floor_contenders.hpp"
#include "contenders/pawl_contenders.hpp"
#include "contenders/question.hpp"
#include "measure/mapping.hpp"
#include "measure/pace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace bench {
namespace {

constexpr pawl::event_header firehose{.type = 1, .schema_version = 1};

// A segment is full after a tenth of a second, so that a run goes through many.
std::uint64_t segment_bytes_at(const context::load& load, double rate) {
    const auto bytes = load.events.room(static_cast<std::uint64_t>(rate / 10), 56);
    return std::clamp<std::uint64_t>(bytes >> 16 << 16, 1 << 20, 256 << 20);
}

contender pawl_paced(const std::filesystem::path& scratch, const context::load& load,
                     const options& asked, double rate, std::uint64_t count, bool flusher) {
    pawl::writer_options options = one_segment_options(asked);
    options.segment_bytes = segment_bytes_at(load, rate);
    options.populate_bytes = pawl::writer_options{}.populate_bytes;
    if (flusher) {
        options.sync = pawl::sync_policy::every_us(1000);
    }
    const auto run = [scratch, &events = load.events, core = asked.writer_core(), rate, count,
                      options]() -> sample {
        fresh_journal journal(scratch / "pawl", options);
        journal.wait_until_populated();
        auto& log = journal.writer();
        sample made{.events = count, .total_ns = 0, .latency = histogram{}};
        bool refused = false;
        {
            const pinned here(core);
            const auto start = ticks();
            paced(rate, count, *made.latency, [&](std::uint64_t i, std::uint64_t) {
                refused |= !log.append(firehose, events.at(i)).has_value();
            });
            made.total_ns = elapsed_ns(start);
        }
        if (refused) {
            throw failure("pawl refused a paced append");
        }
        return made;
    };
    return {.name = flusher ? "pawl, flusher" : "pawl",
            .payload_bytes = load.events.mean_bytes(),
            .keeps = pawl_memory_guarantees,
            .options = describe(options),
            .run = run};
}

struct place {
    std::string name;
    std::filesystem::path directory;
    bool is_memory;
};

void ask_at(context& run, const place& where, const context::load& load, double rate) {
    const scratch_directory scratch(where.directory);
    const double seconds = run.asked.quick ? 0.25 : 4.0;
    const auto count = static_cast<std::uint64_t>(rate * seconds);
    const auto name = fmt::format("{:.0f} k/s, {}, {}", rate / 1000, where.name, load.name);
    contest paced_ones("tail");
    const auto add = [&](contender one) {
        one.variant = name;
        return paced_ones.add(std::move(one));
    };
    const auto floor = add(floor_paced(scratch.path(), load, run.asked.writer_core(), rate, count));
    const auto fresh = add(floor_fresh_paced(scratch.path(), load, run.asked.writer_core(), rate,
                                             count, segment_bytes_at(load, rate)));
    const auto quiet = add(pawl_paced(scratch.path(), load, run.asked, rate, count, false));
    const auto flushed = add(pawl_paced(scratch.path(), load, run.asked, rate, count, true));
    paced_ones.run(run.asked.few_rounds(), 1, run.progress);

    const contest::yardstick against{{floor}};
    for (const auto id : {floor, fresh, quiet, flushed}) {
        run.found.rows.push_back(paced_ones.line(id, against, figure::p999));
    }
    if (rate != 1'000'000) {
        return;
    }
    auto& verdicts = run.found.verdicts;
    if (where.is_memory) {
        verdicts.push_back(paced_ones.judge("p99.9 of " + name + ", against the paced floor", quiet,
                                            against, figure::p999, 2));
        verdicts.push_back(paced_ones.judge("p99.99 of " + name + ", against the paced floor",
                                            quiet, against, figure::p9999, 2));
        verdicts.push_back(paced_ones.judge("p99.9 of the same, against the floor over fresh pages",
                                            quiet, {{fresh}}, figure::p999, 2));
    } else {
        verdicts.push_back(
            paced_ones.judge("p99.9 of " + name + ", flusher on, against the paced floor", flushed,
                             against, figure::p999, 5));
    }
}

}  // namespace

void ask_tail(context& run) {
    const place places[] = {{"disk", run.asked.directory, false}, {"/dev/shm", "/dev/shm", true}};
    for (const auto& where : places) {
        if (!std::filesystem::is_directory(where.directory)) {
            run.found.failures.push_back("tail: there is no " + where.directory.string());
            continue;
        }
        for (const double rate : run.rates) {
            ask_at(run, where, run.loads.front(), rate);
        }
    }
}

}  // namespace bench
