// Row 3, second part: the process may die between any two instructions of an append. A child is
// single-stepped through its appends; at every boundary, the segment, as another process sees it,
// must end cleanly after the last whole unit, and every so often a copy of the journal is
// recovered.
#include "format/segment_walk.hpp"
#include "store/directory.hpp"
#include "store/segment_file.hpp"
#include "support/failure_text.hpp"
#include "support/generated_log.hpp"
#include "support/row_program.hpp"
#include "support/sound_journal.hpp"
#include "support/workers.hpp"

#include <fmt/core.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/writer.hpp>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <new>
#include <optional>
#include <string>

using namespace pawl;
using namespace pawl::test;

namespace {

constexpr generated_log::sizes small_events{.usual = 60, .largest = 2000};

// On a page that both share.
struct shared_page {
    std::atomic<bool> inside{false};  // in an append
    std::atomic<std::uint64_t> published{0};
    std::atomic<std::uint64_t> unit_events{0};  // of the current append
    std::atomic<bool> failed{false};
    char why[300]{};
};

[[nodiscard]] writer_options usual_options() {
    writer_options options;
    options.segment_bytes = std::uint64_t{64} << 10;
    options.sync = sync_policy::manual();
    options.background_threads = false;
    options.full = when_full::fail;
    options.scrub_bytes_per_second = 0;
    return options;
}

[[noreturn]] void append_stepped(const std::filesystem::path& directory, std::uint64_t log_seed,
                                 shared_page& shared) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    auto log = writer::open(directory, usual_options());
    const auto give_up = [&](const error& why) {
        std::snprintf(shared.why, sizeof shared.why, "%s", why.message().c_str());
        shared.failed = true;
        ::_exit(1);
    };
    if (!log)
        give_up(log.error());
    generated_log source{log_seed, small_events};
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    for (;;) {
        // The background work for an append is done outside the stepped code.
        (void)log->poll();
        shared.unit_events = source.unit_at(log->next_sequence()).events;
        shared.inside = true;
        ::raise(SIGTRAP);
        auto placed = source.append_unit(*log);
        if (!placed)
            give_up(placed.error());
        shared.published = placed->sequence + 1;
        shared.inside = false;
    }
}

// Checks the segments as they are, from the last place known to be good.
class observer {
  public:
    explicit observer(std::filesystem::path directory) : directory_{std::move(directory)} {}

    // What is wrong with what a reader would see now; empty if nothing is.
    [[nodiscard]] std::string look(std::uint64_t published, std::uint64_t unit_events) {
        if (!segment_ && !enter(0))
            return "no segment";
        for (;;) {
            const detail::frame_space space{segment_->bytes.data(), segment_->bytes.size(),
                                            segment_->header.epoch};
            const auto end =
                detail::walk_segment(space, from_, [](std::uint64_t, detail::commit_word) {});
            if (end.ended()) {
                if (!enter(segment_->header.ordinal + 1))
                    return "a segment rolled over to one that does not exist";
                from_.sequence = end.sequence;
                continue;
            }
            if (end.fault != detail::frame_fault::absent)
                return fmt::format("{} at byte {}", to_string(end.fault), end.offset);
            if (end.sequence != published && end.sequence != published + unit_events)
                return fmt::format(
                    "{} events are visible, {} were published, {} are being appended", end.sequence,
                    published, unit_events);
            if (end.sequence == published)
                from_ = {.offset = end.offset, .sequence = end.sequence};
            return {};
        }
    }

  private:
    bool enter(std::uint64_t ordinal) {
        if (!id_) {
            auto journal = detail::read_identity(directory_);
            if (!journal)
                return false;
            id_ = detail::id_of(*journal);
        }
        auto opened = detail::open_segment(directory_, *id_, ordinal);
        if (!opened)
            return false;
        segment_ = std::move(*opened);
        from_ = {};
        return true;
    }

    std::filesystem::path directory_;
    std::optional<journal_id> id_;
    std::optional<detail::read_segment> segment_;
    detail::walk_start from_{};
};

