// Row 10: readers never see a torn event and never die. One writer appends, rolls over, is stopped
// and continued, and is killed and followed by another; readers in threads and in processes follow
// it all along, go back to places that they remember, and check every event against what was
// written.
#include "support/failure_text.hpp"
#include "support/generated_log.hpp"
#include "support/row_program.hpp"

#include <fmt/core.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/writer.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <new>
#include <string>
#include <thread>
#include <vector>

using namespace pawl;
using namespace pawl::test;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t readers_in_threads = 4;
constexpr std::size_t readers_in_processes = 4;
constexpr std::size_t all_readers = readers_in_threads + readers_in_processes;
constexpr std::uint64_t segment_bytes = std::uint64_t{1} << 20;
constexpr generated_log::sizes small_events{.usual = 24, .largest = 3000};

struct alignas(64) reader_result {
    std::atomic<std::uint64_t> reads{0};
    std::atomic<std::uint64_t> returns{0};  // to a place it remembered
    std::atomic<bool> done{false};
    std::atomic<bool> failed{false};
    char why[400]{};
};

// On pages that all processes of a round share.
struct shared_round {
    std::atomic<std::uint64_t> published{0};
    std::atomic<std::uint64_t> rollovers{0};
    std::atomic<bool> opened{false};
    std::atomic<bool> writer_failed{false};
    std::atomic<bool> no_more{false};  // `published` is the end
    char why[400]{};
    std::array<reader_result, all_readers> readers;
};

template <std::size_t Size>
void note(char (&into)[Size], const std::string& text) {
    std::snprintf(into, Size, "%s", text.c_str());
}

[[noreturn]] void write_on(const std::filesystem::path& directory, std::uint64_t log_seed,
                           shared_round& shared, std::uint64_t until) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    writer_options options;
    options.segment_bytes = segment_bytes;
    options.sync = sync_policy::every_us(1000);
    options.scrub_bytes_per_second = 0;
    options.expected_streams = 64;
    auto log = writer::open(directory, options);
    if (!log) {
        note(shared.why, "open: " + log.error().message());
        shared.writer_failed = true;
        ::_exit(1);
    }
    shared.opened = true;
    generated_log source{log_seed, small_events};
    const std::uint64_t rollovers = shared.rollovers;
    while (log->next_sequence() < until) {
        auto placed = source.append_unit(*log);
        if (!placed) {
            note(shared.why, "append: " + failure_text(*log, placed.error()));
            shared.writer_failed = true;
            ::_exit(1);
        }
        shared.published.store(placed->sequence + 1, std::memory_order_release);
        shared.rollovers.store(rollovers + log->statistics().rollovers, std::memory_order_relaxed);
    }
    // Not closed: the next life recovers.
    ::_exit(0);
}

// A place to return to, with all that is known about the log up to there.
struct bookmark {
    log_point point;
    generated_log_check check;
};

class following {
  public:
    following(std::filesystem::path directory, std::uint64_t log_seed, shared_round& shared,
              reader_result& out, std::uint64_t seed)
        : directory_{std::move(directory)},
          check_{generated_log{log_seed, small_events}},
          shared_{shared},
          out_{out},
          random_{seed} {}

    void run() {
        const std::string wrong = follow();
        if (!wrong.empty()) {
            note(out_.why, wrong);
            out_.failed = true;
        }
        out_.done = true;
    }

