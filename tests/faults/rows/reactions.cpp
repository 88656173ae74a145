// Row 15, second part: what an event asks for happens once. A child appends events that ask for
// commands at once, or later under a key that others cancel or use again; a reaction submits them,
// and the child is killed at a random moment. The writer remembers only a few commands, and the log
// is pruned. At the end, each event that is left must have led to what it asked for.
#include "../../replay/bank.hpp"
#include "support/generated_log.hpp"
#include "support/row_program.hpp"
#include "support/workers.hpp"

#include <fmt/core.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pawl/codec/decode.hpp>
#include <pawl/journal/cursor.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/replay/command_loop.hpp>
#include <pawl/replay/reaction.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <new>
#include <string>
#include <utility>
#include <vector>

using namespace pawl;
using namespace pawl::test;
using std::chrono::microseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::uint64_t keys = 6;

// What an event asks for, by its amount.
enum class asks : std::uint8_t { nothing, one, two, later };

[[nodiscard]] asks what_asks(const bank::deposited& e) {
    return static_cast<asks>(e.amount() & 3);
}

// The command `number` of the event `cause`, which some do not get.
struct effect {
    sequence_number cause = 0;
    std::uint64_t number = 0;

    [[nodiscard]] bool is_refused() const { return draw(cause, number) % 8 == 0; }
    friend auto operator<=>(const effect&, const effect&) = default;
};

struct asker {
    struct state {};
    using events = event_list<bank::deposited, bank::withdrawn, bank::renamed>;
    enum class refusal : std::uint8_t { no = 1 };

    struct ask {
        std::uint64_t key = 0;
        std::int64_t amount = 0;
    };
    struct cancel {
        std::uint64_t key = 0;
    };

    static state initial() { return {}; }
    static void evolve(state&, const auto&) {}
    static std::expected<void, refusal> decide(const ask& c, const state&, decision& out) {
        out.append({}, [&](auto& b) { return bank::Createdeposited(b, c.key, c.amount); });
        return {};
    }
    static std::expected<void, refusal> decide(const cancel& c, const state&, decision& out) {
        out.append({}, [&](auto& b) { return bank::Createrenamed(b, c.key, b.CreateString("")); });
        return {};
    }
    static std::expected<void, refusal> decide(const effect& c, const state&, decision& out) {
        if (c.is_refused())
            return std::unexpected(refusal::no);
        out.append({}, [&](auto& b) {
            return bank::Createwithdrawn(b, c.cause, static_cast<std::int64_t>(c.number));
        });
        return {};
    }
};

struct rules {
    using events = event_list<bank::deposited, bank::renamed>;

    static void react(const bank::deposited& e, const event& from, auto& out) {
        const sequence_number cause = from.sequence();
        switch (what_asks(e)) {
            case asks::nothing:
                break;
            case asks::two:
                out.submit(effect{cause, 1});
                [[fallthrough]];
            case asks::one:
                out.submit(effect{cause, 0});
                break;
            case asks::later:
                out.submit_at(from.timestamp_ns() + static_cast<std::uint64_t>(e.amount()),
                              e.account(), effect{cause, 0});
        }
    }
    static void react(const bank::renamed& e, const event&, auto& out) { out.cancel(e.account()); }
};

// What the child has done, on a page that outlives it.
struct told {
    std::atomic<bool> opened{false};
    std::atomic<bool> ended{false};
    std::atomic<std::uint64_t> in_the_log{0};
    char why[500]{};
};

using loop_type = command_loop<asker>;

// Asks for something, or cancels it.
[[nodiscard]] result<void> submit_some(loop_type& loop, random_source& random) {
    constexpr auto when = accepted_when::published;
    const auto ignore = [](const auto&) {};
    for (std::uint64_t commands = random.below(12); commands != 0; --commands) {
        const std::uint64_t key = random.below(keys);
        auto done =
            random.one_in(8)
                ? loop.submit(asker::cancel{key}, when, ignore)
                : loop.submit(asker::ask{key, static_cast<std::int64_t>(random.below(2'000'000))},
                              when, ignore);
        if (!done)
            return done;
    }
    return {};
}

