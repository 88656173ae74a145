#include "scheduler.hpp"

#include "simulator/controlled_process.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace pawl::test {

namespace {

scheduler* the_scheduler = nullptr;

constexpr std::size_t stack_bytes = std::size_t{512} << 10;
constexpr std::size_t most_threads = 16;

// The stacks are reused by the next schedule. Execution never returns to frames that a stopped
// schedule leaves on them.
[[nodiscard]] std::byte* stack_of(std::size_t index) {
    static std::array<std::byte*, most_threads> stacks{};
    if (index >= stacks.size()) {
        std::fputs("a schedule has more threads than there are stacks\n", stderr);
        std::abort();
    }
    if (stacks[index] == nullptr)
        stacks[index] = new std::byte[stack_bytes];
    return stacks[index];
}

constexpr std::uint64_t nanoseconds_a_millisecond = 1'000'000;
// A shorter sleep may end at any time, as if the other threads were slow.
constexpr std::uint64_t short_sleep_ns = 60 * nanoseconds_a_millisecond;
// Nothing for which a test waits takes this long.
constexpr std::uint64_t longest_sleep_ns = 60'000 * nanoseconds_a_millisecond;
constexpr std::uint64_t most_steps = 2'000'000;
constexpr std::uint64_t most_points_without_wait = 3000;

}  // namespace

