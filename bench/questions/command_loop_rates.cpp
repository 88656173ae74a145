// How fast does the command loop decide, from one thread and from many, and how late are its
// answers?

#include "contenders/floor_contenders.hpp"
#include "contenders/pawl_contenders.hpp"
#include "contenders/question.hpp"
#include "contenders/typed_events.hpp"
#include "measure/clock.hpp"
#include "measure/mapping.hpp"

#include <boost/lockfree/queue.hpp>
#include <fmt/format.h>

#include <pawl/codec/encoder.hpp>
#include <pawl/replay/command_loop.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace bench {
namespace {

constexpr std::uint64_t streams = 1000;
constexpr std::uint32_t capacity = 4096;

struct order {
    std::uint64_t number = 0;
};

// Counts the orders of all streams, so that the loop has something to evolve.
struct clearing {
    struct state {
        std::uint64_t orders = 0;
    };
    using events = pawl::event_list<order_placed>;

    static state initial() { return {}; }
    static void evolve(state& s, const order_placed&) { ++s.orders; }
    static void decide(const order& c, const state&, pawl::decision& out) {
        out.append({.stream = 1 + c.number % streams},
                   [&](auto& builder) { return make_order(builder, c.number); });
    }
};

using loop_type = pawl::command_loop<clearing>;

// Runs submit(number) for 0 … commands - 1, divided among threads.
template <class Submit>
void from_threads(unsigned threads, std::uint64_t commands, const Submit& submit) {
    std::vector<std::jthread> running;
    for (unsigned each = 0; each < threads; ++each) {
        running.emplace_back([=, &submit] {
            for (std::uint64_t i = each; i < commands; i += threads) {
                submit(i);
            }
        });
    }
}

// The same queue, bounded in the same way, with a consumer that encodes and appends.
class bare_queue {
  public:
    explicit bare_queue(pawl::writer& log)
        : log_(log), consumer_([this](const std::stop_token& stopped) { consume(stopped); }) {}

    void submit(std::uint64_t number) {
        auto made = std::make_unique<order>(number);
        for (auto now = queued_.load();
             now >= capacity || !queued_.compare_exchange_weak(now, now + 1);) {
            if (now >= capacity) {
                std::this_thread::sleep_for(std::chrono::microseconds{20});
                now = queued_.load();
            }
        }
        order* const node = made.release();
        while (!waiting_.bounded_push(node)) {
            std::this_thread::yield();
        }
    }
    void wait_for(std::uint64_t commands) const {
        for (auto now = appended_.load(); now < commands; now = appended_.load()) {
            appended_.wait(now);
        }
        if (refused_.load()) {
            throw failure("pawl refused an append");
        }
    }

  private:
    void consume(const std::stop_token& stopped) {
        pawl::encoder encode;
        std::uint64_t appended = 0;
        while (!stopped.stop_requested()) {
            order* node = nullptr;
            while (waiting_.pop(node)) {
                queued_.fetch_sub(1);
                const std::unique_ptr<order> one(node);
                const bool placed =
                    encode
                        .append(log_, {.stream = 1 + one->number % streams},
                                [&](auto& builder) { return make_order(builder, one->number); })
                        .has_value();
                if (!placed) {
                    refused_.store(true);
                }
                ++appended;
            }
            if (appended_.exchange(appended) != appended) {
                appended_.notify_all();
            }
            std::this_thread::yield();
        }
    }

