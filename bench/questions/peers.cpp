// What are the alternatives? The same events through RocksDB, LMDB, SQLite and plain writes, each
// with the settings that its documentation advises for a log.

#include "contenders/question.hpp"

#if PAWL_BENCH_PEERS

#include "contenders/floor_contenders.hpp"
#include "contenders/pawl_contenders.hpp"
#include "contenders/peers/peer.hpp"
#include "contenders/stored_journal.hpp"
#include "measure/affinity.hpp"
#include "measure/clock.hpp"
#include "measure/contest.hpp"
#include "measure/mapping.hpp"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace bench {
namespace {

constexpr pawl::event_header firehose{.type = 1, .schema_version = 1};

struct entrant {
    peer_kind kind;
    peer_sync sync;
};

std::vector<entrant> entrants() {
    return {{{"rocksdb", open_rocksdb}, peer_sync::none},
            {{"lmdb", open_lmdb}, peer_sync::none},
            {{"sqlite", open_sqlite}, peer_sync::none},
            {{"sqlite, normal", open_sqlite}, peer_sync::normal},
            {{"write(2)", open_plain_file}, peer_sync::none}};
}

// An open peer and its progress.
struct session {
    std::optional<scratch_directory> directory;
    std::unique_ptr<peer> opened;
    std::uint64_t next = 0;

