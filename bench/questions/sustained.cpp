// Does the pace of an append last? Fills one segment after the other at full speed, so that the
// background threads must prepare, populate and seal segments as fast as they fill.

#include "contenders/floor_contenders.hpp"
#include "contenders/pawl_contenders.hpp"
#include "contenders/question.hpp"
#include "measure/mapping.hpp"

#include <fmt/format.h>

#include <string>

namespace bench {
namespace {

constexpr pawl::event_header firehose{.type = 1, .schema_version = 1};

contender pawl_through(const std::filesystem::path& scratch, const context::load& load,
                       const options& asked, unsigned segments) {
    auto options = one_segment_options(asked);
    options.populate_bytes = pawl::writer_options{}.populate_bytes;
    const auto run = [scratch, &events = load.events, segments, options,
                      core = asked.writer_core()]() -> sample {
        const auto count = slice_events(events) * slices_a_round * segments;
        fresh_journal journal(scratch / "pawl", options);
        journal.wait_until_populated();
        auto& log = journal.writer();
        bool refused = false;
        const pinned here(core);
        const auto start = ticks();
        for (std::uint64_t i = 0; i < count; ++i) {
            refused |= !log.append(firehose, events.at(i)).has_value();
        }
        const auto taken = elapsed_ns(start);
        if (refused) {
            throw failure("pawl refused an append");
        }
        return {.events = count, .total_ns = taken};
    };
    return {.name = "pawl",
            .payload_bytes = load.events.mean_bytes(),
            .keeps = pawl_memory_guarantees,
            .options = describe(options),
            .run = run};
}

// The floor over some files, each prepared before its turn and not timed.
contender floor_through(const std::filesystem::path& scratch, const context::load& load,
                        const options& asked, unsigned segments) {
    const auto one = floor_append(scratch, load, asked.writer_core());
    auto made = one;
    made.begin = {};
    made.end = {};
    made.run = [one, segments]() -> sample {
        sample sum;
        for (unsigned segment = 0; segment < segments; ++segment) {
            one.begin();
            for (unsigned slice = 0; slice < slices_a_round; ++slice) {
                const auto part = one.run();
                sum.events += part.events;
                sum.total_ns += part.total_ns;
            }
            one.end();
        }
        return sum;
    };
    return made;
}

}  // namespace

void ask_sustained(context& run) {
    const scratch_directory scratch(run.asked.directory);
    const unsigned segments = run.asked.quick ? 6 : 40;
    const auto& load = run.loads.front();
    contest sustained("sustained");
    const auto name = fmt::format("{} segments of 32 MiB, {}", segments, load.name);
    // Nothing happens between the floor's files, so a few give the same result as all.
    auto raw = floor_through(scratch.path(), load, run.asked, 2);
    raw.variant = name;
    auto fresh = floor_fresh(scratch.path(), load, run.asked.writer_core(), round_bytes, segments);
    fresh.variant = name;
    auto pawl = pawl_through(scratch.path(), load, run.asked, segments);
    pawl.variant = name;
    const auto floor = sustained.add(std::move(raw));
    const auto fresh_id = sustained.add(std::move(fresh));
    const auto id = sustained.add(std::move(pawl));
    sustained.run(run.asked.few_rounds(), 1, run.progress);
    run.found.rows.push_back(sustained.line(floor, {{floor}}));
    run.found.rows.push_back(sustained.line(fresh_id, {{floor}}));
    run.found.rows.push_back(sustained.line(id, {{floor}}));
    auto& verdicts = run.found.verdicts;
    verdicts.push_back(sustained.judge("sustained, " + name + ", against the floor", id, {{floor}},
                                       figure::mean, 1.5));
    verdicts.push_back(sustained.judge("the same, against the floor over fresh pages", id,
                                       {{fresh_id}}, figure::mean, 1.5));
}

}  // namespace bench
