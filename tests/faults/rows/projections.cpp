// Row 14: a read model equals the fold. A child appends, projects into a database, retries what was
// parked and changes the version of the projection, and is killed at a random moment. After each
// kill, what readers see must be what a fold of the same events gives, and nothing that they saw
// before may be gone. In the end nothing is parked any more, and all events must have been applied
// in their order.
#include "bank_generated.h"
#include "support/generated_log.hpp"
#include "support/row_program.hpp"
#include "support/workers.hpp"

#include <fmt/core.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pawl/codec/encoder.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/sqlite/projection_audit.hpp>
#include <pawl/sqlite/projection_catalog.hpp>
#include <pawl/sqlite/projector.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <utility>

using namespace pawl;
using namespace pawl::test;
using std::chrono::microseconds;
using std::chrono::steady_clock;

template <>
struct pawl::event_traits<bank::deposited> : pawl::event_number<1> {};
template <>
struct pawl::event_traits<bank::withdrawn> : pawl::event_number<2> {};
template <>
struct pawl::event_traits<bank::renamed> : pawl::event_number<3> {};

namespace {

constexpr std::chrono::nanoseconds now{0};

// What the child has done, on a page that outlives it.
struct told {
    std::atomic<std::uint64_t> shown{0};  // readers have seen the events before
    std::atomic<std::uint64_t> swaps{0};
    std::atomic<std::uint64_t> parked{0};
    std::atomic<std::uint64_t> builds{0};  // versions that the child began
    std::atomic<bool> healed{false};       // no event fails any more
    std::atomic<bool> opened{false};
    std::atomic<bool> failed{false};
    char why[700]{};
};
told* page = nullptr;

template <std::uint32_t Version>
struct balances {
    static constexpr std::string_view name = "balances";
    static constexpr std::uint32_t version = Version;
    using events = event_list<bank::deposited, bank::withdrawn>;

    static result<void> create(projection_tables& to) {
        return to.run(
            "create table {balances} (account integer primary key, balance integer not null, "
            "events integer not null, trail integer not null) strict");
    }
    static result<void> apply(projection_tables& to, const bank::deposited& e, const event& at) {
        return add(to, e.account(), e.amount(), at);
    }
    static result<void> apply(projection_tables& to, const bank::withdrawn& e, const event& at) {
        return add(to, e.account(), -e.amount(), at);
    }
    static std::uint64_t key(const auto& e) { return e.account(); }

  private:
    // The trail depends on the order of an account's events. One in 41 amounts fails, after its
    // first statement had an effect.
    static result<void> add(projection_tables& to, std::uint64_t account, std::int64_t amount,
                            const event& at) {
        if (auto made = to.run("insert into {balances} values (?1, 0, 1, 0) on conflict do update "
                               "set events = events + 1",
                               account);
            !made)
            return made;
        if (amount % 41 == 0 && !page->healed)
            return fail(errc::malformed, "an amount that fails");
        return to.run(
            "update {balances} set balance = balance + ?2, "
            "trail = (trail * 31 + ?3) % 1000000007 where account = ?1",
            account, amount, at.sequence());
    }
};

struct plan {
    std::filesystem::path directory;  // of the journal and the database
    bool skips = false;               // the policy; otherwise events are parked
    [[nodiscard]] std::filesystem::path journal() const { return directory / "j"; }
    [[nodiscard]] std::filesystem::path database() const { return directory / "views.db"; }
    [[nodiscard]] failure_policy policy() const {
        return skips ? failure_policy{skip_failure{}}
                     : failure_policy{park_key{.most_events = 1'000'000}};
    }
};

[[nodiscard]] result<void> append_unit(writer& log, encoder& encode, random_source& random) {
    const auto events = static_cast<std::uint32_t>(random.one_in(3) ? 2 + random.below(6) : 1);
    auto batch = log.begin_batch(events, events * std::uint64_t{256});
    if (!batch)
        return std::unexpected(std::move(batch.error()));
    for (std::uint32_t i = 0; i < events; ++i) {
        const std::uint64_t account = 1 + random.below(20);
        const auto amount = static_cast<std::int64_t>(random.below(500));
        const event_header where{.stream = account};
        result<receipt> placed{};
        if (random.one_in(5))
            placed = encode.append(*batch, where, [&](auto& b) {
                return bank::Createrenamed(b, account, b.CreateString("name"));
            });
        else if (random.one_in(2))
            placed = encode.append(
                *batch, where, [&](auto& b) { return bank::Createwithdrawn(b, account, amount); });
        else
            placed = encode.append(
                *batch, where, [&](auto& b) { return bank::Createdeposited(b, account, amount); });
        if (!placed)
            return std::unexpected(std::move(placed.error()));
    }
    auto done = batch->commit();
    return done ? result<void>{} : std::unexpected(std::move(done.error()));
}

[[nodiscard]] result<writer> open_log(const plan& of) {
    return writer::open(of.journal(), {.segment_bytes = 64 << 10,
                                       .sync = sync_policy::manual(),
                                       .clock_report_interval_s = 0,
                                       .populate_bytes = 64 << 10,
                                       .scrub_bytes_per_second = 0});
}

// A projector and its one projection, at one of two versions.
template <std::uint32_t Version>
class session {
  public:
    session(const plan& of, projector views) : plan_{of}, views_{std::move(views)} {}

