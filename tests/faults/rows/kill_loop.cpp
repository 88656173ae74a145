// Row 3: the death of the process is harmless. A child appends as fast as it can and records in
// shared memory what was acknowledged; it is killed at a random moment, even while it opens or
// recovers; then everything acknowledged must be there.
#include "support/failure_text.hpp"
#include "support/generated_log.hpp"
#include "support/row_program.hpp"
#include "support/sound_journal.hpp"
#include "support/workers.hpp"

#include <fmt/core.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <string>

using namespace pawl;
using namespace pawl::test;
using std::chrono::microseconds;
using std::chrono::steady_clock;

namespace {

// What was acknowledged to the child, on a page that outlives it.
struct acknowledged {
    std::atomic<std::uint64_t> published{0};
    std::atomic<std::uint64_t> durable{0};
    std::atomic<std::uint64_t> rollovers{0};
    std::atomic<bool> opened{false};
    std::atomic<bool> failed{false};
    char why[500]{};
};

struct life_plan {
    std::uint64_t seed = 0;
    sync_policy sync{};
    std::uint64_t sync_every = 0;    // units between calls of sync(); 0: none
    bool from_start = false;         // the delay counts from the fork, not from the opened writer
    bool on_all_processors = false;  // otherwise the writer's threads take turns on one
    microseconds delay{0};
};

struct totals {
    std::uint64_t while_opening = 0;
    std::uint64_t torn = 0;
    std::uint64_t events = 0;
    std::uint64_t rollovers = 0;
    std::uint64_t batches = 0;
    std::uint64_t journals = 0;
};

[[nodiscard]] life_plan plan_life(random_source& random) {
    life_plan plan;
    plan.from_start = random.one_in(4);
    plan.on_all_processors = random.one_in(3);
    // Short lives as often as long ones: 16 µs to 8 ms.
    const std::uint64_t longest = std::uint64_t{16} << random.below(10);
    plan.delay = microseconds{random.below(longest)};
    switch (random.below(3)) {
        case 0:
            plan.sync = sync_policy::manual();
            plan.sync_every = 1 + random.below(300);
            break;
        case 1:
            plan.sync = sync_policy::every_us(static_cast<std::uint32_t>(50 + random.below(1000)));
            break;
        default:
            plan.sync = sync_policy::every_bytes(1 + random.below(20'000));
            break;
    }
    return plan;
}

[[nodiscard]] writer_options options_of(const life_plan& plan) {
    writer_options options;
    options.segment_bytes = std::uint64_t{64} << 10;
    options.sync = plan.sync;
    options.populate_bytes = std::uint64_t{64} << 10;
    options.scrub_bytes_per_second = 0;
    options.expected_streams = 64;
    return options;
}

[[noreturn]] void give_up(acknowledged& told, const std::string& why) {
    std::snprintf(told.why, sizeof told.why, "%s", why.c_str());
    told.failed = true;
    ::_exit(1);
}

[[noreturn]] void live(const std::filesystem::path& directory, const life_plan& plan,
                       std::uint64_t log_seed, acknowledged& told) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (plan.on_all_processors)
        use_all_processors();
    auto log = writer::open(directory, options_of(plan));
    if (!log)
        give_up(told, "open: " + log.error().message());
    told.opened.store(true, std::memory_order_release);
    generated_log source{log_seed};
    for (std::uint64_t units = 1;; ++units) {
        auto placed = source.append_unit(*log);
        if (!placed)
            give_up(told, "append: " + failure_text(*log, placed.error()));
        told.published.store(placed->sequence + 1, std::memory_order_release);
        if (plan.sync_every != 0 && units % plan.sync_every == 0) {
            if (auto synced = log->sync(); !synced)
                give_up(told, "sync: " + failure_text(*log, synced.error()));
        }
        told.durable.store(log->durable(), std::memory_order_release);
        if (units % 64 == 0)
            told.rollovers.store(log->statistics().rollovers, std::memory_order_relaxed);
    }
}

// Waits for the time to pass, or returns early if the child has failed.
void wait_until_due(const life_plan& plan, const acknowledged& told) {
    const auto given_up = [&] { return told.failed.load(std::memory_order_acquire); };
    if (!plan.from_start) {
        while (!told.opened.load(std::memory_order_acquire) && !given_up())
            ::usleep(20);
    }
    const auto due = steady_clock::now() + plan.delay;
    constexpr microseconds slice{200};
    while (steady_clock::now() < due && !given_up()) {
        if (due - steady_clock::now() > slice)
            ::usleep(100);
    }
}

// What is wrong with the journal; empty if everything that was acknowledged is there.
[[nodiscard]] std::string read_back(const std::filesystem::path& directory, std::uint64_t log_seed,
                                    const acknowledged& told, const verify_options& how,
                                    std::uint64_t& batches) {
    generated_log_check check{generated_log{log_seed}};
    if (auto wrong = fault_of_journal(directory, check, how); !wrong.empty())
        return wrong;
    const std::uint64_t published = told.published.load();
    if (check.next_sequence() < published)
        return fmt::format("{} events are there, but {} were acknowledged", check.next_sequence(),
                           published);
    if (told.durable.load() > check.next_sequence())
        return fmt::format("{} events were durable, but {} are there", told.durable.load(),
                           check.next_sequence());
    batches = check.batches();
    return {};
}

// Opens for writing as the next program would, and ends with or without a close.
[[nodiscard]] std::string recover_here(const std::filesystem::path& directory, bool close,
                                       totals& sums) {
    writer_options options;
    options.segment_bytes = std::uint64_t{64} << 10;
    options.sync = sync_policy::manual();
    options.background_threads = false;
    options.full = when_full::fail;
    options.scrub_bytes_per_second = 0;
    options.expected_streams = 64;
    auto log = writer::open(directory, options);
    if (!log)
        return "open: " + log.error().message();
    sums.torn += log->recovery().state == found::torn_tail ? 1U : 0U;
    if (!close)
        return {};
    auto closed = log->close();
    return closed ? std::string{} : "close: " + failure_text(*log, closed.error());
}

class killer {
  public:
    killer(row_program& program, acknowledged& told) : program_{program}, told_{told} {}

    // One journal: written, killed and recovered until it is large enough.
    void one_journal(std::uint64_t number) {
        random_source random{draw(program_.seed(), number)};
        const std::uint64_t log_seed = random.next();
        const auto directory = program_.directory() / fmt::format("journal-{}", number);
        // Mostly short histories: checking costs as much as there is to read.
        const std::uint64_t lives = 1 + random.below(random.one_in(8) ? 16 : 5);
        told_.published = 0;
        told_.durable = 0;
        for (std::uint64_t life = 0; life < lives && program_.goes_on(); ++life) {
            const std::string wrong = one_life(directory, log_seed, random);
            program_.count();
            if (wrong.empty())
                continue;
            const std::string kept = keep(directory, number);
            program_.failure(
                fmt::format("--first-journal {} --workers 1 --count {}", number, lives),
                fmt::format("{} (life {} of journal {}, seed {}, kept in {})", wrong, life, number,
                            program_.seed(), kept));
            return;
        }
        sums_.events += told_.published;
        sums_.batches += batches_;
        ++sums_.journals;
        std::filesystem::remove_all(directory);
    }

    [[nodiscard]] const totals& sums() const noexcept { return sums_; }

  private:
    [[nodiscard]] std::string one_life(const std::filesystem::path& directory,
                                       std::uint64_t log_seed, random_source& random) {
        const life_plan plan = plan_life(random);
        told_.opened = false;
        told_.rollovers = 0;
        const ::pid_t child = ::fork();
        if (child < 0)
            return "cannot fork";
        if (child == 0)
            live(directory, plan, log_seed, told_);
        wait_until_due(plan, told_);
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        if (told_.failed)
            return told_.why;
        sums_.while_opening += told_.opened ? 0U : 1U;
        sums_.rollovers += told_.rollovers;
        // If the next life recovers, it may be killed during that as well.
        const bool leave_recovery_to_the_next = random.one_in(3);
        const bool close = random.one_in(3);
        if (!leave_recovery_to_the_next) {
            if (auto wrong = recover_here(directory, close, sums_); !wrong.empty())
                return wrong;
        }
        if (!std::filesystem::exists(directory / "journal.pawl"))
            return told_.published == 0 ? "" : "the journal is gone";
        return read_back(directory, log_seed, told_, deep_every_tenth(lives_++), batches_);
    }

    [[nodiscard]] std::string keep(const std::filesystem::path& directory, std::uint64_t number) {
        if (std::getenv("PAWL_PLANTED_BUG") != nullptr)
            return "nowhere";  // a journal written with a planted bug is useless later
        const auto kept = std::filesystem::temp_directory_path() /
                          fmt::format("pawl-kill_loop-{}-{}", program_.seed(), number);
        std::error_code code;
        std::filesystem::remove_all(kept, code);
        std::filesystem::copy(directory, kept, std::filesystem::copy_options::recursive, code);
        std::filesystem::remove_all(directory, code);
        return kept.string();
    }

    row_program& program_;
    acknowledged& told_;
    totals sums_;
    std::uint64_t batches_ = 0;  // in the current journal
    std::uint64_t lives_ = 0;    // read back
};

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 3, .name = "kill_loop", .counted = "kills"}, argc, argv};
    program.target({.quick = 300, .ci = 10'000, .full = 1'000'000});
    const std::uint64_t first = program.option("--first-journal", 0);
    const auto workers = static_cast<unsigned>(program.option("--workers", usual_workers()));
    const auto sums = divide_among_workers(program, workers, [&](unsigned index) {
        auto* const told = shared_with_children<acknowledged>(program);
        if (told == nullptr)
            return worker_sums{};
        killer loop{program, *told};
        for (std::uint64_t number = first + index; program.goes_on(); number += workers) {
            loop.one_journal(number);
            told->failed = false;
        }
        const totals& mine = loop.sums();
        return worker_sums{mine.journals,  mine.events,        mine.batches,
                           mine.rollovers, mine.while_opening, mine.torn};
    });
    program.detail(
        fmt::format("{} journals, {} events and {} batches read back, {} rollovers, {} kills while "
                    "opening, {} torn tails cut",
                    sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]));
    return program.finish();
}