scheduler::scheduler(std::uint64_t seed, std::function<void()> moment)
    : random_{seed}, moment_{std::move(moment)} {
    constexpr std::array<std::uint64_t, 3> lengths{500, 3'000, 12'000};
    constexpr std::array<std::uint64_t, 3> rates{4, 16, 64};
    constexpr std::array<std::uint64_t, 4> sleeps{0, 2'000, 200, 40};
    const std::uint64_t length = lengths[below(lengths.size())];
    if (below(3) == 0)
        switch_one_in_ = rates[below(rates.size())];
    for (std::uint64_t i = below(6); i != 0; --i)
        changes_.push_back(below(length));
    std::ranges::sort(changes_, std::ranges::greater{});  // the next one last
    end_sleep_one_in_ = sleeps[below(sleeps.size())];
    next_moment_ = 1 + below(length);
}

scheduler::~scheduler() {
    the_scheduler = nullptr;
    // The stack of a stopped thread still refers to what its body captured.
    if (!fault_.empty()) {
        for (auto& thread : threads_)
            (void)thread.release();
    }
}

scheduler* scheduler::inside() noexcept {
    return the_scheduler != nullptr && the_scheduler->current_ != nullptr ? the_scheduler : nullptr;
}

void scheduler::enter() {
    scheduled_thread& thread = *the_scheduler->current_;
    thread.body();
    thread.now = scheduled_thread::state::ended;
    the_scheduler->wake(&thread);
    the_scheduler->leave_current();
}

scheduled_thread& scheduler::start(std::function<void()> body) {
    auto made = std::make_unique<scheduled_thread>();
    made->body = std::move(body);
    made->priority = 1 + static_cast<std::int64_t>(below(1'000'000));
    made->stack = threads_.size();
    ::getcontext(&made->context);
    made->context.uc_stack.ss_sp = stack_of(made->stack);
    made->context.uc_stack.ss_size = stack_bytes;
    made->context.uc_link = nullptr;
    ::makecontext(&made->context, &scheduler::enter, 0);
    threads_.push_back(std::move(made));
    return *threads_.back();
}

void scheduler::run(std::function<void()> body) {
    the_scheduler = this;
    (void)start(std::move(body));
    while (fault_.empty() && !all_ended()) {
        if (steps_ >= next_moment_) {
            next_moment_ = UINT64_MAX;
            moment_();
            continue;
        }
        scheduled_thread* next = choose();
        if (next == nullptr)
            return stop("every thread waits, and nothing will wake one");
        resume(*next);
    }
}

void scheduler::stop(std::string why) {
    if (fault_.empty())
        fault_ = std::move(why);
    if (current_ != nullptr)
        leave_current();
}

void scheduler::resume(scheduled_thread& thread) {
    ++switches_;
    current_ = &thread;
    errno = thread.error_number;
    ::swapcontext(&home_, &thread.context);
}

void scheduler::leave_current() {
    scheduled_thread& thread = *std::exchange(current_, nullptr);
    thread.error_number = errno;
    ::swapcontext(&thread.context, &home_);
}

void scheduler::point() {
    scheduled_thread& thread = *current_;
    ++steps_;
    if (thread.unheld_for != 0)
        return;
    if (steps_ > most_steps)
        return stop("the threads make no progress: two million steps without an end");
    if (!changes_.empty() && steps_ >= changes_.back()) {
        changes_.pop_back();
        lower(thread);
    }
    // It may be spinning until a thread that sleeps makes progress.
    if (++thread.since_wait > most_points_without_wait) {
        thread.since_wait = 0;
        lower(thread);
        (void)next_sleeper();
    }
    if (end_sleep_one_in_ != 0 && below(end_sleep_one_in_) == 0)
        end_some_sleep();
    if (steps_ >= next_moment_ || choose() != &thread)
        leave_current();
}

void scheduler::give_way() {
    lower(*current_);
    current_->since_wait = 0;
    point();
}

bool scheduler::wait_on(const void* what, std::uint64_t deadline_ns) {
    scheduled_thread& thread = *current_;
    ++steps_;
    thread.now = scheduled_thread::state::waits;
    thread.waits_for = what;
    thread.deadline_ns = deadline_ns;
    thread.timed_out = false;
    thread.since_wait = 0;
    leave_current();
    return !thread.timed_out;
}

void scheduler::wake(const void* what) {
    for (auto& thread : threads_) {
        if (thread->now == scheduled_thread::state::waits && thread->waits_for == what)
            thread->now = scheduled_thread::state::runs;
    }
}

void scheduler::hasten_moment(std::uint64_t within) {
    if (next_moment_ > steps_ + within)
        next_moment_ = steps_ + below(within);
}

bool scheduler::all_ended() const noexcept {
    return std::ranges::all_of(
        threads_, [](const auto& thread) { return thread->now == scheduled_thread::state::ended; });
}

scheduled_thread* scheduler::highest() {
    scheduled_thread* found = nullptr;
    for (auto& thread : threads_) {
        if (thread->now == scheduled_thread::state::runs &&
            (found == nullptr || thread->priority > found->priority))
            found = thread.get();
    }
    return found;
}

scheduled_thread* scheduler::at_random() {
    if (current_ != nullptr && below(switch_one_in_) != 0)
        return current_;
    std::array<scheduled_thread*, most_threads> able{};
    std::size_t count = 0;
    for (auto& thread : threads_) {
        if (thread->now == scheduled_thread::state::runs)
            able[count++] = thread.get();
    }
    return count == 0 ? nullptr : able[below(count)];
}

scheduled_thread* scheduler::choose() {
    end_past_sleeps();
    scheduled_thread* next = switch_one_in_ == 0 ? highest() : at_random();
    return next != nullptr ? next : next_sleeper();
}

void scheduler::time_out(scheduled_thread& thread) noexcept {
    controlled_process::advance_to_ns(thread.deadline_ns);
    thread.now = scheduled_thread::state::runs;
    thread.timed_out = true;
}

void scheduler::end_past_sleeps() {
    const std::uint64_t now = controlled_process::now_ns();
    for (auto& thread : threads_) {
        if (thread->now == scheduled_thread::state::waits && thread->deadline_ns != 0 &&
            thread->deadline_ns <= now)
            time_out(*thread);
    }
}

// Advances the time until the first sleep ends.
scheduled_thread* scheduler::next_sleeper() {
    scheduled_thread* first = nullptr;
    for (auto& thread : threads_) {
        if (thread->now == scheduled_thread::state::waits && thread->deadline_ns != 0 &&
            (first == nullptr || thread->deadline_ns < first->deadline_ns))
            first = thread.get();
    }
    if (first == nullptr || first->deadline_ns > controlled_process::now_ns() + longest_sleep_ns)
        return nullptr;
    time_out(*first);
    return first;
}

void scheduler::end_some_sleep() {
    const std::uint64_t limit = controlled_process::now_ns() + short_sleep_ns;
    scheduled_thread& thread = *threads_[below(threads_.size())];
    if (thread.now == scheduled_thread::state::waits && thread.deadline_ns != 0 &&
        thread.deadline_ns <= limit)
        time_out(thread);
}

}  // namespace pawl::test