    // Projects and retries for a while. Returns what is wrong.
    [[nodiscard]] std::string live(writer& log, encoder& encode, random_source& random) {
        if (auto added = views_.add<balances<Version>>(plan_.policy()); !added)
            return "add: " + added.error().message();
        ++page->builds;
        page->opened = true;
        const auto begun = *views_.status<balances<Version>>();
        bool was_live = begun.live;
        taken_ = begun.applied + begun.parked + begun.skipped;
        do {
            for (std::uint64_t units = random.below(30); units != 0; --units)
                if (auto appended = append_unit(log, encode, random); !appended)
                    return "append: " + appended.error().message();
            if (auto synced = log.sync(); !synced)
                return "sync: " + synced.error().message();
            for (std::uint64_t rounds = random.below(6); rounds != 0; --rounds) {
                if (auto moved = views_.advance(now); !moved)
                    return "advance: " + moved.error().message();
                if (auto wrong = check_shown(was_live); !wrong.empty())
                    return wrong;
            }
            if (auto wrong = retry_some(random); !wrong.empty())
                return wrong;
        } while (!random.one_in(20));
        if (const std::uint32_t other = 3 - Version; was_live && random.one_in(2)) {
            if (auto dropped = views_.drop("balances", other);
                !dropped && dropped.error().code != errc::not_found)
                return "drop: " + dropped.error().message();
        }
        auto closed = views_.close();
        return closed ? std::string{} : "close: " + closed.error().message();
    }

    // Applies all there is, and what was parked.
    [[nodiscard]] std::string finish(sequence_number end) {
        if (auto added = views_.add<balances<Version>>(plan_.policy()); !added)
            return "add: " + added.error().message();
        for (;;) {
            auto moved = views_.advance(now);
            if (!moved)
                return "advance: " + moved.error().message();
            if (!*moved)
                break;
        }
        std::set<std::string> keys;
        const auto parked = *views_.parked<balances<Version>>();
        for (const parked_event& each : parked)
            keys.insert(each.key);
        for (const std::string& key : keys) {
            const auto done = views_.retry<balances<Version>>(key);
            if (!done || done->left != 0)
                return "retry: " + (done ? done->why : done.error().message());
        }
        if (const auto status = *views_.status<balances<Version>>();
            !status.live || status.next != end || status.parked != 0)
            return fmt::format("in the end it stands at {} of {}, with {} events parked{}",
                               status.next, end, status.parked, status.live ? "" : ", not live");
        auto closed = views_.close();
        return closed ? std::string{} : "close: " + closed.error().message();
    }

  private:
    // What readers saw stays: they never see the read model further back.
    [[nodiscard]] std::string check_shown(bool& was_live) {
        const auto status = *views_.status<balances<Version>>();
        if (!status.live)
            return was_live ? "the projection is no longer live" : "";
        if (!was_live)
            ++page->swaps;
        was_live = true;
        if (status.next < page->shown)
            return fmt::format("readers see the events before {}, and saw those before {}",
                               status.next, page->shown.load());
        // A crash may take the position back over events that do not concern the projection.
        const std::uint64_t taken = status.applied + status.parked + status.skipped;
        if (std::exchange(taken_, taken) != taken)
            page->shown = status.next;
        page->parked = std::max<std::uint64_t>(page->parked, status.parked);
        if (status.next == 0)
            return {};
        const auto seen = views_.wait_for<balances<Version>>(status.next - 1, now);
        if (std::holds_alternative<projected::late>(seen) ||
            std::holds_alternative<projected::stopped>(seen))
            return fmt::format("wait_for does not know event {}", status.next - 1);
        return {};
    }

    [[nodiscard]] std::string retry_some(random_source& random) {
        if (!random.one_in(5))
            return {};
        const auto parked = *views_.parked<balances<Version>>();
        if (parked.empty())
            return {};
        const auto done = views_.retry<balances<Version>>(parked[random.below(parked.size())].key);
        return done ? std::string{} : "retry: " + done.error().message();
    }

    const plan& plan_;
    projector views_;
    std::uint64_t taken_ = 0;  // events that concern it; stored with the position
};

// Until it is killed. Returns what is wrong.
[[nodiscard]] std::string live(const plan& of, random_source random) {
    auto log = open_log(of);
    if (!log)
        return "open: " + log.error().message();
    for (encoder encode;;) {
        auto views = projector::open(
            of.journal(), of.database(),
            {.batch_events = 1 + random.below(std::uint64_t{1} << random.below(8))});
        if (!views)
            return "projector: " + views.error().message();
        auto wrong = random.one_in(4)
                         ? session<2>{of, std::move(*views)}.live(*log, encode, random)
                         : session<1>{of, std::move(*views)}.live(*log, encode, random);
        if (!wrong.empty())
            return wrong;
    }
}

class killer {
  public:
    explicit killer(row_program& program) : program_{program} {}

