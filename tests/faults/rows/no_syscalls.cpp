// The appending thread makes no system call and no allocation, rollovers included: a seccomp filter
// on that thread turns every call into a signal that is counted, and a replaced malloc counts its
// calls.
#include "support/allocation_hook.hpp"
#include "support/failure_text.hpp"
#include "support/row_program.hpp"

#include <fmt/core.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <pawl/journal/tags.hpp>
#include <pawl/journal/writer.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

using namespace pawl;
using namespace pawl::test;

namespace {

std::atomic<std::uint64_t> system_calls{0};
std::atomic<int> last_system_call{-1};

void count_system_call(int, siginfo_t* info, void*) {
    system_calls.fetch_add(1, std::memory_order_relaxed);
    last_system_call.store(info->si_syscall, std::memory_order_relaxed);
}

// From here on, this thread gets SIGSYS for every system call except the return from that signal.
[[nodiscard]] bool forbid_system_calls() {
    struct sigaction action{};
    action.sa_sigaction = count_system_call;
    action.sa_flags = SA_SIGINFO;
    if (::sigaction(SIGSYS, &action, nullptr) != 0)
        return false;
    std::array<sock_filter, 4> program{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_rt_sigreturn, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    }};
    sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

struct tally {
    const char* what = "";
    std::uint64_t calls = 0;
    std::uint64_t system_calls = 0;
    std::uint64_t allocations = 0;
    int last_system_call = -1;
};

// Counts the system calls and allocations of `work`, which returns how many library calls it made.
template <class Work>
[[nodiscard]] tally watch(const char* what, Work&& work) {
    const std::uint64_t before = system_calls.load();
    this_thread_allocates.count = 0;
    this_thread_allocates.counting = true;
    const std::uint64_t calls = work();
    this_thread_allocates.counting = false;
    return {what, calls, system_calls.load() - before, this_thread_allocates.count,
            last_system_call.load()};
}

constexpr std::array<std::byte, 400> payload{};

// Makes every kind of call on the hot path, on a writer whose other threads keep working.
class appending {
  public:
    appending(writer& log, std::uint64_t rounds) : log_{log}, rounds_{rounds} {}

    // `seen` has spare capacity, because the counting itself must not allocate.
    void run(std::vector<tally>& seen) {
        seen.push_back(watch("append", [&] { return appends(); }));
        seen.push_back(watch("append with an expected version", [&] { return expecting(); }));
        seen.push_back(watch("append with tags", [&] { return tagged(); }));
        seen.push_back(watch("append with a condition on tags", [&] { return unless(); }));
        seen.push_back(watch("append to new streams", [&] { return new_streams(); }));
        seen.push_back(watch("reserve, commit and abandon", [&] { return reservations(); }));
        seen.push_back(watch("batch", [&] { return batches(); }));
        seen.push_back(watch("refused appends", [&] { return refusals(); }));
        seen.push_back(watch("asking", [&] { return questions(); }));
    }

    [[nodiscard]] bool failed() const noexcept { return failed_; }

  private:
    template <class T>
    bool fine(const result<T>& outcome) noexcept {
        failed_ = failed_ || !outcome;
        return outcome.has_value();
    }

    std::uint64_t appends() noexcept {
        for (std::uint64_t i = 0; i < rounds_; ++i)
            fine(log_.append({.type = 1}, {payload.data(), i % payload.size()}));
        return rounds_;
    }
    std::uint64_t expecting() noexcept {
        for (std::uint64_t i = 0; i < rounds_; ++i) {
            const stream_id stream = 1 + i % 100;
            fine(log_.append({.stream = stream, .expected = expect::exactly(log_.version(stream))},
                             {payload.data(), 60}));
        }
        return rounds_;
    }
    std::uint64_t tagged() noexcept {
        for (std::uint64_t i = 0; i < rounds_; ++i) {
            fine(log_.append({.stream = 1 + i % 7, .tags = tag_set{1 + i % 50, 100 + i % 3}},
                             {payload.data(), 60}));
        }
        return rounds_;
    }
    // Of one tag that is named again and again, since the event before, and of one that never is,
    // since the beginning.
    std::uint64_t unless() noexcept {
        const std::array<tag_id, 1> often{100};
        const std::array<tag_id, 1> never{99};
        const std::array<tag_query, 1> since_last{{{.tags = often}}};
        const std::array<tag_query, 1> ever{{{.tags = never}}};
        for (std::uint64_t i = 0; i < rounds_; ++i) {
            const unless_condition changed{.items = since_last, .after = log_.point()};
            const unless_condition unique{.items = ever, .after = {}};
            fine(log_.append({.tags = tag_set{100}, .unless = &changed}, {payload.data(), 60}));
            const auto late = log_.append({.tags = tag_set{100}, .unless = &changed}, {});
            failed_ = failed_ || late || late.error().code != errc::conflict;
            fine(log_.append({.stream = 1, .unless = &unique}, {payload.data(), 60}));
        }
        return rounds_ * 3;
    }
    std::uint64_t new_streams() noexcept {
        // The table of streams grows meanwhile; until a larger one is ready, calls return
        // back_pressure.
        for (std::uint64_t i = 0; i < rounds_; ++i) {
            for (;;) {
                const auto placed = log_.append(
                    {.stream = 1000 + i, .expected = expect::no_stream()}, {payload.data(), 8});
                if (placed || placed.error().code != errc::back_pressure) {
                    fine(placed);
                    break;
                }
            }
        }
        return rounds_;
    }
    std::uint64_t reservations() noexcept {
        for (std::uint64_t i = 0; i < rounds_; ++i) {
            auto space = log_.reserve({.type = 2, .stream = i % 5}, payload.size());
            if (!fine(space))
                break;
            std::memcpy(space->payload().data(), payload.data(), payload.size());
            if (i % 3 == 0) {
                space->abandon();
            } else {
                fine(space->commit(i % payload.size()));
            }
        }
        return rounds_ * 2;
    }
    std::uint64_t batches() noexcept {
        constexpr std::uint32_t events = 8;
        for (std::uint64_t i = 0; i < rounds_ / events; ++i) {
            auto together = log_.begin_batch(events, events * payload.size());
            if (!fine(together))
                break;
            for (std::uint32_t k = 0; k + 1 < events; ++k)
                fine(together->append({.type = 3, .stream = k}, {payload.data(), i % 100}));
            if (auto space = together->reserve({.type = 4}, 100); fine(space))
                fine(space->commit(i % 100));
            if (i % 5 == 0) {
                together->abandon();
            } else {
                fine(together->commit());
            }
        }
        return rounds_;
    }
    std::uint64_t refusals() noexcept {
        static constexpr std::array<std::byte, std::size_t{1} << 17> huge{};
        for (std::uint64_t i = 0; i < rounds_; ++i) {
            const auto late =
                log_.append({.stream = 1, .expected = expect::exactly(~std::uint64_t{0} - 5)}, {});
            const auto large = log_.append({}, huge);
            failed_ = failed_ || late || late.error().code != errc::conflict || large ||
                      large.error().code != errc::too_large;
        }
        return rounds_ * 2;
    }
    std::uint64_t questions() noexcept {
        std::uint64_t sum = 0;
        for (std::uint64_t i = 0; i < rounds_; ++i) {
            sum += log_.version(i % 200) + log_.next_sequence() + log_.published() + log_.durable();
            sum += log_.last_position(1 + i % 200).has_value() ? 1U : 0U;
            sum += log_.statistics().rollovers;
        }
        failed_ = failed_ || sum == 0;
        return rounds_ * 6;
    }