    void begin(const std::filesystem::path& scratch, const entrant& who) {
        directory.emplace(scratch);
        opened = who.kind.open(directory->path(), who.sync);
        next = 0;
    }
    // As after a restart: nothing is mapped, cached or kept in memory by the peer.
    void reopen(const entrant& who) {
        opened.reset();
        opened = who.kind.open(directory->path(), who.sync);
    }
    void end() {
        opened.reset();
        directory.reset();
    }
};

contender described(const std::filesystem::path& scratch, const entrant& who,
                    const context::load& load) {
    session trial;
    trial.begin(scratch, who);
    contender made{.name = who.kind.name,
                   .payload_bytes = load.events.mean_bytes(),
                   .keeps = trial.opened->keeps(),
                   .options = trial.opened->options()};
    trial.end();
    return made;
}

contender peer_append(const std::filesystem::path& scratch, const options& asked,
                      const entrant& who, const context::load& load, std::uint64_t batch,
                      std::uint64_t slice) {
    auto made = described(scratch, who, load);
    const auto now = std::make_shared<session>();
    made.begin = [now, scratch, who] { now->begin(scratch, who); };
    made.run = [now, &events = load.events, batch, slice, core = asked.writer_core()]() -> sample {
        const pinned here(core);
        const auto start = ticks();
        for (std::uint64_t done = 0; done < slice; done += batch) {
            now->opened->append(events, now->next + done, batch);
        }
        const auto taken = elapsed_ns(start);
        now->next += slice;
        return {.events = slice, .total_ns = taken};
    };
    made.end = [now] { now->end(); };
    return made;
}

// A journal with default options, because the peers run with theirs; a batch is a Pawl batch.
contender pawl_plain(const std::filesystem::path& scratch, const options& asked,
                     const context::load& load, std::uint64_t batch, std::uint64_t slice) {
    pawl::writer_options settings;
    const auto now = std::make_shared<std::optional<fresh_journal>>();
    const auto next = std::make_shared<std::uint64_t>(0);
    const auto begin = [now, next, scratch, settings] {
        now->emplace(scratch / "pawl", settings);
        (*now)->wait_until_populated();
        *next = 0;
    };
    const auto run = [now, next, &events = load.events, batch, slice,
                      core = asked.writer_core()]() -> sample {
        auto& log = (*now)->writer();
        const auto room = events.largest_bytes() * batch;
        const pinned here(core);
        const auto start = ticks();
        for (std::uint64_t i = *next; i < *next + slice; i += batch) {
            if (batch == 1) {
                must(log.append(firehose, events.at(i)), "append");
                continue;
            }
            auto open = must(log.begin_batch(static_cast<std::uint32_t>(batch), room), "batch");
            for (std::uint64_t j = i; j < i + batch; ++j) {
                must(open.append(firehose, events.at(j)), "append");
            }
            must(open.commit(), "commit");
        }
        const auto taken = elapsed_ns(start);
        *next += slice;
        return {.events = slice, .total_ns = taken};
    };
    return {.name = "pawl",
            .payload_bytes = load.events.mean_bytes(),
            .keeps = pawl_memory_guarantees,
            .options = describe(settings),
            .begin = begin,
            .run = run,
            .end = [now] { now->reset(); }};
}

void ask_append(context& run, const std::filesystem::path& scratch, const context::load& load,
                std::uint64_t batch) {
    const std::uint64_t slice =
        (run.asked.quick ? std::uint64_t{1'024} : 8'192) * (batch == 1 ? 1 : 4);
    const auto name =
        fmt::format("append, {}, {}", load.name,
                    batch == 1 ? "one at a time" : fmt::format("batches of {}", batch));
    contest appends("peers");
    const auto add = [&](contender one) {
        one.variant = name;
        return appends.add(std::move(one));
    };
    const auto floor = add(floor_append(scratch, load, run.asked.writer_core()));
    const auto own = add(pawl_plain(scratch, run.asked, load, batch, slice));
    std::vector<std::pair<std::string, contest::id>> others;
    for (const auto& who : entrants()) {
        others.emplace_back(who.kind.name,
                            add(peer_append(scratch, run.asked, who, load, batch, slice)));
    }
    appends.run(run.asked.quick ? 2 : 5, slices_a_round - 1, run.progress);

    run.found.rows.push_back(appends.line(floor, {{floor}}));
    run.found.rows.push_back(appends.line(own, {{floor}}));
    for (const auto& [who, id] : others) {
        run.found.rows.push_back(appends.line(id, {{floor}}));
    }
    for (const auto& [who, id] : others) {
        const double times = batch != 1         ? 1
                             : who == "lmdb"    ? 20
                             : who == "rocksdb" ? 50
                             : who == "sqlite"  ? 100
                                                : 1;
        run.found.verdicts.push_back(
            {.question = fmt::format("{}: times faster than {}", name, who),
             .reached = appends.ratio(id, {{own}}, figure::mean),
             .limit = times,
             .at_least = true});
    }
}

contender peer_replay(const std::filesystem::path& scratch, const options& asked,
                      const entrant& who, const context::load& load, std::uint64_t count) {
    auto made = described(scratch, who, load);
    const auto now = std::make_shared<session>();
    now->begin(scratch, who);
    for (std::uint64_t i = 0; i < count; i += 64) {
        now->opened->append(load.events, i, 64);
    }
    made.run = [now, who, count, core = asked.writer_core()]() -> sample {
        std::uint64_t sum = 0;
        now->reopen(who);
        const pinned here(core);
        const auto start = ticks();
        const auto seen = now->opened->replay([&](std::span<const std::byte> payload) {
            sum += std::to_integer<std::uint64_t>(payload.front());
        });
        const auto taken = elapsed_ns(start);
        if (seen != count || sum == 0) {
            throw failure(now->opened->options() + ": not every event came back");
        }
        return {.events = seen, .total_ns = taken};
    };
    made.keeps.survives_kill = false;
    made.keeps.survives_power_loss = false;
    return made;
}

void ask_replay(context& run, const std::filesystem::path& scratch, const context::load& load) {
    const std::uint64_t count = run.asked.quick ? 128 * 1024 : 1024 * 1024;
    const auto journal =
        store_journal(scratch / "replay", count, {.segment_bytes = std::size_t{64} << 20},
                      [&](pawl::writer& log, std::uint64_t i) {
                          return log.append(firehose, load.events.at(i)).has_value();
                      });
    contest replays("peers");
    const auto name = "replay, " + load.name;
    contender own{.name = "pawl",
                  .variant = name,
                  .payload_bytes = load.events.mean_bytes(),
                  .keeps = {.checksummed = true},
                  .options = "cursor"};
    own.run = [&journal, core = run.asked.writer_core()]() -> sample {
        std::uint64_t sum = 0;
        const pinned here(core);
        const auto start = ticks();
        auto events = must(pawl::cursor::open(journal.directory), "open a cursor");
        const auto seen = must(events.for_each([&](const pawl::event& one) {
            sum += std::to_integer<std::uint64_t>(one.payload().front());
        }),
                               "replay");
        const auto taken = elapsed_ns(start);
        if (seen != journal.events || sum == 0) {
            throw failure("not every event came back");
        }
        return {.events = seen, .total_ns = taken};
    };
    const auto id = replays.add(std::move(own));
    std::vector<std::pair<bool, contest::id>> others;
    for (const entrant& who : {entrant{{"rocksdb", open_rocksdb}, peer_sync::none},
                               entrant{{"lmdb", open_lmdb}, peer_sync::none},
                               entrant{{"lmdb + XXH3", open_lmdb_with_checksum}, peer_sync::none},
                               entrant{{"sqlite", open_sqlite}, peer_sync::none},
                               entrant{{"write(2)", open_plain_file}, peer_sync::none}}) {
        auto one = peer_replay(scratch, run.asked, who, load, count);
        one.variant = name;
        // The raw loop reads the plain file; it is the floor and not a peer.
        const bool counts = one.keeps.checksummed && who.kind.name != "write(2)";
        others.emplace_back(counts, replays.add(std::move(one)));
    }
    replays.run(run.asked.few_rounds(), 1, run.progress);
    run.found.rows.push_back(replays.line(id));
    double best = 0;
    for (const auto& [counts, other] : others) {
        run.found.rows.push_back(replays.line(other));
        const double lead = replays.ratio(other, {{id}}, figure::mean);
        if (counts && (best == 0 || lead < best)) {
            best = lead;
        }
    }
    run.found.verdicts.push_back(
        {.question = name + ": times faster than the best peer that verifies a checksum",
         .reached = best,
         .limit = 2,
         .at_least = true});
    std::filesystem::remove_all(journal.directory);
}

}  // namespace

void ask_peers(context& run) {
    const scratch_directory scratch(run.asked.directory);
    const auto& load = run.loads.front();
    ask_append(run, scratch.path(), load, 1);
    ask_append(run, scratch.path(), load, 64);
    ask_replay(run, scratch.path(), load);
    if (!run.asked.quick && run.loads.size() > 1) {
        ask_append(run, scratch.path(), run.loads[1], 1);
        ask_append(run, scratch.path(), run.loads[1], 64);
        ask_replay(run, scratch.path(), run.loads[1]);
    }
}

}  // namespace bench

#else

namespace bench {

void ask_peers(context& run) {
    run.found.failures.emplace_back("peers: built without RocksDB, LMDB and SQLite");
}

}  // namespace bench

#endif