    // One journal and its database: written and killed some times, then finished.
    void one_journal(std::uint64_t number) {
        random_source random{draw(program_.seed(), number)};
        plan_ = {.directory = program_.directory() / fmt::format("journal-{}", number),
                 .skips = random.one_in(4)};
        std::filesystem::create_directories(plan_.directory);
        page->shown = 0;
        page->parked = 0;
        page->healed = false;
        const std::uint64_t lives = 1 + random.below(8);
        std::string wrong;
        for (std::uint64_t life = 0; wrong.empty() && life < lives; ++life) {
            wrong = one_life(random);
            program_.count();
            if (wrong.empty())
                wrong = check_readers();
            if (!plan_.skips && random.one_in(8))
                page->healed = true;
        }
        if (wrong.empty())
            wrong = finish(random);
        if (!wrong.empty())
            program_.failure(
                fmt::format("--first-journal {} --workers 1 --count {}", number, lives),
                fmt::format("{} (journal {}, seed {})", wrong, number, program_.seed()));
        parked_ += page->parked;
        std::filesystem::remove_all(plan_.directory);
    }

    [[nodiscard]] worker_sums sums() const noexcept {
        return {events_, parked_, page->swaps, page->builds};
    }

  private:
    [[nodiscard]] std::string one_life(random_source& random) {
        page->opened = false;
        const microseconds delay{random.below(std::uint64_t{256} << random.below(9))};
        const bool from_start = random.one_in(4);
        const std::uint64_t seed = random.next();
        const ::pid_t child = ::fork();
        if (child < 0)
            return "cannot fork";
        if (child == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            const std::string wrong = live(plan_, random_source{seed});
            std::snprintf(page->why, sizeof page->why, "%s", wrong.c_str());
            page->failed = true;
            ::_exit(1);
        }
        while (!from_start && !page->opened && !page->failed)
            ::usleep(20);
        const auto due = steady_clock::now() + delay;
        while (steady_clock::now() < due && !page->failed)
            ::usleep(20);
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        return page->failed ? std::string{page->why} : std::string{};
    }

    // As the kill left the database, before anybody repairs anything.
    [[nodiscard]] std::string check_readers() {
        const auto all = list_projections(plan_.database());
        if (!all && all.error().code == errc::not_found)
            return page->shown == 0 ? "" : "the projections are gone";
        if (!all)
            return "list: " + all.error().message();
        for (const projection_info& each : *all) {
            if (each.state == projection_state::live && each.next < page->shown)
                return fmt::format("readers see the events before {}, and saw those before {}",
                                   each.next, page->shown.load());
            // The database was empty for as long as that, or the journal not there yet.
            if (each.next == 0)
                continue;
            auto wrong = each.version == 1 ? audit<1>(each) : audit<2>(each);
            if (!wrong.empty())
                return wrong;
        }
        return {};
    }

    template <std::uint32_t Version>
    [[nodiscard]] std::string audit(const projection_info& of) {
        const auto done = equals_fold<balances<Version>>(
            plan_.journal(), plan_.database(), {.building = of.state != projection_state::live});
        if (!done)
            return "audit: " + done.error().message();
        events_ += done->applied;
        return done->difference
                   ? "version " + std::to_string(Version) + ", " +
                         std::string{to_string(of.state)} + ": " + done->difference->message()
                   : std::string{};
    }

    [[nodiscard]] std::string finish(random_source& random) {
        page->healed = !plan_.skips;
        auto log = open_log(plan_);
        if (!log)
            return "open: " + log.error().message();
        const sequence_number end = log->next_sequence();
        if (auto closed = log->close(); !closed)
            return "close: " + closed.error().message();
        auto views = projector::open(plan_.journal(), plan_.database());
        if (!views)
            return "projector: " + views.error().message();
        auto wrong = random.one_in(2) ? session<1>{plan_, std::move(*views)}.finish(end)
                                      : session<2>{plan_, std::move(*views)}.finish(end);
        return wrong.empty() ? check_readers() : wrong;
    }

    row_program& program_;
    plan plan_;
    std::uint64_t events_ = 0;
    std::uint64_t parked_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 14, .name = "projections", .counted = "kills"}, argc, argv};
    program.target({.quick = 60, .ci = 1000, .full = 100'000});
    const std::uint64_t first = program.option("--first-journal", 0);
    const auto workers = static_cast<unsigned>(program.option("--workers", usual_workers()));
    const auto sums = divide_among_workers(program, workers, [&](unsigned index) {
        page = shared_with_children<told>(program);
        if (page == nullptr)
            return worker_sums{};
        killer loop{program};
        for (std::uint64_t number = first + index; program.goes_on(); number += workers) {
            loop.one_journal(number);
            page->failed = false;
        }
        return loop.sums();
    });
    program.detail(fmt::format(
        "{} events folded and compared, {} events parked, {} builds swapped, {} projectors opened",
        sums[0], sums[1], sums[2], sums[3]));
    return program.finish();
}
