// What do command ids, conditions and entities add to an append?

#include "contenders/floor_contenders.hpp"
#include "contenders/pawl_contenders.hpp"
#include "contenders/question.hpp"
#include "contenders/typed_events.hpp"
#include "measure/affinity.hpp"
#include "measure/clock.hpp"
#include "measure/mapping.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <pawl/codec/encoder.hpp>
#include <pawl/journal/metadata.hpp>
#include <pawl/replay/entities.hpp>

#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace bench {
namespace {

constexpr pawl::event_header firehose{.type = 1, .schema_version = 1};
constexpr std::size_t frame_bytes = 56;    // before the payload
constexpr std::size_t command_bytes = 32;  // of metadata

// SplitMix64: numbers whose order in memory is none.
std::uint64_t scattered(std::uint64_t number) noexcept {
    std::uint64_t z = (number + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

// Follows a random cycle through all cache lines of a memory of this size: each step is one access
// that nothing can predict. The memory has large pages if the kernel gives them, as the writer's
// own tables do.
contender random_access(const options& asked, const std::string& variant, std::size_t bytes,
                        std::uint64_t steps) {
    struct line {
        std::uint64_t next;
        std::array<std::uint64_t, 7> unused;
    };
    static_assert(sizeof(line) == 64);
    constexpr std::size_t large_page = std::size_t{2} << 20;
    const std::size_t rounded = (bytes + large_page - 1) / large_page * large_page;
    const std::shared_ptr<void> memory(std::aligned_alloc(large_page, rounded), std::free);
    if (!memory) {
        throw failure("no memory for a pointer chase");
    }
    (void)madvise(memory.get(), rounded, MADV_HUGEPAGE);
    const std::span lines{static_cast<line*>(memory.get()), bytes / sizeof(line)};
    // Sattolo's algorithm gives one cycle.
    std::vector<std::uint64_t> order(lines.size());
    std::iota(order.begin(), order.end(), 0);
    for (std::uint64_t i = order.size() - 1; i > 0; --i) {
        std::swap(order[i], order[scattered(i) % i]);
    }
    for (std::uint64_t i = 0; i < order.size(); ++i) {
        lines[i].next = order[i];
    }
    const auto at = std::make_shared<std::uint64_t>(0);
    const auto run = [memory, lines, at, steps, core = asked.writer_core()]() -> sample {
        const pinned here(core);
        std::uint64_t now = *at;
        stopwatch watch;
        for (std::uint64_t i = 0; i < steps; ++i) {
            now = lines[now].next;
        }
        const auto taken = watch.stop();
        *at = now;
        if (now >= lines.size()) {
            throw failure("the cycle was left");
        }
        return {.events = steps, .total_ns = taken, .interrupted = watch.interrupted()};
    };
    return {.name = "one random access",
            .variant = variant,
            .options = fmt::format("a pointer chase through {} MiB", bytes >> 20),
            .run = run};
}

// A command of its own for each event.
auto command_append(const payloads& events, std::uint64_t window) {
    return [&events, window](pawl::writer& log) {
        const auto append = [&events](pawl::writer& to, std::uint64_t number) {
            pawl::command_reference command{.hash = number};
            const std::array id{scattered(2 * number), scattered(2 * number + 1)};
            std::memcpy(command.id.data(), id.data(), sizeof id);
            const auto entry = pawl::entry_of(command);
            auto header = firehose;
            header.metadata = {&entry, 1};
            return to.append(header, events.at(number));
        };
        // Before the first slice the window is full.
        for (std::uint64_t i = 0; i < window; ++i) {
            must(append(log, i), "fill the window");
        }
        return [append, window](pawl::writer& to, std::uint64_t i) {
            return append(to, window + i).has_value();
        };
    };
}

auto plain_append(const payloads& events) {
    return [&events](pawl::writer&) {
        return [&events](pawl::writer& log, std::uint64_t i) {
            return log.append(firehose, events.at(i)).has_value();
        };
    };
}

// Each event also depends on the version of one of many streams, which it does not write.
auto conditional_append(const payloads& events, std::uint64_t streams) {
    return [&events, streams](pawl::writer& log) {
        for (std::uint64_t i = 0; i < streams; ++i) {
            auto header = firehose;
            header.stream = 1 + i;
            must(log.append(header, events.at(i)), "make a stream");
        }
        return [&events, streams](pawl::writer& to, std::uint64_t i) {
            const std::uint64_t drawn = (scattered(i) >> 32) * streams >> 32;
            const pawl::stream_condition other{1 + drawn, pawl::expect::exactly(1)};
            auto header = firehose;
            header.conditions = {&other, 1};
            return to.append(header, events.at(i)).has_value();
        };
    };
}

// The time of `what` beyond `base`, a verdict in nanoseconds.
verdict beyond(const contest& of, const std::string& question, contest::id what,
               const contest::yardstick& base, double limit) {
    double without = 0;
    for (const contest::part& each : base) {
        without += each.weight * of.median(each.who, figure::mean);
    }
    return {.question = question,
            .reached = of.median(what, figure::mean) - without,
            .limit = limit,
            .unreliable = of.spread(base, figure::mean) > unreliable_spread};
}

// A segment that also holds so many events before the first slice.
pawl::writer_options prefilled_options(const options& asked, const payloads& events,
                                       std::uint64_t count, std::size_t before_payload) {
    constexpr std::size_t unit = 65536;
    auto made = one_segment_options(asked);
    made.segment_bytes += (events.room(count, before_payload) / unit + 1) * unit;
    made.populate_bytes = made.segment_bytes;
    return made;
}

void ask_ids(context& run, const std::filesystem::path& scratch) {
    constexpr std::uint32_t window = 1'000'000;
    constexpr std::size_t bytes_a_command = 64;  // writer_options::command_window
    const auto& load = run.loads.front();
    const auto slice = slice_events(load.events) / 2;
    const auto usual = one_segment_options(run.asked);
    auto remembering =
        prefilled_options(run.asked, load.events, window, frame_bytes + command_bytes);
    remembering.command_window = window;
    contest appends("commands");
    const auto add = [&](const std::string& variant, const pawl::writer_options& options,
                         auto make) {
        return appends.add(pawl_append(scratch, run.asked, options,
                                       {.variant = load.name + ", " + variant,
                                        .payload_bytes = load.events.mean_bytes(),
                                        .events_in_a_slice = slice},
                                       std::move(make)));
    };
    const auto alone = add("append alone", usual, plain_append(load.events));
    const auto with_id =
        add("a command id, window of a million", remembering, command_append(load.events, window));
    const auto access = appends.add(
        random_access(run.asked, "a window of a million", window * bytes_a_command, slice));
    appends.run(run.asked.quick ? 2 : 5, slices_a_round - 1, run.progress);
    const contest::yardstick allowed{{alone}, {access, 1.5}};
    run.found.rows.push_back(appends.line(alone));
    run.found.rows.push_back(appends.line(access));
    run.found.rows.push_back(appends.line(with_id, allowed));
    run.found.verdicts.push_back(
        appends.judge("append with a command id, window of a million, against append alone + 1.5 "
                      "random accesses",
                      with_id, allowed, figure::mean, 1.0));
}

void ask_conditions(context& run, const std::filesystem::path& scratch) {
    constexpr std::uint64_t streams = 1'000'000;
    constexpr std::size_t table_bytes = (std::size_t{1} << 21) * 24;  // less than half full
    const auto& load = run.loads.front();
    const auto slice = slice_events(load.events) / 2;
    auto options = prefilled_options(run.asked, load.events, streams, frame_bytes);
    options.expected_streams = streams;
    contest appends("commands");
    const auto add = [&](const std::string& variant, const pawl::writer_options& settings,
                         auto make) {
        return appends.add(pawl_append(scratch, run.asked, settings,
                                       {.variant = load.name + ", " + variant,
                                        .payload_bytes = load.events.mean_bytes(),
                                        .events_in_a_slice = slice},
                                       std::move(make)));
    };
    const auto alone =
        add("no condition", one_segment_options(run.asked), plain_append(load.events));
    const auto with = add("a condition on one of 1000000 streams", options,
                          conditional_append(load.events, streams));
    const auto access =
        appends.add(random_access(run.asked, "the table of a million streams", table_bytes, slice));
    appends.run(run.asked.quick ? 2 : 5, slices_a_round - 1, run.progress);
    const contest::yardstick base{{alone}, {access}};
    run.found.rows.push_back(appends.line(alone));
    run.found.rows.push_back(appends.line(access));
    run.found.rows.push_back(appends.line(with, base));
    run.found.verdicts.push_back(
        beyond(appends, "a condition on a further stream, ns beyond append and one random access",
               with, base, 3));
}

// An account that counts its orders.
struct order_book {
    struct state {
        std::uint64_t orders = 0;
    };
    struct order {
        pawl::stream_id stream = 0;
        std::uint64_t number = 0;
    };
    using events = pawl::event_list<order_placed>;

    static state initial() { return {}; }
    static void evolve(state& s, const order_placed&) { ++s.orders; }
    static void decide(const order& c, const state&, pawl::decision& out) {
        out.append({.stream = c.stream},
                   [&](auto& builder) { return make_order(builder, c.number); });
    }
};

void ask_entities(context& run, const std::filesystem::path& scratch) {
    constexpr std::uint64_t streams = 1000;
    flatbuffers::FlatBufferBuilder builder(1024);
    const auto bytes = build(builder, make_order, 1).size();
    const auto slice = slice_events(payloads::of_size(bytes));
    const auto options = one_segment_options(run.asked);
    contest appends("commands");
    const auto add = [&](const std::string& variant, auto make) {
        return appends.add(
            pawl_append(scratch, run.asked, options,
                        {.variant = variant, .payload_bytes = bytes, .events_in_a_slice = slice},
                        std::move(make)));
    };
    const auto direct = add("encode + append, 1000 streams", [](pawl::writer&) {
        return [encode = std::make_shared<pawl::encoder>()](pawl::writer& log, std::uint64_t i) {
            return encode
                ->append(log, {.stream = 1 + i % streams},
                         [&](auto& to) { return make_order(to, i); })
                .has_value();
        };
    });
    const auto decided = add("transact, 1000 cached entities", [](pawl::writer& log) {
        auto of = std::make_shared<pawl::entities<order_book>>(log);
        return [of](pawl::writer&, std::uint64_t i) {
            const pawl::stream_id stream = 1 + i % streams;
            return of->transact(stream, order_book::order{stream, i}).has_value();
        };
    });
    appends.run(run.asked.many_rounds(), slices_a_round - 1, run.progress);
    run.found.rows.push_back(appends.line(direct));
    run.found.rows.push_back(appends.line(decided, {{direct}}));
    run.found.verdicts.push_back(beyond(appends,
                                        "transact on a cached entity, ns beyond encode + append",
                                        decided, {{direct}}, 60));
}

}  // namespace

void ask_commands(context& run) {
    const scratch_directory scratch(run.asked.directory);
    ask_ids(run, scratch.path());
    ask_conditions(run, scratch.path());
    ask_entities(run, scratch.path());
}

}  // namespace bench
