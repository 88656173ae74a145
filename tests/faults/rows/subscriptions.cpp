// Row 15: a subscription skips nothing. A child appends, reads by a subscription with a filter and
// a share, checks that each batch is the next one it must get, and is killed at a random moment. In
// between, the log is recovered, pruned or opened a second time under the same name, and one block
// of the position's file is torn.
#include "support/generated_log.hpp"
#include "support/row_program.hpp"
#include "support/workers.hpp"

#include <fmt/core.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/detail/frame.hpp>
#include <pawl/journal/prune.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/replay/subscription.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <new>
#include <string>
#include <vector>

using namespace pawl;
using namespace pawl::test;
using std::chrono::microseconds;
using std::chrono::steady_clock;

namespace {

// The log, as a function of the seed: events, and which of them belong together.
class model {
  public:
    explicit model(std::uint64_t seed) : seed_{seed} {}

    [[nodiscard]] std::uint16_t type(sequence_number at) const {
        return static_cast<std::uint16_t>(1 + draw(seed_, 4 * at) % 10);
    }
    [[nodiscard]] stream_id stream(sequence_number at) const { return draw(seed_, 4 * at + 1) % 8; }
    [[nodiscard]] std::size_t bytes(sequence_number at) const {
        return draw(seed_, 4 * at + 2) % 700;
    }
    // How many events the unit has that begins there.
    [[nodiscard]] std::uint32_t unit(sequence_number at) const {
        const std::uint64_t drawn = draw(seed_, 4 * at + 3);
        return drawn % 3 == 0 ? static_cast<std::uint32_t>(2 + drawn / 3 % 6) : 1;
    }

  private:
    std::uint64_t seed_;
};

// What the child has done, on a page that outlives it.
struct told {
    std::atomic<std::uint64_t> handled{0};  // everything before was checked
    // The two last positions that commit() acknowledged.
    std::atomic<std::uint64_t> committed{0};
    std::atomic<std::uint64_t> committed_before{0};
    std::atomic<bool> opened{false};
    std::atomic<bool> failed{false};
    char why[500]{};
};

struct reader_plan {
    std::filesystem::path directory;
    std::uint64_t seed = 0;
    subscription_options options{};
    bool lags = false;  // reads less than is appended, and so holds back prunes
    // Between two lives, the newest block may be torn, as by a power cut. A prune believes that
    // block only after it has synced it, and then no cut can tear it: the child does not prune.
    bool tears = false;
};

[[nodiscard]] bool wants(const model& log, const subscription_options& how, sequence_number at) {
    const auto& filter = *how.filter;
    const auto has = [](const auto& list, auto value) {
        return list.empty() || std::ranges::find(list, value) != list.end();
    };
    return has(filter.types, log.type(at)) && has(filter.streams, log.stream(at)) &&
           detail::mix64(log.stream(at)) % how.share.members == how.share.member;
}

// Checks what a subscription returns against the model.
class checked_reader {
  public:
    checked_reader(const reader_plan& plan, told& shared)
        : log_{plan.seed}, how_{plan.options}, told_{shared} {}

    // What is wrong with the position with which it begins.
    [[nodiscard]] std::string begin(sequence_number at) {
        while (next_ < at)
            next_ += log_.unit(next_);
        if (next_ != at)
            return fmt::format("it begins at {}, inside a batch", at);
        if (at > told_.handled)
            return fmt::format("it begins at {}, but only the events before {} were returned", at,
                               told_.handled.load());
        if (at < told_.committed_before)
            return fmt::format("it begins at {}, but {} was committed", at,
                               told_.committed_before.load());
        // Now both blocks of the file hold this position.
        told_.committed_before = at;
        told_.committed = at;
        return {};
    }

    // What is wrong with a unit that it has returned, after which it stands at `end`.
    [[nodiscard]] std::string take(std::span<const event> unit, sequence_number end) {
        std::vector<sequence_number> expected;
        while (expected.empty() && next_ < end) {
            const sequence_number after = next_ + log_.unit(next_);
            for (; next_ < after; ++next_) {
                if (wants(log_, how_, next_))
                    expected.push_back(next_);
            }
        }
        if (next_ != end)
            return fmt::format("it stands at {}, not at {}", end, next_);
        if (!std::ranges::equal(unit, expected, {}, &event::sequence))
            return fmt::format("{} events were returned up to {}, not {}", unit.size(), end,
                               expected.size());
        for (const event& e : unit) {
            if (e.type() != log_.type(e.sequence()) || e.stream() != log_.stream(e.sequence()) ||
                e.payload().size() != log_.bytes(e.sequence()))
                return fmt::format("event {} is another one", e.sequence());
        }
        told_.handled = std::max(told_.handled.load(), end);
        return {};
    }

    // Reads what is there, or so many units.
    [[nodiscard]] std::string read(subscription& from, std::uint64_t most = no_value) {
        for (std::uint64_t units = 0; units < most; ++units) {
            const auto unit = from.next(std::chrono::nanoseconds{0});
            if (!unit)
                return "next: " + unit.error().message();
            const sequence_number end = from.next_sequence();
            const bool stands = unit->empty() && end == next_;
            if (auto wrong = take(*unit, end); !wrong.empty())
                return wrong;
            if (stands)
                break;
        }
        return {};
    }

