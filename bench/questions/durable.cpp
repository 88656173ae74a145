// What does durability cost? One event or a group per sync, and how long the first event of a group
// waits: group commit by the caller, and by the flusher.

#include "contenders/floor_contenders.hpp"
#include "contenders/pawl_contenders.hpp"
#include "contenders/question.hpp"
#include "measure/mapping.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#if PAWL_BENCH_PEERS
#include "contenders/peers/peer.hpp"
#endif

namespace bench {
namespace {

constexpr pawl::event_header firehose{.type = 1, .schema_version = 1};

enum class who_syncs { caller, flusher };

contender pawl_durable(const std::filesystem::path& scratch, const context::load& load,
                       const options& asked, std::uint64_t per_sync, std::uint64_t syncs,
                       who_syncs by) {
    auto options = one_segment_options(asked);
    options.populate_bytes = pawl::writer_options{}.populate_bytes;
    if (by == who_syncs::flusher) {
        // Syncs as soon as there is anything: the next group gathers during the sync of the last
        // one.
        options.sync = {.interval_us = 1000, .bytes = 1};
    }
    const auto run = [scratch, &events = load.events, per_sync, syncs, by, options]() -> sample {
        fresh_journal journal(scratch / "pawl", options);
        journal.wait_until_populated();
        auto& log = journal.writer();
        // The first sync of new files is not counted, for any contender.
        must(log.append(firehose, events.at(0)), "append");
        must(log.sync(), "sync");
        sample made{.events = per_sync * syncs, .total_ns = 0, .latency = histogram{}};
        const auto start = ticks();
        for (std::uint64_t group = 0; group < syncs; ++group) {
            const auto begin = ticks();
            pawl::sequence_number last = 0;
            for (std::uint64_t i = 0; i < per_sync; ++i) {
                last =
                    must(log.append(firehose, events.at(group * per_sync + i)), "append").sequence;
            }
            if (by == who_syncs::caller) {
                must(log.sync(), "sync");
            } else {
                must(log.wait_durable(last), "wait until durable");
            }
            made.latency->record(tick_scale::get().to_ns(ticks() - begin));
        }
        made.total_ns = elapsed_ns(start);
        return made;
    };
    return {.name = by == who_syncs::caller ? "pawl" : "pawl, flusher",
            .payload_bytes = load.events.mean_bytes(),
            .keeps = pawl_durable_guarantees,
            .options = describe(options),
            .run = run};
}

#if PAWL_BENCH_PEERS
contender peer_durable(const std::filesystem::path& scratch, const context::load& load,
                       const peer_kind& kind, std::uint64_t per_sync, std::uint64_t syncs) {
    std::string settings;
    guarantees keeps;
    {
        const scratch_directory trial(scratch);
        const auto opened = kind.open(trial.path(), peer_sync::full);
        settings = opened->options();
        keeps = opened->keeps();
    }
    const auto run = [scratch, &events = load.events, kind, per_sync, syncs]() -> sample {
        const scratch_directory own(scratch);
        const auto opened = kind.open(own.path(), peer_sync::full);
        // The first transaction creates files and is not counted.
        opened->append(events, 0, per_sync);
        sample made{.events = per_sync * syncs, .total_ns = 0, .latency = histogram{}};
        const auto start = ticks();
        for (std::uint64_t group = 1; group <= syncs; ++group) {
            const auto begin = ticks();
            opened->append(events, group * per_sync, per_sync);
            made.latency->record(tick_scale::get().to_ns(ticks() - begin));
        }
        made.total_ns = elapsed_ns(start);
        return made;
    };
    return {.name = kind.name,
            .payload_bytes = load.events.mean_bytes(),
            .keeps = keeps,
            .options = settings,
            .run = run};
}
#endif

void ask_group(context& run, const std::filesystem::path& scratch, std::uint64_t per_sync) {
    const auto& load = run.loads.front();
    const std::uint64_t syncs = run.asked.quick ? 60 : 200;
    const auto name = fmt::format("{} a sync, {}", per_sync, load.name);
    contest groups("durable");
    std::vector<contest::id> ids;
    const auto add = [&](contender one) {
        one.variant = name;
        ids.push_back(groups.add(std::move(one)));
        return ids.back();
    };
    const auto floor = add(floor_durable(scratch, load, per_sync, syncs, blocks::allocated));
    add(floor_durable(scratch, load, per_sync, syncs, blocks::written));
    const auto called =
        add(pawl_durable(scratch, load, run.asked, per_sync, syncs, who_syncs::caller));
    add(pawl_durable(scratch, load, run.asked, per_sync, syncs, who_syncs::flusher));
#if PAWL_BENCH_PEERS
    for (const auto& kind :
         {peer_kind{"rocksdb", open_rocksdb}, peer_kind{"lmdb", open_lmdb},
          peer_kind{"sqlite", open_sqlite}, peer_kind{"write(2)", open_plain_file}}) {
        add(peer_durable(scratch, load, kind, per_sync, syncs));
    }
#endif
    groups.run(run.asked.few_rounds(), 1, run.progress);
    const contest::yardstick against{{floor}};
    for (const auto id : ids) {
        run.found.rows.push_back(groups.line(id, against));
    }
    run.found.verdicts.push_back(groups.judge("durable, " + name + ", time against a raw sync",
                                              called, against, figure::mean, 1 / 0.9));
    if (per_sync == 1) {
        run.found.verdicts.push_back(
            groups.judge("p50 from append to durable, one event, against store + msync", called,
                         against, figure::p50, 1.15));
    }
}

}  // namespace

void ask_durable(context& run) {
    const scratch_directory scratch(run.asked.directory);
    for (const std::uint64_t per_sync : {1UL, 64UL, 1024UL}) {
        if (per_sync != 1024 || !run.asked.quick) {
            ask_group(run, scratch.path(), per_sync);
        }
    }
}

}  // namespace bench
