// What grows with the journal? The same questions at sizes that grow by factors of four, with
// streams of two, ten and a thousand events: reading one stream, reading what a conflict missed,
// opening and closing.

#include "contenders/pawl_contenders.hpp"
#include "contenders/question.hpp"
#include "contenders/stored_journal.hpp"
#include "measure/clock.hpp"
#include "measure/contest.hpp"
#include "measure/mapping.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bench {
namespace {

constexpr std::uint64_t factor = 4;
constexpr std::uint64_t most_streams = 10'000'000;
// Streams whose events alternate: an order is seldom the only one alive.
constexpr std::uint64_t at_once = 64;
// What a writer appends before it is killed.
constexpr std::uint64_t killed_events = 20'000;

struct shape {
    std::uint64_t events;
    std::uint64_t each;  // events of a stream

    [[nodiscard]] pawl::stream_id stream_of(std::uint64_t i) const noexcept {
        return 1 + i / (at_once * each) * at_once + i % at_once;
    }
    // Those that are complete.
    [[nodiscard]] std::uint64_t streams() const noexcept {
        return events / (at_once * each) * at_once;
    }
    [[nodiscard]] std::string text() const {
        return fmt::format("{} events, {} a stream", events, each);
    }
};

std::vector<std::uint64_t> sizes(const options& asked) {
    constexpr std::uint64_t smallest = 390'625;
    // Larger ones need about 20 GB and many minutes: only for those who ask for this question.
    const bool by_name = std::ranges::find(asked.only, "scale") != asked.only.end();
    const std::uint64_t largest = asked.quick ? smallest : by_name ? 100'000'000 : 6'250'000;
    std::vector<std::uint64_t> made;
    made.reserve(8);
    for (auto events = asked.quick ? smallest / (factor * factor) : smallest; events <= largest;
         events *= factor) {
        made.push_back(events);
    }
    return made;
}

pawl::writer_options scale_options(const options& asked) {
    auto made = one_segment_options(asked);
    made.segment_bytes = std::size_t{asked.quick ? 1U : 64U} << 20;
    made.populate_bytes = std::min<std::uint64_t>(pawl::writer_options{}.populate_bytes,
                                                  std::uint64_t{made.segment_bytes});
    return made;
}

// A journal of one shape, and the ways to look at it.
class grown_journal {
  public:
    grown_journal(const std::filesystem::path& directory, const options& asked, const shape& of)
        : shape_(of), settings_(scale_options(asked)) {
        const std::vector<std::byte> payload(64, std::byte{1});
        stored_ =
            store_journal(directory, of.events, settings_, [&](pawl::writer& log, std::uint64_t i) {
                return log.append({.type = 1, .stream = of.stream_of(i)}, payload).has_value();
            });
    }

    [[nodiscard]] contender read_one_stream() const {
        constexpr std::uint64_t reads = 20;
        const auto next = std::make_shared<std::uint64_t>(0);
        return asked_of("read one stream", [*this, next]() -> sample {
            const auto start = ticks();
            for (std::uint64_t i = 0; i < reads; ++i) {
                // All over the journal, by steps of the golden ratio.
                const auto step = static_cast<double>((*next)++) * 0.6180339887498949;
                const double place = step - static_cast<double>(static_cast<std::uint64_t>(step));
                read_stream(
                    1 + static_cast<std::uint64_t>(place * static_cast<double>(shape_.streams())));
            }
            return {.events = reads, .total_ns = elapsed_ns(start)};
        });
    }

    [[nodiscard]] contender read_missed_event() const {
        constexpr std::uint64_t reads = 1000;
        const auto log = std::make_shared<std::optional<pawl::writer>>();
        auto made = asked_of("read one event that a conflict missed", [*this, log]() -> sample {
            const auto stream = shape_.stream_of(0);
            const auto start = ticks();
            std::uint64_t seen = 0;
            for (std::uint64_t i = 0; i < reads; ++i) {
                seen += must((*log)->read_since(stream, (*log)->version(stream) - 1,
                                                [](const pawl::event&) {}),
                             "read what a conflict missed");
            }
            if (seen != reads) {
                throw failure("another number of events was missed");
            }
            return {.events = reads, .total_ns = elapsed_ns(start)};
        });
        made.begin = [*this, log] {
            log->emplace(open());
            must((*log)->append({.type = 1, .stream = shape_.stream_of(0)}, {}), "append");
        };
        made.end = [log] {
            must((*log)->close(), "close a journal");
            log->reset();
        };
        return made;
    }

    [[nodiscard]] contender open_closed() const {
        return asked_of("open after a close", [*this]() -> sample {
            const auto start = ticks();
            auto log = open();
            const auto taken = elapsed_ns(start);
            must(log.close(), "close a journal");
            return {.events = 1, .total_ns = taken};
        });
    }