    [[nodiscard]] std::string commit(subscription& from) {
        const sequence_number before = from.committed().point.next;
        if (auto done = from.commit(); !done)
            return "commit: " + done.error().message();
        if (from.committed().point.next == before)
            return {};
        told_.committed_before.store(told_.committed);
        told_.committed = from.committed().point.next;
        return {};
    }

    [[nodiscard]] sequence_number next() const noexcept { return next_; }

  private:
    model log_;
    const subscription_options& how_;
    told& told_;
    sequence_number next_ = 0;
};

[[nodiscard]] std::string append_unit(writer& log, const model& as) {
    const sequence_number first = log.next_sequence();
    const std::uint32_t events = as.unit(first);
    const std::vector<std::byte> payload(700, std::byte{5});
    auto batch = log.begin_batch(events, events * std::uint64_t{800});
    if (!batch)
        return "begin_batch: " + batch.error().message();
    for (sequence_number at = first; at < first + events; ++at) {
        auto placed = batch->append({.type = as.type(at), .stream = as.stream(at)},
                                    std::span{payload}.first(as.bytes(at)));
        if (!placed)
            return "append: " + placed.error().message();
    }
    auto committed = batch->commit();
    return committed ? std::string{} : "commit of a batch: " + committed.error().message();
}

// Appends, reads and commits until it is killed. Returns what is wrong.
[[nodiscard]] std::string live(const reader_plan& plan, random_source random, told& shared) {
    auto log = writer::open(plan.directory, {.segment_bytes = 64 << 10,
                                             .sync = sync_policy::manual(),
                                             .clock_report_interval_s = 0,
                                             .populate_bytes = 64 << 10,
                                             .scrub_bytes_per_second = 0});
    if (!log)
        return "open: " + log.error().message();
    auto risk = subscription::open(plan.directory, "risk", plan.options);
    if (!risk)
        return "subscribe: " + risk.error().message();
    checked_reader reader{plan, shared};
    if (auto wrong = reader.begin(risk->next_sequence()); !wrong.empty())
        return wrong;
    shared.opened = true;
    for (const model as{plan.seed};;) {
        for (std::uint64_t units = random.below(20); units != 0; --units) {
            if (auto wrong = append_unit(*log, as); !wrong.empty())
                return wrong;
        }
        if (auto synced = log->sync(); !synced)
            return "sync: " + synced.error().message();
        const std::uint64_t most = plan.lags ? random.below(4) : no_value;
        if (auto wrong = reader.read(*risk, most); !wrong.empty())
            return wrong;
        if (!random.one_in(3)) {
            if (auto wrong = reader.commit(*risk); !wrong.empty())
                return wrong;
        }
        if (!plan.tears && random.one_in(20)) {
            if (auto pruned = log->prune({.keep_bytes = 0}); !pruned)
                return "prune: " + pruned.error().message();
        }
    }
}

[[nodiscard]] subscription_options draw_options(random_source& random) {
    subscription_options how;
    how.filter.emplace();
    for (std::uint64_t types = random.below(4); types != 0; --types)
        how.filter->types.push_back(static_cast<std::uint16_t>(1 + random.below(10)));
    if (how.filter->types.empty() || random.one_in(3))
        how.filter->streams = {no_stream_id, 1 + random.below(7)};
    how.share.members = random.one_in(3) ? 3 : 1;
    how.share.member = static_cast<std::uint32_t>(random.below(how.share.members));
    if (random.one_in(2))
        how.sync_interval = microseconds{random.below(3000)};
    return how;
}

class killer {
  public:
    killer(row_program& program, told& shared) : program_{program}, told_{shared} {}

    // One journal: written, read and killed some times, and then read to its end.
    void one_journal(std::uint64_t number) {
        random_source random{draw(program_.seed(), number)};
        plan_ = {.directory = program_.directory() / fmt::format("journal-{}", number),
                 .seed = random.next(),
                 .options = draw_options(random),
                 .lags = random.one_in(3)};
        // Without a sync at each commit, all commits since the last one may be in one block.
        plan_.tears = plan_.options.sync_interval.count() == 0 && random.one_in(2);
        told_.handled = 0;
        told_.committed = 0;
        told_.committed_before = 0;
        const std::uint64_t lives = 1 + random.below(8);
        std::string wrong;
        for (std::uint64_t life = 0; wrong.empty() && life < lives; ++life) {
            wrong = one_life(random);
            program_.count();
            if (wrong.empty())
                wrong = between_lives(random);
        }
        if (wrong.empty())
            wrong = read_to_the_end();
        if (!wrong.empty())
            program_.failure(
                fmt::format("--first-journal {} --workers 1 --count {}", number, lives),
                fmt::format("{} (journal {}, seed {})", wrong, number, program_.seed()));
        events_ += told_.handled;
        std::filesystem::remove_all(plan_.directory);
    }

    [[nodiscard]] worker_sums sums() const noexcept { return {events_, refusals_, torn_, pruned_}; }