// Submits and reacts until it is killed, or until nothing is left to do.
[[nodiscard]] result<void> live(const std::filesystem::path& directory, random_source random,
                                bool to_the_end, told& shared) {
    auto log = writer::open(directory, {.segment_bytes = 64 << 10,
                                        .sync = sync_policy::manual(),
                                        .clock_report_interval_s = 0,
                                        .populate_bytes = 64 << 10,
                                        .command_window = 8,
                                        .scrub_bytes_per_second = 0});
    if (!log)
        return std::unexpected(log.error());
    auto loop = loop_type::start(*log, {}, {});
    if (!loop)
        return std::unexpected(loop.error());
    reaction_options how{.from = from_first{},
                         .checkpoint_interval = microseconds{random.below(4000)}};
    if (to_the_end)
        how.clock_ns = [] { return ~std::uint64_t{0}; };
    auto reacting = reaction<rules, asker>::open(*log, *loop, "effects", {}, how);
    if (!reacting)
        return std::unexpected(reacting.error());
    shared.opened = true;
    for (bool moved = true; moved || !to_the_end;) {
        if (!to_the_end) {
            if (auto submitted = submit_some(*loop, random); !submitted)
                return submitted;
        }
        auto advanced = reacting->advance(microseconds{random.below(200)});
        if (!advanced)
            return std::unexpected(advanced.error());
        moved = *advanced;
        shared.in_the_log = reacting->statistics().in_the_log;
        if (random.one_in(50)) {
            if (auto pruned = log->prune({.keep_bytes = 64 << 10}); !pruned)
                return std::unexpected(pruned.error());
        }
    }
    if (auto closed = reacting->close(); !closed)
        return closed;
    if (auto stopped = loop->stop(); !stopped)
        return stopped;
    return log->close();
}

// What happened, and what was asked for.
class account_of_effects {
  public:
    [[nodiscard]] std::string read(const std::filesystem::path& directory) {
        auto events = cursor::open(directory);
        if (!events)
            return "read: " + events.error().message();
        auto read = events->for_each([this](const event& e) {
            first_ = std::min(first_, e.sequence());
            note(e);
        });
        return read ? judge() : "read: " + read.error().message();
    }

    [[nodiscard]] std::uint64_t effects() const { return happened_.size(); }

  private:
    void note(const event& e) {
        if (is<bank::withdrawn>(e)) {
            const auto* done = *decode<bank::withdrawn>(e);
            ++happened_[{done->account(), static_cast<std::uint64_t>(done->amount())}];
        } else if (is<bank::renamed>(e)) {
            timers_.erase((*decode<bank::renamed>(e))->account());
        } else if (is<bank::deposited>(e)) {
            const auto* asked = *decode<bank::deposited>(e);
            const asks what = what_asks(*asked);
            if (what == asks::one || what == asks::two)
                wanted_.push_back({e.sequence(), 0});
            if (what == asks::two)
                wanted_.push_back({e.sequence(), 1});
            if (what == asks::later) {
                allowed_.push_back({e.sequence(), 0});
                timers_[asked->account()] = {e.sequence(), 0};
            }
        }
    }

    // A timer that was not cancelled has fired; one that was may have done so before.
    [[nodiscard]] std::string judge() {
        for (const auto& [key, timer] : timers_)
            wanted_.push_back(timer);
        for (const effect& each : wanted_) {
            const std::uint64_t times = happened_.contains(each) ? 1 : 0;
            if (times != (each.is_refused() ? 0U : 1U))
                return fmt::format("command {} of event {} took effect {} times", each.number,
                                   each.cause, times);
        }
        allowed_.insert(allowed_.end(), wanted_.begin(), wanted_.end());
        std::ranges::sort(allowed_);
        for (const auto& [each, times] : happened_) {
            if (times != 1)
                return fmt::format("command {} of event {} took effect {} times", each.number,
                                   each.cause, times);
            if (each.cause >= first_ && !std::ranges::binary_search(allowed_, each))
                return fmt::format("event {} did not ask for a command {}", each.cause,
                                   each.number);
        }
        return {};
    }

