// How fast is a journal read back? Frames verified, on one thread and on several, from the page
// cache and from the disk; events decoded and folded. The floor reads the same files.

#include "contenders/pawl_contenders.hpp"
#include "contenders/question.hpp"
#include "contenders/stored_journal.hpp"
#include "contenders/typed_events.hpp"
#include "measure/affinity.hpp"
#include "measure/clock.hpp"
#include "measure/contest.hpp"
#include "measure/mapping.hpp"

#include <fmt/format.h>

#include <pawl/codec/encoder.hpp>
#include <pawl/replay/fold.hpp>

#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bench {
namespace {

constexpr pawl::event_header firehose{.type = 1, .schema_version = 1};
// About half a millisecond of reading.
constexpr std::uint64_t slice = 32'768;

std::uint64_t first_word(std::span<const std::byte> payload) {
    std::uint64_t word = 0;
    if (payload.size() >= sizeof word) {
        std::memcpy(&word, payload.data(), sizeof word);
    }
    return word;
}

// Both readers compute the same proof that they read every event.
struct proof {
    std::uint64_t events = 0;
    std::uint64_t digest = 0;

    void add(const pawl::event& one) {
        ++events;
        digest += first_word(one.payload()) ^ one.sequence();
    }
    void add(const raw::read_totals& part) {
        events += part.events;
        digest += part.digest;
    }
    friend bool operator==(const proof&, const proof&) = default;
};

proof read_range(const std::filesystem::path& directory, std::uint64_t first, std::uint64_t count) {
    auto events =
        must(pawl::cursor::open(directory, {.from = pawl::from_sequence{first}}), "open a cursor");
    proof seen;
    while (seen.events < count) {
        const auto* next = events.next();
        if (next == nullptr) {
            break;
        }
        seen.add(*next);
    }
    return seen;
}

contender floor_slices(const stored_journal& journal, const options& asked, raw_reader::by how) {
    const auto reader = std::make_shared<std::optional<raw_reader>>();
    const auto run = [reader, core = asked.writer_core()]() -> sample {
        const pinned here(core);
        stopwatch watch;
        const auto totals = (*reader)->read_on(slice);
        const auto taken = watch.stop();
        if (totals.events != slice) {
            throw failure("the raw read ended early");
        }
        return {.events = slice, .total_ns = taken, .interrupted = watch.interrupted()};
    };
    const bool mapped = how == raw_reader::by::mapping;
    return {.name = mapped ? "floor, mapped" : "floor",
            .options = mapped ? "the same segments, mapped afresh, XXH3-64 of every frame"
                              : "the same segments, read(2) by 256 KiB, XXH3-64 of every frame",
            .begin = [reader, journal, how] { reader->emplace(journal, how); },
            .run = run,
            .end = [reader] { reader->reset(); }};
}

contender pawl_slices(const stored_journal& journal, const options& asked, bool verify) {
    const auto events = std::make_shared<std::optional<pawl::cursor>>();
    const auto begin = [events, directory = journal.directory, verify] {
        events->emplace(must(pawl::cursor::open(directory, {.verify = verify}), "open a cursor"));
    };
    const auto run = [events, core = asked.writer_core()]() -> sample {
        proof seen;
        const pinned here(core);
        stopwatch watch;
        while (seen.events < slice) {
            const auto* next = (*events)->next();
            if (next == nullptr) {
                break;
            }
            seen.add(*next);
        }
        const auto taken = watch.stop();
        // Use the digest, so that the compiler cannot drop its computation.
        if (seen.events != slice || seen.digest == 0) {
            throw failure("a cursor ended early");
        }
        return {.events = slice, .total_ns = taken, .interrupted = watch.interrupted()};
    };
    return {.name = verify ? "pawl" : "pawl, unchecked",
            .options = verify ? "cursor" : "cursor, verify = false",
            .begin = begin,
            .run = run,
            .end = [events] { events->reset(); }};
}

// Reads the whole journal at once: `threads` threads read a share each. `one` reads share `index`.
contender whole(const std::string& name, const options& asked, std::size_t threads,
                const std::function<proof(std::size_t index)>& one, proof expected) {
    const auto run = [&asked, threads, one, expected]() -> sample {
        std::vector<proof> parts(threads);
        std::atomic<bool> failed{false};
        const auto start = ticks();
        std::vector<std::thread> workers;
        workers.reserve(threads);
        for (std::size_t i = 0; i < threads; ++i) {
            workers.emplace_back([&, i] {
                const pinned here(asked.cores[i % asked.cores.size()]);
                try {
                    parts[i] = one(i);
                } catch (const std::exception&) {
                    failed = true;
                }
            });
        }
        proof sum;
        for (std::size_t i = 0; i < threads; ++i) {
            workers[i].join();
            sum.events += parts[i].events;
            sum.digest += parts[i].digest;
        }
        const auto taken = elapsed_ns(start);
        if (failed || sum != expected) {
            throw failure("a parallel replay did not see every event once");
        }
        return {.events = sum.events, .total_ns = taken};
    };
    return {.name = name, .run = run, .threads = threads};
}

contender floor_whole(const stored_journal& journal, const options& asked, std::size_t threads,
                      proof expected) {
    return whole(
        "floor", asked, threads,
        [journal, threads](std::size_t index) {
            raw_reader reader(journal, raw_reader::by::reading);
            proof seen;
            for (auto i = index; i < reader.segments(); i += threads) {
                seen.add(reader.read_segment(i));
            }
            return seen;
        },
        expected);
}

contender pawl_whole(const stored_journal& journal, const options& asked, std::size_t threads,
                     proof expected) {
    return whole(
        "pawl", asked, threads,
        [journal, threads](std::size_t index) {
            const auto first = journal.events * index / threads;
            const auto end = journal.events * (index + 1) / threads;
            return read_range(journal.directory, first, end - first);
        },
        expected);
}

struct case_name {
    std::string text;
    std::size_t payload_bytes;
};

contest::id add(contest& to, contender one, const case_name& name) {
    one.variant = name.text;
    one.payload_bytes = name.payload_bytes;
    one.keeps = {.checksummed = one.name != "pawl, unchecked"};
    return to.add(std::move(one));
}

void ask_one_thread(context& run, const stored_journal& journal, const context::load& load) {
    contest slices("replay");
    const case_name name{"verify, 1 thread, " + load.name, load.events.mean_bytes()};
    const auto floor = add(slices, floor_slices(journal, run.asked, raw_reader::by::reading), name);
    const auto checked = add(slices, pawl_slices(journal, run.asked, true), name);
    const auto unchecked = add(slices, pawl_slices(journal, run.asked, false), name);
    const auto mapped =
        add(slices, floor_slices(journal, run.asked, raw_reader::by::mapping), name);
    slices.run(run.asked.few_rounds(), static_cast<unsigned>(journal.events / slice), run.progress);
    for (const auto id : {floor, mapped, checked, unchecked}) {
        run.found.rows.push_back(slices.line(id, {{floor}}));
    }
    run.found.verdicts.push_back(
        slices.judge("replay, 1 thread, " + load.name + ", against raw read and hash", checked,
                     {{floor}}, figure::mean, 1.2));
}

void ask_threads(context& run, const stored_journal& journal, const context::load& load) {
    const auto expected = read_range(journal.directory, 0, journal.events);
    contest wholes("replay");
    std::vector<contest::id> floors;
    std::vector<contest::id> pawls;
    for (std::size_t threads = 1; threads <= run.asked.cores.size(); threads *= 2) {
        const case_name name{fmt::format("verify whole, {} thread{}, {}", threads,
                                         threads == 1 ? "" : "s", load.name),
                             load.events.mean_bytes()};
        floors.push_back(add(wholes, floor_whole(journal, run.asked, threads, expected), name));
        pawls.push_back(add(wholes, pawl_whole(journal, run.asked, threads, expected), name));
    }
    wholes.run(run.asked.few_rounds(), 1, run.progress);
    for (std::size_t i = 0; i < floors.size(); ++i) {
        run.found.rows.push_back(wholes.line(floors[i], {{floors[i]}}));
        run.found.rows.push_back(wholes.line(pawls[i], {{floors[i]}}));
    }
    if (floors.size() > 1) {
        const auto gain = [&](const std::vector<contest::id>& ids) {
            return wholes.ratio(ids.front(), {{ids.back()}}, figure::mean);
        };
        run.found.verdicts.push_back(
            {.question = fmt::format("what replay gains on {} threads, against what the floor does",
                                     std::size_t{1} << (floors.size() - 1)),
             .reached = gain(pawls) / gain(floors),
             .limit = 0.9,
             .at_least = true,
             .unreliable = wholes.spread({{floors.back()}}, figure::mean) > unreliable_spread});
    }
}

void ask_cold(context& run, const stored_journal& journal, const context::load& load) {
    const auto expected = read_range(journal.directory, 0, journal.events);
    contest wholes("replay");
    const case_name name{"verify whole, cold page cache, " + load.name, load.events.mean_bytes()};
    const auto drop = [journal] { journal.drop_cache(); };
    const auto cold = [&](contender one) {
        one.run = [inner = one.run, drop] {
            drop();
            return inner();
        };
        return add(wholes, std::move(one), name);
    };
    const auto raw_cold = cold(floor_whole(journal, run.asked, 1, expected));
    const auto pawl_cold = cold(pawl_whole(journal, run.asked, 1, expected));
    wholes.run(run.asked.few_rounds(), 1, run.progress);
    run.found.rows.push_back(wholes.line(raw_cold, {{raw_cold}}));
    run.found.rows.push_back(wholes.line(pawl_cold, {{raw_cold}}));
}

// Adds up the filled quantities: the least work for a fold, so that the library's part shows.
struct volume {
    struct state {
        std::uint64_t quantity = 0;
        std::int64_t turnover = 0;
    };
    using events = pawl::event_list<filled, order_placed>;