  private:
    [[nodiscard]] std::string follow() {
        options_.follow = true;
        // If there are more readers than processors, a spinning one only delays the others.
        options_.wait = random_.one_in(16)  ? wait_strategy::spin
                        : random_.one_in(3) ? wait_strategy::yield
                                            : wait_strategy::block;
        bookmarks_.push_back({log_point{}, check_});
        auto events = open_at({});
        if (!events)
            return "open: " + events.error().message();
        for (;;) {
            if (auto wrong = read_to_the_tail(*events); !wrong.empty())
                return wrong;
            const bool at_end = shared_.no_more.load(std::memory_order_acquire) &&
                                events->next_sequence() == shared_.published.load();
            if (at_end)
                return check_.check_end();
            if (random_.one_in(8)) {
                // Read again from some remembered place.
                const bookmark& from = bookmarks_[random_.below(bookmarks_.size())];
                check_ = from.check;
                events = open_at(from.point);
                if (!events)
                    return "return: " + events.error().message();
                out_.returns.fetch_add(1, std::memory_order_relaxed);
                continue;
            }
            auto more = events->wait(milliseconds{20});
            if (!more)
                return "wait: " + more.error().message();
        }
    }

    [[nodiscard]] result<cursor> open_at(const log_point& point) {
        options_.from = from_point{point};
        return cursor::open(directory_, options_);
    }

    [[nodiscard]] std::string read_to_the_tail(cursor& events) {
        std::uint64_t reads = 0;
        std::string wrong;
        while (const event* e = events.next()) {
            wrong = check_.check(*e);
            if (!wrong.empty())
                break;
            ++reads;
            constexpr std::uint64_t between_bookmarks = 100'000;
            if (!e->more_in_batch() && check_.next_sequence() >= next_bookmark_) {
                next_bookmark_ = check_.next_sequence() + between_bookmarks;
                bookmarks_.push_back({events.point(), check_});
            }
        }
        out_.reads.fetch_add(reads, std::memory_order_relaxed);
        if (wrong.empty() && events.next_sequence() < shared_.published.load() &&
            shared_.no_more.load())
            return fmt::format("sees the end at {}, not at {}", events.next_sequence(),
                               shared_.published.load());
        return wrong;
    }

    std::filesystem::path directory_;
    generated_log_check check_;
    shared_round& shared_;
    reader_result& out_;
    random_source random_;
    cursor_options options_{};
    std::vector<bookmark> bookmarks_;
    sequence_number next_bookmark_ = 50'000;
};

struct totals {
    std::uint64_t rounds = 0;
    std::uint64_t kills = 0;
    std::uint64_t stops = 0;
    std::uint64_t rollovers = 0;
    std::uint64_t returns = 0;
};

class readers_round {
  public:
    readers_round(row_program& program, shared_round& shared, std::uint64_t number)
        : program_{program},
          shared_{shared},
          random_{draw(program.seed(), number)},
          log_seed_{random_.next()},
          directory_{program.directory() / fmt::format("round-{}", number)} {}

    [[nodiscard]] std::string run(std::uint64_t events, totals& sums) {
        // The journal must exist before the first reader looks for it.
        const ::pid_t first = start_writer(1);
        ::waitpid(first, nullptr, 0);
        std::vector<::pid_t> processes;
        for (std::size_t i = 0; i < readers_in_processes; ++i)
            processes.push_back(start_reader_process(i));
        const ::pid_t threads = start_reader_threads();
        std::string wrong = drive_writers(events, sums);
        shared_.no_more.store(true, std::memory_order_release);
        processes.push_back(threads);
        for (const ::pid_t process : processes) {
            int status = 0;
            ::waitpid(process, &status, 0);
            if (wrong.empty() && status != 0)
                wrong = fmt::format("a reader process died with status {:x}", status);
        }
        for (const reader_result& reader : shared_.readers) {
            program_.count(reader.reads);
            sums.returns += reader.returns;
            if (reader.failed)
                wrong = fmt::format("reader: {}", reader.why);
            else if (wrong.empty() && !reader.done)
                wrong = "a reader did not end";
        }
        sums.rollovers += shared_.rollovers;
        ++sums.rounds;
        std::filesystem::remove_all(directory_);
        return wrong;
    }

  private:
    [[nodiscard]] ::pid_t start_writer(std::uint64_t until) {
        shared_.opened = false;
        const ::pid_t child = ::fork();
        if (child == 0)
            write_on(directory_, log_seed_, shared_, until);
        return child;
    }