    sequence_number first_ = no_value;
    std::map<effect, std::uint64_t> happened_;
    std::vector<effect> wanted_;
    std::vector<effect> allowed_;
    std::map<std::uint64_t, effect> timers_;  // by key
};

class killer {
  public:
    killer(row_program& program, told& shared) : program_{program}, told_{shared} {}

    void one_journal(std::uint64_t number) {
        random_source random{draw(program_.seed(), number)};
        directory_ = program_.directory() / fmt::format("journal-{}", number);
        const std::uint64_t lives = 1 + random.below(8);
        std::string wrong;
        for (std::uint64_t life = 0; wrong.empty() && life < lives; ++life) {
            wrong = one_life(random, false);
            program_.count();
        }
        if (wrong.empty())
            wrong = one_life(random, true);
        account_of_effects account;
        if (wrong.empty())
            wrong = account.read(directory_);
        effects_ += account.effects();
        if (!wrong.empty())
            program_.failure(
                fmt::format("--first-journal {} --workers 1 --count {}", number, lives),
                fmt::format("{} (journal {}, seed {})", wrong, number, program_.seed()));
        std::filesystem::remove_all(directory_);
    }

    [[nodiscard]] worker_sums sums() const noexcept { return {effects_, in_the_log_}; }

  private:
    [[nodiscard]] std::string one_life(random_source& random, bool to_the_end) {
        told_.opened = false;
        told_.ended = false;
        told_.why[0] = '\0';
        told_.in_the_log = 0;
        const microseconds delay{random.below(std::uint64_t{64} << random.below(9))};
        const bool from_start = random.one_in(4);
        const std::uint64_t seed = random.next();
        const ::pid_t child = ::fork();
        if (child < 0)
            return "cannot fork";
        if (child == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            const auto lived = live(directory_, random_source{seed}, to_the_end, told_);
            if (!lived)
                std::snprintf(told_.why, sizeof told_.why, "%s", lived.error().message().c_str());
            told_.ended = true;
            ::_exit(0);
        }
        if (!to_the_end) {
            while (!from_start && !told_.opened && !told_.ended)
                ::usleep(20);
            const auto due = steady_clock::now() + delay;
            while (steady_clock::now() < due && !told_.ended)
                ::usleep(20);
            ::kill(child, SIGKILL);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        in_the_log_ += told_.in_the_log;
        if (to_the_end && !told_.ended)
            return fmt::format("the last life died with status {}", status);
        return told_.why;
    }

    row_program& program_;
    told& told_;
    std::filesystem::path directory_;
    std::uint64_t effects_ = 0;
    std::uint64_t in_the_log_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 15, .name = "reactions", .counted = "kills"}, argc, argv};
    program.target({.quick = 100, .ci = 1000, .full = 100'000});
    const std::uint64_t first = program.option("--first-journal", 0);
    const auto workers = static_cast<unsigned>(program.option("--workers", usual_workers()));
    const auto sums = divide_among_workers(program, workers, [&](unsigned index) {
        auto* const shared = shared_with_children<told>(program);
        if (shared == nullptr)
            return worker_sums{};
        killer loop{program, *shared};
        for (std::uint64_t number = first + index; program.goes_on(); number += workers)
            loop.one_journal(number);
        return loop.sums();
    });
    program.detail(
        fmt::format("{} commands of events took effect once, {} were found in the log and not "
                    "submitted again",
                    sums[0], sums[1]));
    return program.finish();
}