    writer& log_;
    std::uint64_t rounds_;
    bool failed_ = false;
};

struct outcome {
    std::atomic<bool> done{false};
    bool forbidden = false;
    bool failed = false;
    std::vector<tally> seen;
    tally control;
};

// Runs on the appending thread, which afterwards may not even end: it waits for the process to end.
void append_watched(writer& log, std::uint64_t rounds, outcome& out) {
    appending work{log, rounds};
    // This thread's first allocation would set up its part of the heap, with system calls.
    std::free(std::malloc(100));
    out.seen.reserve(16);
    out.forbidden = forbid_system_calls();
    if (out.forbidden) {
        work.run(out.seen);
        out.failed = work.failed();
        // Shows that the counters work: one of each on purpose.
        out.control = watch("control", [] {
            ::syscall(SYS_getppid);
            void* volatile memory = std::malloc(100);
            std::free(memory);
            return std::uint64_t{1};
        });
    }
    out.done.store(true, std::memory_order_release);
    // Any other wait would be a system call.
    while (out.done.load(std::memory_order_relaxed)) {
    }
}

void judge(row_program& program, const outcome& out, const char* clock, std::uint64_t rollovers) {
    if (out.failed)
        program.failure("", "an append that must succeed failed, or the reverse");
    for (const tally& one : out.seen) {
        program.count(one.calls);
        if (one.system_calls != 0 || one.allocations != 0) {
            program.failure("",
                            fmt::format("{} ({} clock): {} system calls (the last is number {}) "
                                        "and {} allocations in {} calls",
                                        one.what, clock, one.system_calls, one.last_system_call,
                                        one.allocations, one.calls));
        }
    }
    if (out.control.system_calls != 1 || out.control.allocations != 1)
        program.failure("", "the counters do not count");
    if (rollovers == 0)
        program.failure("", "the writer never rolled over");
    program.detail(fmt::format("including {} rollovers", rollovers));
}

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 0, .name = "no_syscalls", .counted = "calls"}, argc, argv};
    const std::uint64_t target =
        program.target({.quick = 100'000, .ci = 1'000'000, .full = 100'000'000});
    if (!PAWL_ALLOCATION_HOOK) {
        program.skip("a sanitizer has replaced malloc");
        return program.finish();
    }
    // About nineteen calls per round.
    const std::uint64_t rounds = target / 18 + 64;
    writer_options options;
    options.segment_bytes = std::uint64_t{64} << 10;
    options.sync = sync_policy::every_us(500);
    options.clock =
        program.option("--callers-clock", 0) != 0 ? clock_source::caller : clock_source::tsc;
    auto log = writer::open(program.directory() / "journal", options);
    if (!log) {
        program.failure("", log.error().message());
        return program.finish();
    }
    outcome out;
    std::thread appender{[&] { append_watched(*log, rounds, out); }};
    while (!out.done.load(std::memory_order_acquire))
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    if (!out.forbidden) {
        program.skip("seccomp filters are not available");
    } else {
        judge(program, out, options.clock == clock_source::tsc ? "tsc" : "caller's",
              log->statistics().rollovers);
    }
    // Its threads create segments, so they must end before the directory is removed.
    if (const auto closed = log->close(); !closed)
        program.failure("", "close: " + failure_text(*log, closed.error()));
    const int status = program.finish();
    // The appending thread can no longer end by itself, so end the whole process.
    std::error_code ignored;
    std::filesystem::remove_all(program.directory(), ignored);
    ::_exit(status);
}
