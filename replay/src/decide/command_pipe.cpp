#include "os/background.hpp"

#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/replay/detail/command_pipe.hpp>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace pawl::detail {

namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr std::uint32_t largest_capacity = 32768;
constexpr microseconds until_woken{1'000'000};
constexpr std::size_t cache_line = 64;

[[nodiscard]] std::uint64_t steady_ns() noexcept {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count());
}

// A counter that one thread changes and any thread reads.
class tally {
  public:
    void add(std::uint64_t value) noexcept {
        count_.store(count_.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
    }
    void raise_to(std::uint64_t value) noexcept {
        if (value > count_.load(std::memory_order_relaxed))
            count_.store(value, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t value() const noexcept {
        return count_.load(std::memory_order_relaxed);
    }

  private:
    std::atomic<std::uint64_t> count_{0};
};

// A thread that spins for a while before it sleeps, with a flag that tells other threads whether
// they must wake it. It stores the flag before its last look, and the others store their work
// before they read the flag, both sequentially consistent: at least one of them sees the other's
// store, so no wake-up is lost.
class worker {
  public:
    [[nodiscard]] result<void> start(background_setup setup) {
        return thread_.start(std::move(setup));
    }
    void stop() noexcept { thread_.stop(); }

    void wake_if_asleep() noexcept {
        if (asleep_.load() && asleep_.exchange(false))
            thread_.wake();
    }
    void note_thread() noexcept {
        id_.store(std::this_thread::get_id(), std::memory_order_relaxed);
        asleep_.store(false);
    }
    [[nodiscard]] bool is_current() const noexcept {
        return id_.load(std::memory_order_relaxed) == std::this_thread::get_id();
    }

    // Returns true once `there_is_work`; after `spin` and one last look it returns false, with the
    // flag set.
    template <class Test>
    [[nodiscard]] bool look_for(microseconds spin, const Test& there_is_work) noexcept {
        const auto until = steady_clock::now() + spin;
        do {
            if (there_is_work())
                return true;
        } while (steady_clock::now() < until);
        asleep_.store(true);
        if (!there_is_work())
            return false;
        asleep_.store(false);
        return true;
    }

  private:
    background_thread thread_;
    std::atomic<bool> asleep_{false};
    std::atomic<std::thread::id> id_{};
};

// What `pawl stat` shows of a loop.
struct shown_counters {
    // none if the writer has no room for that many.
    [[nodiscard]] static std::optional<shown_counters> enter(writer& log);
    void show(const command_loop_statistics& now) const noexcept {
        submitted.set(now.submitted);
        decided.set(now.decided);
        acknowledged.set(now.acknowledged);
        refused_full.set(now.refused_full);
        queued.set(now.queued);
        durable.set(now.durable_commands);
        durable_ns.set(now.durable_ns);
        longest_durable_ns.set(now.longest_durable_ns);
    }

    counter submitted, decided, acknowledged, refused_full, queued, durable, durable_ns,
        longest_durable_ns;
};

std::optional<shown_counters> shown_counters::enter(writer& log) {
    const auto submitted = log.register_counter("commands_submitted", counter_kind::total);
    const auto decided = log.register_counter("commands_decided", counter_kind::total);
    const auto acknowledged = log.register_counter("commands_acknowledged", counter_kind::total);
    const auto refused = log.register_counter("commands_refused_full", counter_kind::total);
    const auto queued = log.register_counter("commands_queued", counter_kind::gauge);
    const auto durable = log.register_counter("commands_durable", counter_kind::total);
    const auto durable_ns = log.register_counter("commands_durable_ns", counter_kind::total);
    const auto longest = log.register_counter("commands_longest_durable_ns", counter_kind::gauge);
    if (!submitted || !decided || !acknowledged || !refused || !queued || !durable || !durable_ns ||
        !longest)
        return std::nullopt;
    return shown_counters{.submitted = *submitted,
                          .decided = *decided,
                          .acknowledged = *acknowledged,
                          .refused_full = *refused,
                          .queued = *queued,
                          .durable = *durable,
                          .durable_ns = *durable_ns,
                          .longest_durable_ns = *longest};
}

}  // namespace

struct command_pipe::machinery {
    machinery(writer& to, const command_loop_options& chosen)
        : log{&to},
          options{chosen},
          shown{shown_counters::enter(to)},
          waiting{chosen.capacity + 1},
          decided{chosen.capacity} {}

    [[nodiscard]] result<void> start_threads();
    [[nodiscard]] result<void> take_room() noexcept;
    void release(std::uint32_t commands) noexcept;
    [[nodiscard]] bool on_own_thread() const noexcept {
        return deciding.is_current() || acknowledging.is_current();
    }

    microseconds decide_step() noexcept;
    void decide_one(pending_command& command) noexcept;
    microseconds acknowledge_step() noexcept;
    void acknowledge_one(std::unique_ptr<pending_command> command) noexcept;
    [[nodiscard]] command_loop_statistics statistics() const noexcept;
    void show() const noexcept {
        if (shown)
            shown->show(statistics());
    }
    void show_now_and_then() noexcept;

    writer* log;
    command_loop_options options;
    std::optional<shown_counters> shown;
    steady_clock::time_point shown_at{};
    // Both queues allocate only in their constructors.
    boost::lockfree::queue<pending_command*, boost::lockfree::fixed_sized<true>> waiting;
    boost::lockfree::spsc_queue<pending_command*> decided;

    // Changed with every command, by the submitting threads and one of the loop's own. Groups that
    // different threads write are on cache lines of their own.
    alignas(cache_line) std::atomic<std::uint32_t> queued{0};  // not decided yet
    std::atomic<std::uint64_t> submitted{0};
    // Between submit and the end of acknowledge.
    alignas(cache_line) std::atomic<std::uint32_t> unacknowledged{0};
    // Read with every command, and seldom changed.
    alignas(cache_line) std::atomic<bool> accepting{true};
    std::atomic<bool> refusing{false};
    std::atomic<std::uint32_t> to_shed{0};
    std::atomic<std::uint64_t> found_full{0};
    std::atomic<std::uint64_t> refused_full{0};
    // Written by the deciding thread alone, and by the acknowledging one.
    alignas(cache_line) tally decided_count;
    tally most_queued, deciding_ns;
    alignas(cache_line) tally acknowledged;
    tally durable_waits, durable_commands, durable_ns, longest_durable_ns;

    alignas(cache_line) worker deciding;
    alignas(cache_line) worker acknowledging;
};

result<void> command_pipe::machinery::start_threads() {
    const auto setup = [&](std::string_view suffix, auto step) {
        return background_setup{.name = (options.threads.name + std::string{suffix}).substr(0, 15),
                                .cores = options.threads.cores,
                                .step = std::move(step)};
    };
    if (auto done = acknowledging.start(setup("-ack", [this] { return acknowledge_step(); }));
        !done)
        return done;
    return deciding.start(setup("-decide", [this] { return decide_step(); }));
}

// Reserves a place in the queue; if it is full, behaves as options.full selects.
result<void> command_pipe::machinery::take_room() noexcept {
    bool found_it_full = false;
    for (std::uint32_t now = queued.load();;) {
        if (now < options.capacity) {
            if (queued.compare_exchange_weak(now, now + 1))
                return {};
            continue;
        }
        if (!accepting.load())
            return std::unexpected(error{.code = errc::closed});
        const bool first_look = !std::exchange(found_it_full, true);
        // A callback must not wait: only the thread that it runs on frees places in the queue.
        if (options.full == when_queue_full::fail || on_own_thread()) {
            found_full.fetch_add(1, std::memory_order_relaxed);
            refused_full.fetch_add(1, std::memory_order_relaxed);
            return std::unexpected(error{.code = errc::back_pressure});
        }
        if (first_look) {
            if (options.full == when_queue_full::shed)
                to_shed.fetch_add(1);
            found_full.fetch_add(1);
        }
        std::this_thread::sleep_for(microseconds{20});
        now = queued.load();
    }
}

void command_pipe::machinery::release(std::uint32_t commands) noexcept {
    if (unacknowledged.fetch_sub(commands) == commands)
        unacknowledged.notify_all();
}

void command_pipe::machinery::decide_one(pending_command& command) noexcept {
    std::uint32_t shed = to_shed.load(std::memory_order_relaxed);
    while (shed != 0 && !to_shed.compare_exchange_weak(shed, shed - 1)) {
    }
    if (refusing.load(std::memory_order_relaxed)) {
        command.fail({.code = errc::closed});
    } else if (shed != 0) {
        refused_full.fetch_add(1, std::memory_order_relaxed);
        command.fail({.code = errc::back_pressure});
    } else {
        command.decide();
    }
    decided_count.add(1);
}

microseconds command_pipe::machinery::decide_step() noexcept {
    constexpr std::uint32_t between_clocks = 1024;
    deciding.note_thread();
    pending_command* command = nullptr;
    do {
        auto run_began = steady_ns();
        for (std::uint32_t run = 1; waiting.pop(command); ++run) {
            most_queued.raise_to(queued.fetch_sub(1));
            decide_one(*command);
            // `decided` holds as many as may be unacknowledged, except for commands whose place has
            // just been freed.
            while (!decided.push(command)) {
                acknowledging.wake_if_asleep();
                std::this_thread::yield();
            }
            if (run % between_clocks == 0) {
                const auto now = steady_ns();
                deciding_ns.add(now - std::exchange(run_began, now));
            }
        }
        deciding_ns.add(steady_ns() - run_began);
        // No command is queued, so a system call delays none.
        acknowledging.wake_if_asleep();
    } while (
        deciding.look_for(microseconds{options.spin_us}, [this] { return queued.load() != 0; }));
    return until_woken;
}

void command_pipe::machinery::acknowledge_one(std::unique_ptr<pending_command> command) noexcept {
    if (const auto sequence = command->awaits()) {
        bool kept = true;
        if (log->durable() <= *sequence) {
            durable_waits.add(1);
            if (auto synced = log->wait_durable(*sequence); !synced) {
                kept = false;
                command->fail(std::move(synced.error()));
            }
        }
        if (kept) {
            const std::uint64_t took = steady_ns() - command->submitted_ns;
            durable_commands.add(1);
            durable_ns.add(took);
            longest_durable_ns.raise_to(took);
        }
    }
    command->acknowledge();
    acknowledged.add(1);
}

// Twice as often as the writer copies the counters.
void command_pipe::machinery::show_now_and_then() noexcept {
    constexpr std::chrono::milliseconds pause{50};
    const auto now = steady_clock::now();
    if (now - shown_at < pause)
        return;
    shown_at = now;
    show();
}

microseconds command_pipe::machinery::acknowledge_step() noexcept {
    // The deciding thread does not wake this one while it is busy, so check again soon.
    constexpr microseconds soon{50};
    acknowledging.note_thread();
    do {
        pending_command* command = nullptr;
        std::uint32_t done = 0;
        for (; decided.pop(command); ++done)
            acknowledge_one(std::unique_ptr<pending_command>{command});
        if (done != 0)
            release(done);
        show_now_and_then();
    } while (acknowledging.look_for(microseconds{options.spin_us},
                                    [this] { return decided.read_available() != 0; }));
    show();
    return unacknowledged.load() == 0 ? until_woken : soon;
}

result<std::unique_ptr<command_pipe>> command_pipe::start(writer& log,
                                                          const command_loop_options& options) {
    if (options.capacity == 0 || options.capacity > largest_capacity)
        return std::unexpected(
            error{.code = errc::invalid_argument,
                  .size = options.capacity,
                  .limit = largest_capacity,
                  .reason = "command_loop_options::capacity is not from 1 to 32,768"});
    return guarded([&]() -> result<std::unique_ptr<command_pipe>> {
        auto made = std::make_unique<machinery>(log, options);
        std::unique_ptr<command_pipe> pipe{new command_pipe{std::move(made)}};
        if (auto started = pipe->machinery_->start_threads(); !started)
            return std::unexpected(std::move(started.error()));
        return pipe;
    });
}

command_pipe::command_pipe(std::unique_ptr<machinery> made) noexcept
    : machinery_{std::move(made)} {}

command_pipe::~command_pipe() {
    (void)stop(when_stopped::drain);
}

result<void> command_pipe::submit(std::unique_ptr<pending_command> command) {
    machinery& m = *machinery_;
    // Counted before `accepting` is read: stop() clears that first and then waits for the count, so
    // it either waits for this command or this call sees that the loop has stopped.
    m.unacknowledged.fetch_add(1);
    auto room = m.accepting.load() ? m.take_room()
                                   : result<void>{std::unexpect, error{.code = errc::closed}};
    if (!room) {
        m.release(1);
        return room;
    }
    if (command->is_timed)
        command->submitted_ns = steady_ns();
    m.submitted.fetch_add(1, std::memory_order_relaxed);
    pending_command* const node = command.release();
    while (!m.waiting.bounded_push(node))
        std::this_thread::yield();  // another thread briefly holds the last free node
    m.deciding.wake_if_asleep();
    return {};
}

result<void> command_pipe::stop(when_stopped queued) {
    machinery& m = *machinery_;
    if (m.on_own_thread())
        return std::unexpected(error{.code = errc::busy});
    if (queued == when_stopped::refuse)
        m.refusing.store(true);
    const bool was_running = m.accepting.exchange(false);
    m.deciding.wake_if_asleep();
    for (auto left = m.unacknowledged.load(); left != 0; left = m.unacknowledged.load())
        m.unacknowledged.wait(left);
    m.deciding.stop();
    m.acknowledging.stop();
    if (was_running)
        m.show();
    return {};
}

command_loop_statistics command_pipe::statistics() const noexcept {
    return machinery_->statistics();
}

command_loop_statistics command_pipe::machinery::statistics() const noexcept {
    return {.submitted = submitted.load(std::memory_order_relaxed),
            .decided = decided_count.value(),
            .acknowledged = acknowledged.value(),
            .found_full = found_full.load(),
            .refused_full = refused_full.load(std::memory_order_relaxed),
            .queued = queued.load(std::memory_order_relaxed),
            .most_queued = most_queued.value(),
            .deciding_ns = deciding_ns.value(),
            .durable_waits = durable_waits.value(),
            .durable_commands = durable_commands.value(),
            .durable_ns = durable_ns.value(),
            .longest_durable_ns = longest_durable_ns.value()};
}

}  // namespace pawl::detail
