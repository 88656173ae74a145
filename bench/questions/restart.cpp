// How long until a service is back? Opening a closed journal for writing, short and long; after a
// kill; and its state from a snapshot against replaying everything.

#include "contenders/pawl_contenders.hpp"
#include "contenders/question.hpp"
#include "contenders/stored_journal.hpp"
#include "contenders/typed_events.hpp"
#include "measure/clock.hpp"
#include "measure/contest.hpp"
#include "measure/mapping.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pawl/codec/prepared_event.hpp>
#include <pawl/replay/restore.hpp>
#include <pawl/replay/snapshot_store.hpp>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace bench {
namespace {

// Events to replay after the snapshot.
constexpr std::uint64_t tail_events = 10'000;

// One balance per stream.
struct balances {
    using state = std::vector<std::int64_t>;
    using events = pawl::event_list<filled>;
    static constexpr std::uint32_t state_version = 1;

    std::size_t streams = 0;

    [[nodiscard]] state initial() const { return state(streams); }
    void evolve(state& sums, const filled& one, const pawl::event& at) const {
        sums[at.stream() - 1] += one.body()->price();
    }
    [[nodiscard]] pawl::result<void> save(const state& sums, pawl::snapshot_sink& out) const {
        return out.write(std::as_bytes(std::span(sums)));
    }
    [[nodiscard]] pawl::result<state> load(std::span<const std::byte> bytes) const {
        state sums(bytes.size() / sizeof(std::int64_t));
        std::memcpy(sums.data(), bytes.data(), bytes.size());
        return sums;
    }
};

pawl::writer_options long_journal_options(const options& asked, std::uint64_t streams) {
    auto made = one_segment_options(asked);
    made.segment_bytes = std::size_t{64} << 20;
    made.populate_bytes = pawl::writer_options{}.populate_bytes;
    made.expected_streams = streams;
    return made;
}

stored_journal store_fills(const std::filesystem::path& directory, const options& asked,
                           std::uint64_t events, std::uint64_t streams) {
    auto made = must(
        pawl::prepared_event<filled>::make([](auto& builder) { return make_fill(builder, 0); }),
        "prepare an event");
    return store_journal(directory, events, long_journal_options(asked, streams),
                         [&](pawl::writer& log, std::uint64_t i) {
                             patch_fill(made.fields(), i);
                             return made.append(log, {.stream = 1 + i % streams}).has_value();
                         });
}

contender open_for_writing(const stored_journal& journal, const options& asked,
                           std::uint64_t streams) {
    const auto settings = long_journal_options(asked, streams);
    const auto run = [directory = journal.directory, settings]() -> sample {
        const auto start = ticks();
        auto log = must(pawl::writer::open(directory, settings), "open a journal");
        const auto taken = elapsed_ns(start);
        must(log.close(), "close a journal");
        return {.events = 1, .total_ns = taken};
    };
    return {
        .name = "pawl",
        .variant = fmt::format("open for writing, {} events, {} streams", journal.events, streams),
        .options = describe(settings),
        .run = run};
}

// A child appends and exits without closing the journal; then the parent opens it.
contender open_after_kill(const std::filesystem::path& directory, const options& asked) {
    constexpr std::uint64_t events = 200'000;
    auto settings = long_journal_options(asked, 1000);
    const auto run = [directory, settings]() -> sample {
        std::filesystem::remove_all(directory);
        const pid_t child = fork();
        if (child < 0) {
            fail_errno("fork");
        }
        if (child == 0) {
            auto log = pawl::writer::open(directory, settings);
            bool failed = !log;
            const std::vector<std::byte> payload(64, std::byte{1});
            for (std::uint64_t i = 0; i < events && !failed; ++i) {
                failed = !log->append({.type = 1, .stream = 1 + i % 1000}, payload);
            }
            _exit(failed ? 1 : 0);
        }
        int status = 0;
        waitpid(child, &status, 0);
        if (status != 0) {
            throw failure("the writer that was to be killed failed");
        }
        const auto start = ticks();
        auto log = must(pawl::writer::open(directory, settings), "open after a kill");
        const auto taken = elapsed_ns(start);
        if (log.next_sequence() != events) {
            throw failure("events were lost with the process");
        }
        must(log.close(), "close a journal");
        return {.events = 1, .total_ns = taken};
    };
    return {.name = "pawl",
            .variant = fmt::format("open after a kill, {} events unsealed", events),
            .options = describe(settings),
            .run = run};
}

// Writes a snapshot of the state `tail_events` before the end.
void take_snapshot(const stored_journal& journal, const balances& by) {
    auto events = must(pawl::cursor::open(journal.directory), "open a cursor");
    auto state = by.initial();
    pawl::fold_progress progress;
    must(pawl::fold(events, by, state, progress, {.at_least = journal.events - tail_events}),
         "fold");
    auto store = must(
        pawl::snapshot_store::open(journal.directory, events.identity(), balances::state_version),
        "open the snapshots");
    must(store.add(progress.point, progress.digest,
                   [&](pawl::snapshot_sink& out) { return by.save(state, out); }),
         "take a snapshot");
}

contender restart(const stored_journal& journal, const balances& by, bool snapshot) {
    const auto run = [directory = journal.directory, by, snapshot,
                      events = journal.events]() -> sample {
        const auto start = ticks();
        const auto back =
            must(pawl::restore(directory, by, {.use_snapshots = snapshot}), "restore");
        const auto taken = elapsed_ns(start);
        if (back.progress.point.next != events ||
            back.report.tail_events != (snapshot ? tail_events : events)) {
            throw failure("a restart did not begin where it should");
        }
        return {.events = 1, .total_ns = taken};
    };
    return {.name = "pawl",
            .variant = fmt::format("restart, {} events, {}", journal.events,
                                   snapshot ? "snapshot and tail" : "full replay"),
            .run = run};
}

}  // namespace