    static state initial() { return {}; }
    static void evolve(state& sum, const filled& one) {
        sum.quantity += one.body()->quantity();
        sum.turnover += one.body()->price();
    }
    static void evolve(state& sum, const order_placed& one) {
        sum.quantity += one.quantity();
        sum.turnover += one.price();
    }
};

contender pawl_fold(const stored_journal& journal, const options& asked) {
    struct state {
        std::optional<pawl::cursor> events;
        volume::state sum;
        pawl::fold_progress progress;
    };
    const auto now = std::make_shared<state>();
    const auto begin = [now, directory = journal.directory] {
        now->events.emplace(must(pawl::cursor::open(directory), "open a cursor"));
    };
    const auto run = [now, core = asked.writer_core()]() -> sample {
        const pinned here(core);
        stopwatch watch;
        auto done =
            pawl::fold(*now->events, volume{}, now->sum, now->progress, {.at_least = slice});
        const auto taken = watch.stop();
        must(std::move(done), "fold");
        return {.events = slice, .total_ns = taken, .interrupted = watch.interrupted()};
    };
    return {.name = "pawl",
            .options = "cursor, decode, evolve",
            .begin = begin,
            .run = run,
            .end = [now] { now->events.reset(); }};
}

template <class Table, class Make>
contender verify_alone(const options& asked, Make make) {
    constexpr std::size_t different = 64;
    flatbuffers::FlatBufferBuilder builder(1024);
    std::vector<std::vector<std::uint64_t>> buffers;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < different; ++i) {
        const auto built = build(builder, make, i);
        bytes = built.size();
        buffers.emplace_back((bytes + 7) / 8);
        std::memcpy(buffers.back().data(), built.data(), bytes);
    }
    const auto run = [buffers = std::move(buffers), bytes, core = asked.writer_core()]() -> sample {
        std::uint64_t sound = 0;
        const pinned here(core);
        stopwatch watch;
        for (std::uint64_t i = 0; i < slice; ++i) {
            const auto& one = buffers[i % different];
            sound += verify_event<Table>(std::as_bytes(std::span(one)).first(bytes)) ? 1 : 0;
        }
        const auto taken = watch.stop();
        if (sound != slice) {
            throw failure("a buffer just built does not verify");
        }
        return {.events = slice, .total_ns = taken, .interrupted = watch.interrupted()};
    };
    return {.name = "floor", .options = "flatbuffers::Verifier", .run = run};
}

