// Row 6: every failing system call and allocation is handled. One run (open or recover, append over
// rollovers, sync, close) is repeated, and each time another of its calls fails, once or from then
// on. Whatever happens, nothing is acknowledged as durable after a failed sync, and afterwards
// everything that was published is there.
#include "os/io_hook.hpp"
#include "support/allocation_hook.hpp"
#include "support/failure_text.hpp"
#include "support/generated_log.hpp"
#include "support/row_program.hpp"
#include "support/sound_journal.hpp"
#include "support/workers.hpp"

#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/writer.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <new>
#include <string>

using namespace pawl;
using namespace pawl::test;

namespace {

constexpr std::array errnos{EIO, ENOSPC, EDQUOT, EINTR, EACCES, EMFILE, ENOMEM, EROFS};
constexpr generated_log::sizes large_events{.usual = 1500, .largest = 20'000};
// About three rollovers.
constexpr int units_a_run = 70;

// One trial: which call fails, and how.
struct trial {
    bool allocation = false;
    bool crashed_before = false;  // the run begins with a recovery
    bool for_good = false;
    std::uint64_t number = 0;
    int with = EIO;

    [[nodiscard]] std::string name() const {
        return fmt::format("{} {} of a run {} fails {}{}", allocation ? "allocation" : "call",
                           number, crashed_before ? "with a recovery" : "on a new journal",
                           for_good ? "for good" : "once",
                           allocation ? std::string{} : fmt::format(" with errno {}", with));
    }
    [[nodiscard]] std::string repeat() const {
        return fmt::format("--allocation {} --crashed {} --for-good {} --number {} --errno {}",
                           int{allocation}, int{crashed_before}, int{for_good}, number + 1, with);
    }
};

// What a trial's process reports, on a page that outlives it.
struct told {
    std::uint64_t calls = 0;
    std::uint64_t allocations = 0;
    bool refused = false;
    bool sync_refused = false;
    sequence_number published = 0;
    sequence_number durable = 0;
    char why[400]{};
};

struct failing_call {
    const trial* plan = nullptr;
    told* out = nullptr;
    bool armed = false;
};

int fail_call(void* context, const detail::io_event& event) {
    auto& state = *static_cast<failing_call*>(context);
    if (!state.armed)
        return 0;
    const std::uint64_t number = state.out->calls++;
    const trial& plan = *state.plan;
    if (plan.allocation || number < plan.number || (number > plan.number && !plan.for_good))
        return 0;
    state.out->refused = true;
    // The sync of a file that is not yet part of the journal may fail: the file is dropped.
    const bool counts = event.operation == detail::io_operation::sync_range ||
                        event.operation == detail::io_operation::sync_directory;
    state.out->sync_refused = state.out->sync_refused || counts;
    return plan.with;
}

[[nodiscard]] writer_options usual_options() {
    writer_options options;
    options.segment_bytes = std::uint64_t{64} << 10;
    options.sync = sync_policy::manual();
    options.background_threads = false;
    options.full = when_full::fail;
    options.scrub_bytes_per_second = 0;
    options.expected_streams = 64;
    return options;
}

class one_run {
  public:
    one_run(std::filesystem::path directory, std::uint64_t log_seed, const trial& plan, told& out)
        : directory_{std::move(directory)},
          source_{log_seed, large_events},
          plan_{plan},
          out_{out} {}

    // Appends and syncs while the chosen call fails.
    void run() {
        detail::set_io_hook(fail_call, &hook_);
        if (plan_.crashed_before)
            leave_crashed();
        hook_.armed = true;
        if (plan_.allocation) {
            this_thread_allocates.count = 0;
            this_thread_allocates.counting = true;
            failing_allocations.countdown = static_cast<std::int64_t>(plan_.number);
            failing_allocations.for_good = plan_.for_good;
            failing_allocations.armed = plan_.number != none;
        }
        work();
        failing_allocations.armed = false;
        hook_.armed = false;
        out_.allocations = this_thread_allocates.count;
        out_.refused = out_.refused || failing_allocations.refused != 0;
    }

    static constexpr std::uint64_t none = ~std::uint64_t{0} >> 1;

  private:
    void leave_crashed() {
        auto log = writer::open(directory_, usual_options());
        if (!log)
            return wrong("before: " + log.error().message());
        append_some(*log, units_a_run);
    }

    void work() {
        auto log = writer::open(directory_, usual_options());
        if (!log)
            return;
        out_.durable = std::max(out_.durable, log->durable());
        append_some(*log, units_a_run);
        auto closed = log->close();
        if (closed && out_.sync_refused)
            wrong("close succeeds after a failed sync");
    }

    void append_some(writer& log, int units) {
        for (int i = 0; i < units; ++i) {
            if (!append_one(log))
                i += 5;
            (void)log.poll();
            if (i % 16 == 15)
                sync(log);
        }
    }

    // The test itself allocates to build the events, and those allocations fail as well.
    [[nodiscard]] bool append_one(writer& log) {
        try {
            auto placed = source_.append_unit(log);
            if (placed)
                out_.published = placed->sequence + 1;
            return placed.has_value();
        } catch (const std::bad_alloc&) {
            return false;
        }
    }

    void sync(writer& log) {
        const bool failed_before = out_.sync_refused;
        const sequence_number durable_before = log.durable();
        auto synced = log.sync();
        if (synced && failed_before)
            wrong("sync() succeeds after a failed sync");
        if (log.durable() != durable_before && out_.sync_refused)
            wrong("the durable watermark moves with a failed sync");
        if (synced)
            out_.durable = std::max(out_.durable, *synced);
    }

    void wrong(const std::string& what) {
        if (out_.why[0] == '\0')
            std::snprintf(out_.why, sizeof out_.why, "%s", what.c_str());
    }

    std::filesystem::path directory_;
    generated_log source_;
    trial plan_;
    told& out_;
    failing_call hook_{&plan_, &out_, false};
};

// Once nothing fails any more, everything that must be there is there, and the journal can be
// written to.
[[nodiscard]] std::string aftermath(const std::filesystem::path& directory, std::uint64_t log_seed,
                                    const told& out) {
    {
        auto log = writer::open(directory, usual_options());
        if (!log)
            return "open afterwards: " + log.error().message();
        generated_log source{log_seed, large_events};
        if (auto placed = source.append_unit(*log); !placed)
            return "append afterwards: " + failure_text(*log, placed.error());
        if (auto closed = log->close(); !closed)
            return "close afterwards: " + failure_text(*log, closed.error());
    }
    generated_log_check check{generated_log{log_seed, large_events}};
    if (auto wrong = fault_of_journal(directory, check, {.deep = true}); !wrong.empty())
        return "afterwards " + wrong;
    if (check.next_sequence() < out.published || check.next_sequence() < out.durable)
        return fmt::format("{} events are there, but {} were published, {} of them durable",
                           check.next_sequence(), out.published, out.durable);
    return {};
}

class trials {
  public:
    // One of `workers` that share the trials: does every index-th.
    trials(row_program& program, told& shared, unsigned index, unsigned workers)
        : program_{program}, told_{shared}, index_{index}, workers_{workers} {}

    // What is wrong; empty if nothing is.
    [[nodiscard]] std::string run(const trial& plan) {
        const auto directory = program_.directory() / fmt::format("journal-{}", index_);
        std::error_code code;
        std::filesystem::remove_all(directory, code);
        const std::uint64_t log_seed = draw(program_.seed(), 1);
        told_ = {};
        const ::pid_t child = ::fork();
        if (child == 0) {
            one_run{directory, log_seed, plan, told_}.run();
            ::_exit(0);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        if (status != 0)
            return fmt::format("the process died: status {:x}", status);
        if (told_.why[0] != '\0')
            return told_.why;
        return aftermath(directory, log_seed, told_);
    }

    // Counts a run in which nothing fails.
    [[nodiscard]] told rehearse(bool allocation, bool crashed) {
        const trial plan{
            .allocation = allocation, .crashed_before = crashed, .number = one_run::none};
        if (auto wrong = run(plan); !wrong.empty())
            program_.failure("", "without any failure: " + wrong);
        return told_;
    }

    void one(const trial& plan) {
        if (next_++ % workers_ != index_)
            return;
        const std::string wrong = run(plan);
        program_.count();
        reached_ += told_.refused ? 1U : 0U;
        if (!wrong.empty())
            program_.failure(plan.repeat(), plan.name() + ": " + wrong);
    }

    void all_calls(bool crashed, std::uint64_t step, std::uint64_t others_at) {
        const std::uint64_t calls = rehearse(false, crashed).calls;
        for (std::uint64_t number = draw(program_.seed(), 2) % step; number < calls;
             number += step) {
            for (std::size_t i = 0; i < errnos.size(); ++i) {
                const int with = errnos[i];
                // At every call, the two whose consequences differ; at some calls, the others.
                if (i >= 2 && number % others_at != 0)
                    continue;
                for (const bool for_good : {false, true}) {
                    one({.crashed_before = crashed,
                         .for_good = for_good,
                         .number = number,
                         .with = with});
                }
            }
        }
    }

    void all_allocations(bool crashed, std::uint64_t step) {
        const std::uint64_t allocations = rehearse(true, crashed).allocations;
        for (std::uint64_t number = draw(program_.seed(), 3) % step; number < allocations;
             number += step) {
            for (const bool for_good : {false, true})
                one({.allocation = true,
                     .crashed_before = crashed,
                     .for_good = for_good,
                     .number = number});
        }
    }

    [[nodiscard]] std::uint64_t reached() const noexcept { return reached_; }

  private:
    row_program& program_;
    told& told_;
    unsigned index_;
    unsigned workers_;
    std::uint64_t next_ = 0;
    std::uint64_t reached_ = 0;
};

// Runs trials in all workers, and returns in how many the call was reached.
template <class Trials>
[[nodiscard]] std::uint64_t in_parallel(row_program& program, Trials&& go) {
    const auto sums = divide_among_workers(program, usual_workers(), [&](unsigned index) {
        auto* const page = shared_with_children<told>(program);
        if (page == nullptr)
            return worker_sums{};
        trials mine{program, *page, index, usual_workers()};
        go(mine);
        return worker_sums{mine.reached()};
    });
    return sums.front();
}

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 6, .name = "system_calls", .counted = "failures"}, argc, argv};
    const bool quick = program.mode() == row_mode::quick;
    const bool whole = program.mode() == row_mode::full;
    const std::uint64_t number = program.option("--number", 0);
    const trial given{.allocation = program.option("--allocation", 0) != 0,
                      .crashed_before = program.option("--crashed", 0) != 0,
                      .for_good = program.option("--for-good", 0) != 0,
                      .number = number - 1,
                      .with = static_cast<int>(program.option("--errno", EIO))};
    if (number != 0) {
        program.target({1, 1, 1});
        (void)in_parallel(program, [&](trials& all) { all.one(given); });
        return program.finish();
    }
    // Runs only the second part, if requested.
    if (program.option("--only-allocations", 0) == 0) {
        program.target({.quick = 150, .ci = 3000, .full = 7000});
        const auto reached = in_parallel(program, [&](trials& all) {
            for (const bool crashed : {false, true})
                all.all_calls(crashed, quick ? 37 : 1, quick || whole ? 1 : 4);
        });
        program.detail(fmt::format("the call was reached in {} of them", reached));
    }
    program.next_part({.row = 6, .name = "allocations", .counted = "failures"});
    program.target({.quick = 12, .ci = 4000, .full = 4000});
    if (PAWL_ALLOCATION_HOOK) {
        const auto reached = in_parallel(program, [&](trials& all) {
            for (const bool crashed : {false, true})
                all.all_allocations(crashed, quick ? 211 : 1);
        });
        program.detail(fmt::format("the allocation was reached in {} of them", reached));
    } else {
        program.skip("a sanitizer has replaced malloc");
    }
    return program.finish();
}