void ask_restart(context& run) {
    const scratch_directory scratch(run.asked.directory);
    const std::uint64_t streams = run.asked.quick ? 100'000 : 1'000'000;
    const std::uint64_t events = run.asked.quick ? 2'000'000 : 100'000'000;
    run.progress("restart: writing the journals");
    const auto shorter = store_fills(scratch.path() / "short", run.asked, events / 10, streams);
    const auto longer = store_fills(scratch.path() / "long", run.asked, events, streams);
    const balances by{streams};
    take_snapshot(longer, by);

    contest restarts("restart");
    const auto snapshot = restarts.add(restart(longer, by, true));
    const auto full = restarts.add(restart(longer, by, false));
    restarts.run(run.asked.few_rounds(), 1, run.progress);

    contest opens("restart");
    const auto open_short = opens.add(open_for_writing(shorter, run.asked, streams));
    const auto open_long = opens.add(open_for_writing(longer, run.asked, streams));
    const auto killed = opens.add(open_after_kill(scratch.path() / "killed", run.asked));
    opens.run(run.asked.few_rounds(), 1, run.progress);

    for (const auto id : {open_short, open_long, killed}) {
        run.found.rows.push_back(opens.line(id));
    }
    for (const auto id : {snapshot, full}) {
        run.found.rows.push_back(restarts.line(id));
    }
    auto& verdicts = run.found.verdicts;
    verdicts.push_back(
        {.question = fmt::format("ms to open {} events, {} streams", events, streams),
         .reached = opens.median(open_long, figure::mean) / 1e6,
         .limit = 10});
    verdicts.push_back(
        opens.judge(fmt::format("opening {} events, against opening {}", events, events / 10),
                    open_long, {{open_short}}, figure::mean, 1.3));
    verdicts.push_back({.question = fmt::format("full replay of {} events, against a restart from "
                                                "a snapshot",
                                                events),
                        .reached = restarts.ratio(full, {{snapshot}}, figure::mean),
                        .limit = 100,
                        .at_least = true,
                        .note = run.asked.quick ? "the target is for 100 M events" : ""});
}

}  // namespace bench
