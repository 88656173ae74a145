// Row 14, with a whole service: the exchange and the process that keeps its read models are killed
// at random, one at a time or both, and started again. After each kill, every read model that the
// database holds must equal a fold, as the kill left it. While no process writes the database, what
// it says of orders, volume and money must also be what the exchange's books say at that sequence.
#include "engine.hpp"
#include "read_models.hpp"
#include "subcommands.hpp"
#include "support/generated_log.hpp"
#include "support/row_program.hpp"
#include "support/workers.hpp"

#include <fmt/core.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pawl/codec/utc_time.hpp>
#include <pawl/journal/cursor.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/replay/fold.hpp>
#include <pawl/sqlite/projection_audit.hpp>
#include <pawl/sqlite/projection_catalog.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

using namespace pawl::test;
using std::chrono::microseconds;

namespace {

// A function in a process of its own, which must not end by itself.
class process {
  public:
    process() = default;
    process(const process&) = delete;
    process& operator=(const process&) = delete;
    ~process() { kill(); }

    [[nodiscard]] bool runs() const noexcept { return id_ > 0; }
    [[nodiscard]] bool start(const std::function<int()>& body) {
        id_ = ::fork();
        if (id_ != 0)
            return id_ > 0;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (std::freopen("/dev/null", "w", stdout) == nullptr)
            ::_exit(3);
        ::_exit(body());
    }
    [[nodiscard]] bool ended() noexcept {
        return runs() &&
               ::waitid(P_PID, static_cast<::id_t>(id_), &how_, WEXITED | WNOHANG | WNOWAIT) == 0 &&
               how_.si_pid != 0;
    }
    // False if it had ended before.
    bool kill() noexcept {
        if (!runs())
            return true;
        int status = 0;
        ::kill(id_, SIGKILL);
        ::waitpid(id_, &status, 0);
        id_ = 0;
        return WIFSIGNALED(status);
    }

  private:
    ::pid_t id_ = 0;
    ::siginfo_t how_{};
};

// The numbers that queries of a reader give, at any one moment.
class reader {
  public:
    explicit reader(const std::filesystem::path& database) {
        sqlite3* opened = nullptr;
        const int done = sqlite3_open_v2(database.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
        database_.reset(opened);
        if (done != SQLITE_OK)
            database_.reset();
    }
    // -1 if the query fails.
    [[nodiscard]] std::int64_t ask(const std::string& query) const {
        sqlite3_stmt* made = nullptr;
        if (!database_ ||
            sqlite3_prepare_v2(database_.get(), query.c_str(), -1, &made, nullptr) != SQLITE_OK)
            return -1;
        const std::int64_t found =
            sqlite3_step(made) == SQLITE_ROW ? sqlite3_column_int64(made, 0) : -1;
        sqlite3_finalize(made);
        return found;
    }

  private:
    struct close {
        void operator()(sqlite3* opened) const noexcept { sqlite3_close(opened); }
    };
    std::unique_ptr<sqlite3, close> database_;
};

class service {
  public:
    service(row_program& program, std::uint64_t number)
        : program_{program},
          random_{draw(program.seed(), number)},
          directory_{program.directory() / fmt::format("exchange-{}", number)} {
        std::filesystem::create_directories(directory_);
        clients_ = {.directory = directory_ / "journal",
                    .commands = 1'000'000'000,
                    .seed = random_.next(),
                    .sessions = static_cast<std::uint16_t>(1 + random_.below(4)),
                    .segment_bytes = 256 << 10,
                    .snapshot_every = 500 + random_.below(5000)};
        if (random_.one_in(2)) {
            const auto now = std::chrono::system_clock::now().time_since_epoch();
            const std::chrono::nanoseconds ends = now + std::chrono::milliseconds{300};
            pawl::append_utc(clients_.day_ends, static_cast<std::uint64_t>(ends.count()));
        }
        views_ = {
            .directory = clients_.directory, .database = directory_ / "views.db", .follow = true};
    }
    service(const service&) = delete;
    service& operator=(const service&) = delete;
    ~service() {
        exchange_.kill();
        keeper_.kill();
        std::filesystem::remove_all(directory_);
    }

    // Lets both live for a while and kills at least one. Returns what is wrong.
    [[nodiscard]] std::string live_and_die() {
        if (!exchange_.runs() && !exchange_.start([this] { return exchange::run(clients_); }))
            return "cannot fork";
        if (auto wrong = await_journal(); !wrong.empty())
            return wrong;
        if (!keeper_.runs() && !keeper_.start([this] { return exchange::views(views_); }))
            return "cannot fork";
        ::usleep(static_cast<::useconds_t>(random_.below(std::uint64_t{512} << random_.below(9))));
        const std::uint64_t which = random_.below(3);
        if (which != 0 && !exchange_.kill())
            return "the exchange ended by itself";
        if (which != 1 && !keeper_.kill())
            return "the process that keeps the read models ended by itself";
        program_.count();
        return check();
    }

    // Applies what is left and checks once more.
    [[nodiscard]] std::string finish() {
        if (!exchange_.kill())
            return "the exchange ended by itself";
        if (!keeper_.kill())
            return "the process that keeps the read models ended by itself";
        // What was published but not durable is so after a recovery.
        auto log = pawl::writer::open(clients_.directory);
        if (!log)
            return "recover: " + log.error().message();
        if (auto closed = log->close(); !closed)
            return "close: " + closed.error().message();
        views_.follow = false;
        if (exchange::views(views_) != 0)
            return "the read models cannot be brought up to date";
        if (auto wrong = check(); !wrong.empty())
            return wrong;
        for (const char* name : {"orders", "candles", "positions"})
            if (auto wrong = check_end(name); !wrong.empty())
                return wrong;
        return {};
    }

