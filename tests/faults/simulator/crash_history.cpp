#include "crash_history.hpp"

#include "controlled_process.hpp"
#include "memory_files.hpp"
#include "os/clock.hpp"
#include "support/failure_text.hpp"
#include "torn_parts.hpp"
#include "writer_life.hpp"

#include <fmt/core.h>

#include <pawl/journal/journal.hpp>
#include <pawl/journal/writer.hpp>

#include <optional>
#include <string>
#include <utility>

namespace pawl::test {

namespace fs = std::filesystem;

std::string verify_fault(const fs::path& directory) {
    const auto report = verify(directory);
    if (!report)
        return "cannot be verified: " + report.error().message();
    if (!report->findings.empty())
        return "verify reports: " + report->findings.front().what.message();
    return {};
}

namespace {

[[nodiscard]] std::string closing_fault(writer& log, const fs::path& directory) {
    if (auto closed = log.close(); !closed)
        return "cannot be closed: " + failure_text(log, closed.error());
    return verify_fault(directory);
}

class history final : public moments {
  public:
    history(const history_plan& plan, std::uint64_t most_cuts)
        : plan_{plan}, most_cuts_{most_cuts}, random_{plan.seed} {}

    [[nodiscard]] history_outcome run() {
        // The TSC clock measures its rate once, and needs a clock that advances.
        (void)detail::tsc_clock::instance();
        const controlled_process controlled{plan_.seed};
        const fs::path first = directory_of(1);
        memory_files::clear(first.native());
        live(first, event_oracle{});
        detail::set_io_hook(nullptr, nullptr);
        return std::move(outcome_);
    }

    // A moment at which the power may fail.
    void moment(const writer_life& life) override {
        if (done())
            return;
        const bool last = generation_ == plan_.generations;
        if (!last && below(static_cast<std::uint64_t>(plan_.branch_every)) != 0)
            return;
        for (int i = 0; i < (last ? plan_.cuts_a_moment : 1) && !done(); ++i) {
            const fs::path next = directory_of(generation_ + 1);
            const std::uint64_t seed = random_();
            life.disk().cut(cut_choice::from(seed), next);
            if (last) {
                detail::set_io_hook(nullptr, nullptr);
                const bool watched = store_watch::enable(false);
                check(life, next, seed);
                (void)store_watch::enable(watched);
            } else {
                live(next, life.oracle());
            }
            life.hook();
        }
    }

    void wrong(const writer_life&, const std::string& what) override { note(what); }
    [[nodiscard]] bool done() const noexcept override {
        return !outcome_.fault.empty() || outcome_.cuts >= most_cuts_;
    }
    [[nodiscard]] std::uint64_t below(std::uint64_t bound) override { return random_() % bound; }

  private:
    [[nodiscard]] static fs::path directory_of(int generation) {
        return fs::path{memory_root} / std::to_string(generation);
    }

    void note(const std::string& what) {
        if (outcome_.fault.empty())
            outcome_.fault = fmt::format("cut {}: {}", outcome_.cuts, what);
    }

    void live(const fs::path& directory, event_oracle oracle) {
        ++generation_;
        writer_life life{*this, directory, std::move(oracle), plan_.failing_syncs};
        life.run();
        --generation_;
    }

    // Ends a history: opens what the cut left, appends a little, and reads all of it.
    void check(const writer_life& life, const fs::path& directory, std::uint64_t seed) {
        ++outcome_.cuts;
        outcome_.in_recovery += life.opening() ? 1 : 0;
        outcome_.deep += generation_ >= 3 ? 1 : 0;
        const std::string fault =
            fault_after_cut(life.oracle(), writer_life::journal_in(directory), seed);
        if (!fault.empty())
            note(fault + (life.opening() ? " (cut inside recovery)" : ""));
    }

    history_plan plan_;
    std::uint64_t most_cuts_;
    std::mt19937_64 random_;
    history_outcome outcome_;
    int generation_ = 0;
};

}  // namespace

std::string fault_after_cut(event_oracle oracle, const fs::path& directory, std::uint64_t seed) {
    constexpr std::uint64_t compare_every = 8;
    std::optional<torn_parts> before;
    if (seed % compare_every == 0)
        before.emplace(directory);
    auto log = writer::open(directory, life_options());
    if (!log)
        return "refused: " + log.error().message();
    if (auto fault = oracle.fault_of_kept(directory); !fault.empty())
        return fault;
    if (before) {
        if (auto fault = before->fault_after(log->recovery()); !fault.empty())
            return fault;
    }
    if (auto fault = oracle.fault_of(log->next_sequence()); !fault.empty())
        return fault;
    oracle.recovered(log->next_sequence());
    if (auto fault = version_fault(*log, oracle); !fault.empty())
        return fault;
    for (int i = 0; i < 2; ++i) {
        const auto event = oracle.make(16, static_cast<std::uint16_t>(i));
        const auto given = append(*log, event);
        if (!given)
            return "cannot be continued: " + failure_text(*log, given.error());
        if (given->sequence != oracle.next())
            return fmt::format("gap: event {} got sequence {}", oracle.next(), given->sequence);
        oracle.published(event);
    }
    if (auto synced = log->sync(); !synced)
        return "cannot be synced: " + failure_text(*log, synced.error());
    if (auto fault = reading_fault(directory, oracle); !fault.empty())
        return fault;
    constexpr std::uint64_t verify_every = 64;
    return seed % verify_every == 0 ? closing_fault(*log, directory) : std::string{};
}

history_outcome run_history(const history_plan& plan, std::uint64_t most_cuts) {
    return history{plan, most_cuts}.run();
}

}  // namespace pawl::test