template <class Table, class Make>
void ask_fold(context& run, const std::filesystem::path& scratch, const std::string& what,
              std::uint64_t events, Make make) {
    pawl::encoder encode;
    const auto journal = store_journal(
        scratch / what, events, {.segment_bytes = std::size_t{64} << 20},
        [&](pawl::writer& log, std::uint64_t i) {
            return encode.append(log, {}, [&](auto& builder) { return make(builder, i); })
                .has_value();
        });
    flatbuffers::FlatBufferBuilder builder(1024);
    const auto bytes = build(builder, make, 1).size();
    contest folds("replay");
    const auto raw = add(folds, floor_slices(journal, run.asked, raw_reader::by::reading),
                         {"raw read, " + what, bytes});
    const auto replay =
        add(folds, pawl_slices(journal, run.asked, true), {"verify frames, " + what, bytes});
    const auto alone = add(folds, verify_alone<Table>(run.asked, make),
                           {"FlatBuffers verify alone, " + what, bytes});
    const auto fold =
        add(folds, pawl_fold(journal, run.asked), {"decode and fold, " + what, bytes});
    folds.run(run.asked.few_rounds(), static_cast<unsigned>(events / slice), run.progress);
    run.found.rows.push_back(folds.line(raw, {{raw}}));
    run.found.rows.push_back(folds.line(replay, {{raw}}));
    run.found.rows.push_back(folds.line(alone));
    run.found.rows.push_back(folds.line(fold, {{raw}, {alone}}));
    run.found.verdicts.push_back(folds.judge("fold, " + what + ", against replay + verify alone",
                                             fold, {{replay}, {alone}}, figure::mean, 1.1));
}

}  // namespace

void ask_replay(context& run) {
    const scratch_directory scratch(run.asked.directory);
    const std::uint64_t events = run.asked.quick ? 8 * slice : 64 * slice;
    for (const auto& load : run.loads) {
        const auto journal = store_journal(
            scratch.path() / load.name, events, {.segment_bytes = std::size_t{8} << 20},
            [&](pawl::writer& log, std::uint64_t i) {
                return log.append(firehose, load.events.at(i)).has_value();
            });
        ask_one_thread(run, journal, load);
        if (&load == &run.loads.front()) {
            ask_threads(run, journal, load);
            ask_cold(run, journal, load);
        }
        std::filesystem::remove_all(journal.directory);
    }
    ask_fold<order_placed>(run, scratch.path(), "7 fields and a string", events, make_order);
    ask_fold<filled>(run, scratch.path(), "a struct in a table", events, make_fill);
}

}  // namespace bench
