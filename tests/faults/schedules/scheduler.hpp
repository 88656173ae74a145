// Runs the threads of a test one at a time, in an order that follows from a seed.
//
// A thread is held up only at a point: an access to an atomic, a mutex, a condition variable, a
// futex, or a system call of the journal. At each point, one of the threads that can run continues.
// Probabilistic concurrency testing decides which one (Burckhardt, Kothari, Musuvathi, Nagarakatti,
// "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010): each thread
// has a random priority, the highest runs, and at a few random points the running thread's drops
// below all others. A bug that needs d such orderings among n threads and k points is found with a
// probability of at least 1/(n * k^(d-1)) in each schedule. Every third schedule switches at random
// instead.
//
// It produces only orders in which accesses take effect one after another; weaker ones are left to
// ThreadSanitizer and to the model of the commit protocol.
#pragma once

#include <ucontext.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace pawl::test {

// A thread of the test: it has its own stack, and runs on the one thread of the process.
struct scheduled_thread {
    enum class state : std::uint8_t { runs, waits, ended };

    std::function<void()> body;
    ucontext_t context{};
    state now = state::runs;
    const void* waits_for = nullptr;
    std::uint64_t deadline_ns = 0;  // 0: waits without a limit
    bool timed_out = false;
    std::int64_t priority = 0;
    int error_number = 0;          // errno belongs to the thread
    std::uint64_t since_wait = 0;  // points since it last waited
    std::uint64_t unheld_for = 0;  // locks that keep it from being held up
    std::size_t stack = 0;
};

class scheduler {
  public:
    // `moment` is called between two steps, on the stack of the process, when a moment is due.
    scheduler(std::uint64_t seed, std::function<void()> moment);
    ~scheduler();
    scheduler(const scheduler&) = delete;
    scheduler& operator=(const scheduler&) = delete;

    // Runs `body` as the first thread, and the threads that it starts, until all have ended, or
    // until stop(): the threads then stay where they are for good.
    void run(std::function<void()> body);
    void stop(std::string why);
    [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

    // The scheduler that runs the calling thread; null outside a schedule.
    [[nodiscard]] static scheduler* inside() noexcept;

    // Called by a thread: another one may run here.
    void point();
    // Waits for wake() of the same address, or until the given time; false if that came first.
    bool wait_on(const void* what, std::uint64_t deadline_ns);
    void wake(const void* what);
    [[nodiscard]] scheduled_thread& start(std::function<void()> body);
    [[nodiscard]] scheduled_thread& current() noexcept { return *current_; }
    // Lets the other threads run first: the caller is spinning.
    void give_way();

    // Makes a moment come within the next few steps.
    void hasten_moment(std::uint64_t within);
    [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
    [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }
    [[nodiscard]] std::uint64_t switches() const noexcept { return switches_; }

  private:
    static void enter();
    void leave_current();
    void resume(scheduled_thread& thread);
    [[nodiscard]] scheduled_thread* choose();
    [[nodiscard]] scheduled_thread* highest();
    [[nodiscard]] scheduled_thread* at_random();
    [[nodiscard]] scheduled_thread* next_sleeper();
    void end_past_sleeps();
    void end_some_sleep();
    static void time_out(scheduled_thread& thread) noexcept;
    [[nodiscard]] bool all_ended() const noexcept;
    void lower(scheduled_thread& thread) noexcept { thread.priority = --lowest_; }

    std::mt19937_64 random_;
    std::function<void()> moment_;
    std::vector<std::unique_ptr<scheduled_thread>> threads_;
    scheduled_thread* current_ = nullptr;
    ucontext_t home_{};
    std::string fault_;
    std::uint64_t steps_ = 0;
    std::uint64_t switches_ = 0;
    std::uint64_t next_moment_ = 0;
    std::int64_t lowest_ = 0;
    std::vector<std::uint64_t> changes_;  // steps at which the running thread is lowered, ascending
    std::uint64_t switch_one_in_ = 0;     // 0: by priority
    std::uint64_t end_sleep_one_in_ = 0;  // 0: sleeps end when nothing else can run
};

}  // namespace pawl::test