    [[nodiscard]] std::uint64_t audited() const noexcept { return audited_; }
    [[nodiscard]] std::uint64_t compared() const noexcept { return compared_; }

  private:
    // The keeper needs a journal, and the first exchange makes it.
    [[nodiscard]] std::string await_journal() {
        while (!pawl::cursor::open(clients_.directory)) {
            if (exchange_.ended())
                return "the exchange made no journal";
            ::usleep(200);
        }
        return {};
    }

    [[nodiscard]] std::string check() {
        const auto all = pawl::list_projections(views_.database);
        if (!all)
            return all.error().code == pawl::errc::not_found ? std::string{}
                                                             : "list: " + all.error().message();
        for (const pawl::projection_info& each : *all) {
            // The keeper may still be writing, and adds a projection after the database is there.
            if (each.next == 0 || each.state != pawl::projection_state::live)
                continue;
            auto wrong = each.name == "orders"    ? audit<exchange::order_history>(each)
                         : each.name == "candles" ? audit<exchange::minute_candles>(each)
                                                  : audit<exchange::account_positions>(each);
            if (wrong.empty() && !keeper_.runs())
                wrong = compare_with_books(each);
            if (!wrong.empty())
                return each.name + ": " + wrong;
        }
        return {};
    }

    // The position moves over events that do not concern a read model, but is then not stored.
    [[nodiscard]] std::string check_end(const std::string& name) {
        const pawl::sequence_number next = next_of_[name];
        auto rest = pawl::cursor::open(clients_.directory, {.from = pawl::from_sequence{next}});
        if (!rest)
            return "open: " + rest.error().message();
        while (const pawl::event* e = rest->next()) {
            const bool is_trade = e->type() == pawl::event_traits<exchange::filled>::type ||
                                  e->type() == pawl::event_traits<exchange::busted>::type;
            const bool is_order = e->type() < pawl::first_reserved_type &&
                                  e->type() != pawl::event_traits<exchange::rejected>::type;
            if (is_trade || (is_order && name == "orders"))
                return fmt::format("in the end {} stands at {}, before event {}", name, next,
                                   e->sequence());
        }
        const auto end = rest->finish();
        return end ? std::string{} : end.error().message();
    }

    // What readers saw must not be gone.
    template <class Model>
    [[nodiscard]] std::string audit(const pawl::projection_info& of) {
        const auto done = pawl::equals_fold<Model>(clients_.directory, views_.database);
        if (!done)
            return done.error().message();
        if (done->difference)
            return done->difference->message();
        auto& seen = next_of_[of.name];
        if (done->next < seen)
            return fmt::format("readers see the events before {}, and saw those before {}",
                               done->next, seen);
        seen = done->next;
        audited_ += done->applied;
        return {};
    }

    [[nodiscard]] std::string compare_with_books(const pawl::projection_info& of) {
        auto events = pawl::cursor::open(clients_.directory);
        if (!events)
            return events.error().message();
        exchange::exchange_state books = exchange::engine::initial();
        pawl::fold_progress progress;
        if (auto done = pawl::fold_until(*events, exchange::engine{}, books, progress, of.next);
            !done)
            return done.error().message();
        const reader database{views_.database};
        const auto same = [&](const std::string& query, std::int64_t wanted) {
            ++compared_;
            const std::int64_t found = database.ask(query);
            return found == wanted ? std::string{}
                                   : fmt::format("at {}, the database has {} and the books {}: {}",
                                                 of.next, found, wanted, query);
        };
        if (of.name == "candles")
            return same("select coalesce(sum(volume), 0) from candles",
                        static_cast<std::int64_t>(books.filled_quantity));
        if (of.name == "orders") {
            std::int64_t open = 0;
            for (const exchange::book& each : books.books)
                open += static_cast<std::int64_t>(each.orders(exchange::side::buy) +
                                                  each.orders(exchange::side::sell));
            return same("select count(*) from orders where state = 'open'", open);
        }
        for (std::size_t n = 0; n < books.accounts.size(); ++n)
            if (auto wrong =
                    same(fmt::format(
                             "select coalesce(sum(paid), 0) from positions where account = {}", n),
                         books.accounts[n].balance);
                !wrong.empty())
                return wrong;
        return {};
    }

    row_program& program_;
    random_source random_;
    std::filesystem::path directory_;
    exchange::run_options clients_;
    exchange::views_options views_;
    process exchange_;
    process keeper_;
    std::map<std::string, pawl::sequence_number> next_of_;
    std::uint64_t audited_ = 0;
    std::uint64_t compared_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 14, .name = "exchange_kills", .counted = "kills"}, argc, argv};
    program.target({.quick = 8, .ci = 30, .full = 500});
    const std::uint64_t first = program.option("--first-journal", 0);
    const auto workers = static_cast<unsigned>(program.option("--workers", usual_workers()));
    const auto sums = divide_among_workers(program, workers, [&](unsigned index) {
        worker_sums mine{};
        for (std::uint64_t number = first + index; program.goes_on(); number += workers) {
            service one{program, number};
            std::string wrong;
            std::uint64_t lives = 0;
            for (; wrong.empty() && program.goes_on() &&
                   lives < 1 + draw(program.seed(), ~number) % 8;
                 ++lives)
                wrong = one.live_and_die();
            if (wrong.empty())
                wrong = one.finish();
            if (!wrong.empty())
                program.failure(
                    fmt::format("--first-journal {} --workers 1 --count {}", number, lives),
                    fmt::format("{} (journal {}, seed {})", wrong, number, program.seed()));
            mine[0] += one.audited();
            mine[1] += one.compared();
        }
        return mine;
    });
    program.detail(
        fmt::format("{} events applied again by equals_fold, {} figures compared with "
                    "the books",
                    sums[0], sums[1]));
    return program.finish();
}