    [[nodiscard]] contender close_unchanged() const {
        return asked_of("close, nothing appended", [*this]() -> sample {
            auto log = open();
            const auto start = ticks();
            must(log.close(), "close a journal");
            return {.events = 1, .total_ns = elapsed_ns(start)};
        });
    }

    [[nodiscard]] contender open_killed() const {
        const auto name = fmt::format("open after a kill, {} events appended", killed_events);
        return asked_of(name, [*this]() -> sample {
            kill_a_writer();
            const auto start = ticks();
            auto log = open();
            const auto taken = elapsed_ns(start);
            must(log.close(), "close a journal");
            return {.events = 1, .total_ns = taken};
        });
    }

  private:
    [[nodiscard]] contender asked_of(const std::string& what, std::function<sample()> run) const {
        return {.name = "pawl",
                .variant = fmt::format("{}: {}", what, shape_.text()),
                .options = describe(settings_),
                .run = std::move(run)};
    }

    [[nodiscard]] pawl::writer open() const {
        return must(pawl::writer::open(stored_.directory, settings_), "open a journal");
    }

    void read_stream(pawl::stream_id stream) const {
        auto events = must(pawl::cursor::open(stored_.directory, {.stream = stream}),
                           "open a cursor of one stream");
        std::uint64_t seen = 0;
        while (events.next() != nullptr) {
            ++seen;
        }
        // The first stream gets further events from those who ask about conflicts.
        if (stream != shape_.stream_of(0) && seen != shape_.each) {
            throw failure("a stream has another number of events");
        }
    }

    // New streams of two events each.
    void kill_a_writer() const {
        const pid_t child = fork();
        if (child < 0) {
            fail_errno("fork");
        }
        if (child == 0) {
            auto log = pawl::writer::open(stored_.directory, settings_);
            bool failed = !log;
            const std::vector<std::byte> payload(64, std::byte{1});
            const std::uint64_t first = failed ? 0 : log->next_sequence();
            for (std::uint64_t i = first; i < first + killed_events && !failed; ++i) {
                failed = !log->append({.type = 1, .stream = most_streams * 2 + i / 2}, payload);
            }
            _exit(failed ? 1 : 0);
        }
        int status = 0;
        waitpid(child, &status, 0);
        if (status != 0) {
            throw failure("the writer that was to be killed failed");
        }
    }

    shape shape_;
    pawl::writer_options settings_;
    stored_journal stored_;
};

struct target {
    const char* question;
    double unit_ns;
    double most;
};

void ask_in_turns(context& run, const shape& of, bool largest,
                  const std::vector<std::pair<contender, target>>& asked) {
    contest turns("scale");
    std::vector<contest::id> ids;
    ids.reserve(asked.size());
    for (const auto& [who, limit] : asked) {
        ids.push_back(turns.add(who));
    }
    turns.run(run.asked.few_rounds(), 1, run.progress);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        run.found.rows.push_back(turns.line(ids[i]));
        if (!largest) {
            continue;
        }
        const target& limit = asked[i].second;
        run.found.verdicts.push_back(
            {.question = fmt::format("{}: {}", limit.question, of.text()),
             .reached = turns.median(ids[i], figure::mean) / limit.unit_ns,
             .limit = limit.most,
             .note = run.asked.quick ? "the target is for 100 M events" : ""});
    }
}

void ask_about(context& run, const shape& of, bool largest) {
    const scratch_directory scratch(run.asked.directory);
    run.progress("scale: writing " + of.text());
    const grown_journal journal(scratch.path() / "journal", run.asked, of);
    // There is one writer at a time, so what opens one has the journal for itself.
    ask_in_turns(run, of, largest,
                 {{journal.read_one_stream(), {"ms to read one stream", 1e6, 1}},
                  {journal.read_missed_event(), {"us to read one missed event", 1e3, 5}}});
    ask_in_turns(run, of, largest,
                 {{journal.open_closed(), {"ms to open after a close", 1e6, 50}},
                  {journal.close_unchanged(), {"ms to close, nothing appended", 1e6, 100}},
                  {journal.open_killed(), {"ms to open after a kill", 1e6, 100}}});
}

}  // namespace

void ask_scale(context& run) {
    const auto all = sizes(run.asked);
    for (const std::uint64_t each : {std::uint64_t{2}, std::uint64_t{10}, std::uint64_t{1000}}) {
        for (const auto events : all) {
            if (events / each > most_streams) {
                break;
            }
            const bool largest = events == all.back() || events * factor / each > most_streams;
            ask_about(run, {.events = events, .each = each}, largest);
        }
    }
}

}  // namespace bench