// Recovers a copy as if the child had died here.
[[nodiscard]] std::string recover_copy(const std::filesystem::path& directory,
                                       const std::filesystem::path& copy, std::uint64_t log_seed,
                                       std::uint64_t published, std::uint64_t unit_events) {
    std::filesystem::remove_all(copy);
    std::filesystem::copy(directory, copy, std::filesystem::copy_options::recursive);
    {
        auto log = writer::open(copy, usual_options());
        if (!log)
            return "recovery: " + log.error().message();
        if (auto closed = log->close(); !closed)
            return "close: " + failure_text(*log, closed.error());
    }
    generated_log_check check{generated_log{log_seed, small_events}};
    if (auto wrong = fault_of_journal(copy, check, {.deep = true}); !wrong.empty())
        return wrong;
    const auto count = check.next_sequence();
    return count == published || count == published + unit_events
               ? ""
               : fmt::format("{} events after recovery, but {} were published", count, published);
}

class stepper {
  public:
    stepper(row_program& program, shared_page& shared, std::uint64_t number)
        : program_{program},
          shared_{shared},
          number_{number},
          log_seed_{draw(program.seed(), number + 1)},
          directory_{program.directory() / fmt::format("journal-{}", number)},
          observer_{directory_} {}

    // False if the machine does not let us trace.
    [[nodiscard]] bool run(std::uint64_t between_recoveries) {
        const ::pid_t child = ::fork();
        if (child == 0)
            append_stepped(directory_, log_seed_, shared_);
        bool traced = true;
        int status = 0;
        while (program_.goes_on() && !stop_) {
            if (::waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) {
                traced = program_.reached() != 0;
                break;
            }
            if (shared_.inside)
                look(between_recoveries);
            // The code between two appends runs at full speed.
            const auto request = shared_.inside ? PTRACE_SINGLESTEP : PTRACE_CONT;
            if (::ptrace(request, child, nullptr, nullptr) != 0) {
                traced = false;
                break;
            }
        }
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        if (shared_.failed)
            program_.failure("", shared_.why);
        return traced || shared_.failed;
    }

    [[nodiscard]] std::uint64_t recoveries() const noexcept { return recoveries_; }

  private:
    void look(std::uint64_t between_recoveries) {
        const std::uint64_t published = shared_.published;
        const std::uint64_t events = shared_.unit_events;
        std::string wrong = observer_.look(published, events);
        program_.count();
        if (wrong.empty() && program_.reached() % between_recoveries == 0) {
            ++recoveries_;
            wrong = recover_copy(directory_, program_.directory() / fmt::format("copy-{}", number_),
                                 log_seed_, published, events);
        }
        if (wrong.empty())
            return;
        stop_ = true;
        program_.failure(fmt::format("--seed {} --journal {} --workers 1 --count {}",
                                     program_.seed(), number_, program_.reached()),
                         fmt::format("at boundary {}: {}", program_.reached(), wrong));
    }

    row_program& program_;
    shared_page& shared_;
    std::uint64_t number_;
    std::uint64_t log_seed_;
    std::filesystem::path directory_;
    observer observer_;
    std::uint64_t recoveries_ = 0;
    bool stop_ = false;
};

}  // namespace

int main(int argc, char** argv) {
    row_program program{
        {.row = 3, .name = "single_step", .counted = "instruction boundaries"}, argc, argv};
    program.target({.quick = 20'000, .ci = 1'000'000, .full = 20'000'000});
    // Not a divisor of the number of instructions in an append.
    const std::uint64_t between = program.option("--between-recoveries", 4999);
    const std::uint64_t first = program.option("--journal", 0);
    const auto workers = static_cast<unsigned>(program.option("--workers", usual_workers()));
    enum sum : std::size_t { recoveries, untraced };
    const auto sums = divide_among_workers(program, workers, [&](unsigned index) {
        worker_sums mine{};
        auto* const page = shared_with_children<shared_page>(program);
        if (page == nullptr)
            return mine;
        stepper steps{program, *page, first + index};
        mine[untraced] = steps.run(between) ? 0 : 1;
        mine[recoveries] = steps.recoveries();
        return mine;
    });
    if (sums[untraced] != 0)
        program.skip("processes may not be traced here");
    else
        program.detail(fmt::format("a copy was recovered at {} of them", sums[recoveries]));
    return program.finish();
}