    pawl::writer& log_;
    boost::lockfree::queue<order*, boost::lockfree::fixed_sized<true>> waiting_{capacity + 1};
    std::atomic<std::uint32_t> queued_{0};
    std::atomic<std::uint64_t> appended_{0};
    std::atomic<bool> refused_{false};
    std::jthread consumer_;
};

pawl::writer_options queue_options(const options& asked) {
    auto made = one_segment_options(asked);
    made.segment_bytes = std::size_t{64} << 20;
    made.populate_bytes = made.segment_bytes;
    made.threads.cores.clear();
    return made;
}

struct queue_case {
    unsigned threads;
    std::uint64_t commands;
    std::size_t bytes;
};

// Completes how a contender works by what both queues report of it.
contender queue_contender(std::string name, const queue_case& what,
                          const pawl::writer_options& settings, contender made) {
    made.name = std::move(name);
    made.variant = fmt::format("{} submitting threads", what.threads);
    made.payload_bytes = what.bytes;
    made.keeps = pawl_memory_guarantees;
    made.options = describe(settings);
    return made;
}

// A slice submits commands from all threads, and ends when the last is appended.
contender bare(const std::filesystem::path& scratch, const options& asked, const queue_case& what) {
    struct state {
        std::optional<fresh_journal> journal;
        std::optional<bare_queue> queue;
        std::uint64_t sent = 0;
    };
    const auto now = std::make_shared<state>();
    const auto settings = queue_options(asked);
    const auto begin = [now, scratch, settings] {
        now->journal.emplace(scratch / "bare queue", settings);
        now->journal->wait_until_populated();
        now->queue.emplace(now->journal->writer());
        now->sent = 0;
    };
    const auto run = [now, what]() -> sample {
        const auto start = ticks();
        from_threads(what.threads, what.commands, [&](std::uint64_t i) { now->queue->submit(i); });
        now->sent += what.commands;
        now->queue->wait_for(now->sent);
        return {.events = what.commands, .total_ns = elapsed_ns(start)};
    };
    const auto end = [now] {
        now->queue.reset();
        now->journal.reset();
    };
    return queue_contender("queue, encode, append", what, settings,
                           {.begin = begin, .run = run, .end = end, .threads = what.threads + 1});
}

contender looped(const std::filesystem::path& scratch, const options& asked,
                 const queue_case& what) {
    struct state {
        std::optional<fresh_journal> journal;
        std::optional<loop_type> loop;
    };
    const auto now = std::make_shared<state>();
    const auto settings = queue_options(asked);
    const auto begin = [now, scratch, settings] {
        now->journal.emplace(scratch / "loop", settings);
        now->journal->wait_until_populated();
        now->loop.emplace(must(
            loop_type::start(now->journal->writer(), {}, {}, {.capacity = capacity}), "start"));
    };
    const auto run = [now, what]() -> sample {
        std::atomic<std::uint64_t> answered{0};
        std::atomic<bool> failed{false};
        const auto start = ticks();
        from_threads(what.threads, what.commands, [&](std::uint64_t i) {
            const auto submitted = now->loop->submit(
                order{i}, pawl::accepted_when::published, [&](const loop_type::outcome& outcome) {
                    if (!outcome) {
                        failed.store(true, std::memory_order_relaxed);
                    }
                    if (answered.fetch_add(1) + 1 == what.commands) {
                        answered.notify_all();
                    }
                });
            if (!submitted) {
                failed.store(true, std::memory_order_relaxed);
            }
        });
        for (auto seen = answered.load(); seen < what.commands && !failed; seen = answered.load()) {
            answered.wait(seen);
        }
        if (failed) {
            throw failure("a command of the loop failed");
        }
        return {.events = what.commands, .total_ns = elapsed_ns(start)};
    };
    const auto end = [now] {
        now->loop.reset();
        now->journal.reset();
    };
    return queue_contender("pawl, command loop", what, settings,
                           {.begin = begin, .run = run, .end = end, .threads = what.threads + 2});
}

void ask_throughput(context& run, const std::filesystem::path& scratch, std::size_t bytes) {
    for (const unsigned threads : {1U, 4U, 16U}) {
        const queue_case what{threads, 20'000, bytes};
        contest queues("command_loop");
        const auto floor = queues.add(bare(scratch, run.asked, what));
        const auto loop = queues.add(looped(scratch, run.asked, what));
        queues.run(run.asked.few_rounds(), 4, run.progress);
        run.found.rows.push_back(queues.line(floor, {{floor}}));
        run.found.rows.push_back(queues.line(loop, {{floor}}));
        run.found.verdicts.push_back(
            {.question = fmt::format("command loop, {} submitting threads, speed against the queue "
                                     "with encode and append",
                                     threads),
             .reached = queues.ratio(floor, {{loop}}, figure::mean),
             .limit = 0.8,
             .at_least = true,
             .unreliable = queues.spread({{floor}}, figure::mean) > unreliable_spread});
    }
}

// Each thread waits for the durable answer to a command before it submits the next.
contender durable_answers(const std::filesystem::path& scratch, const options& asked,
                          const queue_case& what) {
    auto settings = one_segment_options(asked);
    settings.populate_bytes = pawl::writer_options{}.populate_bytes;
    settings.threads.cores.clear();
    const auto run = [scratch, settings, what]() -> sample {
        fresh_journal journal(scratch / "durable", settings);
        journal.wait_until_populated();
        must(journal.writer().sync(), "sync");
        auto loop = must(loop_type::start(journal.writer(), {}, {}), "start");
        sample made{.events = what.commands, .total_ns = 0, .latency = histogram{}};
        std::mutex adding;
        std::atomic<bool> failed{false};
        // The first sync of new files is not counted, for any contender.
        must(loop.submit(order{}, pawl::accepted_when::durable), "submit").get().value();
        const auto start = ticks();
        from_threads(what.threads, what.commands, [&](std::uint64_t i) {
            const auto begin = ticks();
            auto submitted = loop.submit(order{i}, pawl::accepted_when::durable);
            if (!submitted || !submitted->get()) {
                failed.store(true);
            }
            const auto taken = tick_scale::get().to_ns(ticks() - begin);
            const std::scoped_lock one(adding);
            made.latency->record(taken);
        });
        made.total_ns = elapsed_ns(start);
        must(loop.stop(), "stop");
        if (failed) {
            throw failure("a command of the loop failed");
        }
        return made;
    };
    return {.name = "pawl, command loop",
            .variant = fmt::format("durable, {} submitting threads", what.threads),
            .payload_bytes = what.bytes,
            .keeps = pawl_durable_guarantees,
            .options = describe(settings),
            .run = run,
            .threads = what.threads + 2};
}

// Without a loop: execute and sync, one command at a time.
contender one_by_one(const std::filesystem::path& scratch, const options& asked,
                     std::uint64_t commands, std::size_t bytes) {
    auto settings = one_segment_options(asked);
    settings.populate_bytes = pawl::writer_options{}.populate_bytes;
    const auto run = [scratch, settings, commands]() -> sample {
        fresh_journal journal(scratch / "one by one", settings);
        journal.wait_until_populated();
        auto& log = journal.writer();
        clearing::state books;
        pawl::decision decided;
        must(pawl::execute(clearing{}, order{}, books, log, decided), "execute");
        must(log.sync(), "sync");
        sample made{.events = commands, .total_ns = 0, .latency = histogram{}};
        const auto start = ticks();
        for (std::uint64_t i = 0; i < commands; ++i) {
            const auto begin = ticks();
            must(pawl::execute(clearing{}, order{i}, books, log, decided), "execute");
            must(log.sync(), "sync");
            made.latency->record(tick_scale::get().to_ns(ticks() - begin));
        }
        made.total_ns = elapsed_ns(start);
        return made;
    };
    return {.name = "pawl, one sync per command",
            .variant = "durable, one thread",
            .payload_bytes = bytes,
            .keeps = pawl_durable_guarantees,
            .options = describe(settings),
            .run = run};
}

void ask_durable_answers(context& run, const std::filesystem::path& scratch, std::size_t bytes) {
    const std::uint64_t syncs = run.asked.quick ? 100 : 300;
    const context::load load{"7 fields and a string", payloads::of_size(bytes)};
    contest answers("command_loop");
    auto raw = floor_durable(scratch, load, 1, syncs, blocks::allocated);
    raw.variant = "durable, one event per sync";
    const auto floor = answers.add(std::move(raw));
    const auto each = answers.add(one_by_one(scratch, run.asked, syncs, bytes));
    const auto one = answers.add(durable_answers(scratch, run.asked, {1, syncs, bytes}));
    const auto many = answers.add(durable_answers(scratch, run.asked, {16, 16 * syncs, bytes}));
    answers.run(run.asked.few_rounds(), 1, run.progress);
    for (const auto id : {floor, each, one, many}) {
        run.found.rows.push_back(answers.line(id, {{floor}}));
    }
    run.found.verdicts.push_back(
        answers.judge("p50 from submit to the durable answer, one thread, against store + msync",
                      one, {{floor}}, figure::p50, 1.3));
    run.found.verdicts.push_back(
        {.question = "durable answers to 16 threads, times as many as with one sync per command",
         .reached = answers.ratio(each, {{many}}, figure::mean),
         .limit = 8,
         .at_least = true,
         .unreliable = answers.spread({{each}}, figure::mean) > unreliable_spread});
}

}  // namespace

void ask_command_loop(context& run) {
    const scratch_directory scratch(run.asked.directory);
    flatbuffers::FlatBufferBuilder builder(1024);
    const auto bytes = build(builder, make_order, 1).size();
    ask_throughput(run, scratch.path(), bytes);
    ask_durable_answers(run, scratch.path(), bytes);
}

}  // namespace bench