    [[nodiscard]] ::pid_t start_reader_process(std::size_t i) {
        const ::pid_t child = ::fork();
        if (child != 0)
            return child;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        following{directory_, log_seed_, shared_, shared_.readers[i], random_.next() + i}.run();
        ::_exit(0);
    }

    // The threads are in a separate process, so that the driver may fork.
    [[nodiscard]] ::pid_t start_reader_threads() {
        const ::pid_t child = ::fork();
        if (child != 0)
            return child;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        std::vector<std::thread> threads;
        for (std::size_t i = readers_in_processes; i < all_readers; ++i) {
            const std::uint64_t seed = random_.next() + i;
            threads.emplace_back([this, i, seed] {
                following{directory_, log_seed_, shared_, shared_.readers[i], seed}.run();
            });
        }
        for (auto& thread : threads)
            thread.join();
        ::_exit(0);
    }

    // Runs one writer after another until the log is long enough.
    [[nodiscard]] std::string drive_writers(std::uint64_t events, totals& sums) {
        while (shared_.published < events) {
            const ::pid_t writer = start_writer(events);
            while (!shared_.opened && !shared_.writer_failed)
                ::usleep(100);
            const auto life = milliseconds{5 + random_.below(300)};
            const auto end = steady_clock::now() + life;
            while (steady_clock::now() < end && shared_.published < events &&
                   !shared_.writer_failed) {
                ::usleep(static_cast<::useconds_t>(500 + random_.below(5000)));
                if (!random_.one_in(3))
                    continue;
                ::kill(writer, SIGSTOP);
                ::usleep(static_cast<::useconds_t>(random_.below(3000)));
                ::kill(writer, SIGCONT);
                ++sums.stops;
            }
            ::kill(writer, SIGKILL);
            ::waitpid(writer, nullptr, 0);
            ++sums.kills;
            if (shared_.writer_failed)
                return std::string{"writer: "} + shared_.why;
            for (const reader_result& reader : shared_.readers) {
                if (reader.failed)
                    return {};
            }
        }
        return settle();
    }

    // The last writer was killed, so what a recovery finds is what was published.
    [[nodiscard]] std::string settle() {
        writer_options options;
        options.segment_bytes = segment_bytes;
        options.expected_streams = 64;
        options.background_threads = false;
        options.full = when_full::fail;
        auto log = writer::open(directory_, options);
        if (!log)
            return "open: " + log.error().message();
        if (log->next_sequence() < shared_.published)
            return "a recovery lost published events";
        shared_.published = log->next_sequence();
        auto closed = log->close();
        return closed ? std::string{} : "close: " + failure_text(*log, closed.error());
    }

    row_program& program_;
    shared_round& shared_;
    random_source random_;
    std::uint64_t log_seed_;
    std::filesystem::path directory_;
};

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 10, .name = "readers", .counted = "reads"}, argc, argv};
    program.target({.quick = 1'000'000, .ci = 1'000'000'000, .full = 10'000'000'000});
    const std::uint64_t first = program.option("--first-round", 0);
    const std::uint64_t events =
        program.option("--events", program.mode() == row_mode::quick ? 100'000 : 1'500'000);
    void* pages = ::mmap(nullptr, sizeof(shared_round), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        program.failure("", "no shared memory");
        return program.finish();
    }
    totals sums;
    for (std::uint64_t number = first; program.goes_on(); ++number) {
        auto* shared = new (pages) shared_round{};
        readers_round round{program, *shared, number};
        if (auto wrong = round.run(events, sums); !wrong.empty()) {
            program.failure(fmt::format("--first-round {} --count 1 --events {} --seed {}", number,
                                        events, program.seed()),
                            wrong);
        }
    }
    if (program.reached() != 0)
        program.detail(
            fmt::format("{} rounds, {} rollovers, {} writers killed, {} stops, {} "
                        "returns to an earlier place",
                        sums.rounds, sums.rollovers, sums.kills, sums.stops, sums.returns));
    return program.finish();
}