  private:
    [[nodiscard]] std::string one_life(random_source& random) {
        told_.opened = false;
        const microseconds delay{random.below(std::uint64_t{32} << random.below(9))};
        const bool from_start = random.one_in(4);
        const bool try_second = random.one_in(3);
        const std::uint64_t seed = random.next();
        const ::pid_t child = ::fork();
        if (child < 0)
            return "cannot fork";
        if (child == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            const std::string wrong = live(plan_, random_source{seed}, told_);
            std::snprintf(told_.why, sizeof told_.why, "%s", wrong.c_str());
            told_.failed = true;
            ::_exit(1);
        }
        while (!from_start && !told_.opened && !told_.failed)
            ::usleep(20);
        std::string wrong = try_second && told_.opened ? open_second() : std::string{};
        const auto due = steady_clock::now() + delay;
        while (steady_clock::now() < due && !told_.failed)
            ::usleep(20);
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        return told_.failed ? std::string{told_.why} : wrong;
    }

    // While the child reads, nobody else may under its name.
    [[nodiscard]] std::string open_second() {
        const auto second = subscription::open(plan_.directory, "risk", plan_.options);
        if (told_.failed)
            return {};
        if (second) {
            // Unless the child has ended by itself, and is about to say why.
            for (int i = 0; i < 1000 && !told_.failed; ++i)
                ::usleep(1000);
            return "two processes read under one name";
        }
        ++refusals_;
        return second.error().code == errc::locked ? std::string{}
                                                   : "second: " + second.error().message();
    }

    // A recovery is left to the next life.
    [[nodiscard]] std::string between_lives(random_source& random) {
        if (!std::filesystem::exists(plan_.directory / "consumers"))
            return {};
        if (plan_.tears && told_.opened && random.one_in(2))
            tear_a_block(random);
        if (random.one_in(3)) {
            const auto pruned = prune(plan_.directory, {.keep_bytes = 0});
            if (!pruned)
                return "prune: " + pruned.error().message();
            pruned_ += pruned->segments;
        }
        return {};
    }

    void tear_a_block(random_source& random) {
        const auto list = list_consumers(plan_.directory);
        if (!list || list->consumers.empty())
            return;
        constexpr std::uint64_t block_bytes = 4096;
        const auto path = plan_.directory / "consumers" / list->consumers.front().name;
        std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(static_cast<std::streamoff>(random.below(2) * block_bytes + 8));
        const std::string zeros(1000, '\0');
        file.write(zeros.data(), static_cast<std::streamsize>(zeros.size()));
        ++torn_;
    }

    // Then nothing is held back any more.
    [[nodiscard]] std::string read_to_the_end() {
        if (!std::filesystem::exists(plan_.directory / "journal.pawl"))
            return {};
        auto log = writer::open(plan_.directory, {.sync = sync_policy::manual()});
        if (!log)
            return "open: " + log.error().message();
        const sequence_number end = log->next_sequence();
        if (auto closed = log->close(); !closed)
            return "close: " + closed.error().message();
        auto risk = subscription::open(plan_.directory, "risk", plan_.options);
        if (!risk)
            return "subscribe: " + risk.error().message();
        checked_reader reader{plan_, told_};
        if (auto wrong = reader.begin(risk->next_sequence()); !wrong.empty())
            return wrong;
        if (auto wrong = reader.read(*risk); !wrong.empty())
            return wrong;
        if (auto wrong = reader.commit(*risk); !wrong.empty())
            return wrong;
        if (risk->committed().point.next != end)
            return fmt::format("the log ends at {}, but the position is {}", end,
                               risk->committed().point.next);
        if (auto closed = risk->close(); !closed)
            return "close: " + closed.error().message();
        const auto pruned = prune(plan_.directory, {.keep_bytes = 0});
        if (!pruned)
            return "prune: " + pruned.error().message();
        return pruned->held_by.empty() ? std::string{} : "it holds back what it has handled";
    }

    row_program& program_;
    told& told_;
    reader_plan plan_;
    std::uint64_t events_ = 0;
    std::uint64_t refusals_ = 0;
    std::uint64_t torn_ = 0;
    std::uint64_t pruned_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 15, .name = "subscriptions", .counted = "kills"}, argc, argv};
    program.target({.quick = 200, .ci = 2000, .full = 100'000});
    const std::uint64_t first = program.option("--first-journal", 0);
    const auto workers = static_cast<unsigned>(program.option("--workers", usual_workers()));
    const auto sums = divide_among_workers(program, workers, [&](unsigned index) {
        auto* const shared = shared_with_children<told>(program);
        if (shared == nullptr)
            return worker_sums{};
        killer loop{program, *shared};
        for (std::uint64_t number = first + index; program.goes_on(); number += workers) {
            loop.one_journal(number);
            shared->failed = false;
        }
        return loop.sums();
    });
    program.detail(
        fmt::format("{} events read in order, {} second readers refused, {} blocks of a "
                    "position torn, {} segments pruned",
                    sums[0], sums[1], sums[2], sums[3]));
    return program.finish();
}
