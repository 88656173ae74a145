// Row 16 at its size: a journal of many streams is pruned to its last tenth. What the events that
// went have left behind is still known, and a reader that stands before the cut is told so.
#include "support/failure_text.hpp"
#include "support/row_program.hpp"

#include <fmt/core.h>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/prune.hpp>
#include <pawl/journal/writer.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

// Of the streams, the odd ones hold events in the first tenth of the log only. Some streams of
// names follow the numbered ones.
struct log_plan {
    std::uint64_t events = 0;

    [[nodiscard]] std::uint64_t streams() const {
        return std::clamp<std::uint64_t>(events / 10, 2, 1'000'000) & ~std::uint64_t{1};
    }
    [[nodiscard]] std::uint64_t names() const { return std::min<std::uint64_t>(streams(), 1000); }
    [[nodiscard]] std::uint64_t early() const { return events / 10; }
    [[nodiscard]] stream_id stream_of(std::uint64_t i) const {
        return i < early() ? 1 + i % streams() : 2 + i % (streams() / 2) * 2;
    }
    // About a hundred segments, so that a tenth of the log is several.
    [[nodiscard]] std::uint64_t segment_bytes() const {
        constexpr std::uint64_t unit = std::uint64_t{64} << 10;
        constexpr std::uint64_t frame = 72;
        return std::clamp(events * frame / 100 / unit * unit, unit, std::uint64_t{256} << 20);
    }
    [[nodiscard]] std::uint64_t versions_of(stream_id stream) const {
        std::uint64_t count = 0;
        const std::uint64_t s = streams();
        if (stream <= s)
            count += early() / s + (stream - 1 < early() % s ? 1 : 0);
        if (stream % 2 == 0) {
            const std::uint64_t place = (stream - 2) / 2;
            const auto below = [&](std::uint64_t end) {
                const std::uint64_t half = s / 2;
                return end / half + (place < end % half ? 1 : 0);
            };
            count += below(events) - below(early());
        }
        return count;
    }
};

[[nodiscard]] std::string name_of(std::uint64_t i) {
    return fmt::format("account {}", i);
}

class pruned_log {
  public:
    pruned_log(fs::path directory, log_plan plan, row_program& program)
        : directory_{std::move(directory)}, plan_{plan}, program_{program} {}

    void run() {
        if (!write())
            return;
        auto reader = cursor::open(directory_);
        if (!reader || reader->next() == nullptr)
            return fail("a reader at the beginning sees no event");
        if (!prune_to_last_tenth())
            return;
        check_readers(*reader);
        check_writer();
        check_streams();
        program_.detail(fmt::format("{} streams; wrote in {} ms, pruned in {} ms, opened in {} ms",
                                    plan_.streams(), wrote_ms_, pruned_ms_, opened_ms_));
    }

  private:
    using clock = std::chrono::steady_clock;
    [[nodiscard]] static std::int64_t ms_since(clock::time_point begin) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - begin).count();
    }
    void fail(const std::string& what) { program_.failure("--seed 1", what); }
    [[nodiscard]] bool check(bool holds, const std::string& what) {
        if (!holds)
            fail(what);
        return holds;
    }
    [[nodiscard]] result<writer> open() const {
        return writer::open(directory_, {.segment_bytes = plan_.segment_bytes(),
                                         .sync = sync_policy::manual(),
                                         .clock_report_interval_s = 0,
                                         .expected_streams = plan_.streams(),
                                         .scrub_bytes_per_second = 0});
    }

    [[nodiscard]] bool write() {
        const auto begin = clock::now();
        auto log = open();
        if (!log) {
            fail("cannot be created: " + log.error().message());
            return false;
        }
        for (std::uint64_t i = 0; i < plan_.names(); ++i)
            (void)log->stream(name_of(i));
        for (std::uint64_t i = 0; i < plan_.events; ++i) {
            const auto placed = log->append({.type = 1, .stream = plan_.stream_of(i)},
                                            std::as_bytes(std::span{&i, 1}));
            if (!placed) {
                fail(fmt::format("event {} cannot be appended: {}", i,
                                 failure_text(*log, placed.error())));
                return false;
            }
        }
        const auto closed = log->close();
        wrote_ms_ = ms_since(begin);
        return check(closed.has_value(), "the journal cannot be closed");
    }

    [[nodiscard]] bool prune_to_last_tenth() {
        const auto begin = clock::now();
        const auto done = prune(directory_, {.before = plan_.events - plan_.events / 10});
        if (!done) {
            fail("the prune failed: " + done.error().message());
            return false;
        }
        pruned_ms_ = ms_since(begin);
        first_ = done->first_sequence;
        const std::uint64_t wanted = plan_.events - plan_.events / 10;
        return check(
            first_ <= wanted && first_ > wanted - plan_.events / 10,
            fmt::format("the log begins with {}, events below {} were to go", first_, wanted));
    }

    void check_readers(cursor& before) {
        sequence_number next = 1;
        while (const event* e = before.next()) {
            if (e->sequence() != next++)
                return fail("a reader before the cut missed an event");
        }
        const auto end = before.finish();
        (void)check(!end && end.error().code == errc::pruned && end.error().sequence == first_,
                    "a reader before the cut is not told that the log was pruned");
        const auto early = cursor::open(directory_, {.from = from_sequence{first_ - 1}});
        (void)check(
            !early && early.error().code == errc::pruned && early.error().sequence == first_,
            "a cursor opens before the cut");
        auto rest = cursor::open(directory_);
        const auto read = rest ? rest->for_each([](const event&) {}) : result<std::uint64_t>{0};
        (void)check(read && *read == plan_.events - first_, "the rest cannot be read");
    }

    void check_writer() {
        const auto begin = clock::now();
        auto log = open();
        if (!log)
            return fail("cannot be opened after the prune: " + log.error().message());
        opened_ms_ = ms_since(begin);
        (void)check(log->next_sequence() == plan_.events, "the writer goes on elsewhere");
        for (stream_id stream = 1; stream <= plan_.streams(); ++stream) {
            if (log->version(stream) != plan_.versions_of(stream))
                return fail(fmt::format("stream {} is at version {} of {}", stream,
                                        log->version(stream), plan_.versions_of(stream)));
        }
        for (std::uint64_t i = 0; i < plan_.names(); ++i) {
            const auto given = log->stream(name_of(i));
            if (!given || *given != first_named_stream + i)
                return fail("the name '" + name_of(i) + "' has another number");
        }
        const auto fresh = log->stream("another account");
        (void)check(fresh && *fresh == first_named_stream + plan_.names(),
                    "a new name does not get the next number");
        const stream_version idle = plan_.versions_of(1);
        const auto stale =
            log->append({.type = 1, .stream = 1, .expected = expect::exactly(idle + 1)}, {});
        (void)check(
            !stale && stale.error().code == errc::conflict && stale.error().actual_version == idle,
            "a wrong version of an idle stream is no conflict");
        const auto placed =
            log->append({.type = 1, .stream = 1, .expected = expect::exactly(idle)}, {});
        (void)check(placed && placed->version == idle + 1, "an idle stream does not go on");
        (void)check(log->close().has_value(), "cannot be closed after the prune");
    }

    void check_streams() {
        const auto versions = [&](stream_id stream) {
            std::pair<stream_version, stream_version> seen{0, 0};
            auto events = cursor::open(directory_, {.stream = stream});
            const auto read = events ? events->for_each([&](const event& e) {
                seen.first = seen.first == 0 ? e.version() : seen.first;
                if (seen.second != 0 && e.version() != seen.second + 1)
                    seen.first = ~stream_version{0};
                seen.second = e.version();
            })
                                     : result<std::uint64_t>{0};
            return read ? seen : std::pair<stream_version, stream_version>{~stream_version{0}, 0};
        };
        const stream_version idle = plan_.versions_of(1) + 1;
        (void)check(versions(1) == std::pair{idle, idle}, "an idle stream holds another event");
        const auto [first, last] = versions(2);
        (void)check(last == plan_.versions_of(2) && first > 1 && first <= last,
                    "one stream cannot be read from the cut to its end");
        for (const stream_id stream : {stream_id{1}, stream_id{2}, stream_id{3}}) {
            auto events = cursor::open(directory_, {.from = from_version{1}, .stream = stream});
            auto read = events ? events->for_each([](const event&) {})
                               : result<std::uint64_t>{std::unexpect, events.error()};
            (void)check(!read && read.error().code == errc::pruned,
                        "a version that was pruned is not missed");
        }
        const auto found = find_stream(directory_, name_of(plan_.names() - 1));
        (void)check(found && *found == first_named_stream + plan_.names() - 1,
                    "a name cannot be looked up without a writer");
        const auto report = verify(directory_, {.deep = true});
        (void)check(report && report->findings.empty(), "verify finds something");
    }

    fs::path directory_;
    log_plan plan_;
    row_program& program_;
    sequence_number first_ = 0;
    std::int64_t wrote_ms_ = 0;
    std::int64_t pruned_ms_ = 0;
    std::int64_t opened_ms_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    row_program program{
        {.row = 16, .name = "pruned_log", .counted = "events in a journal pruned to a tenth"},
        argc,
        argv};
    const std::uint64_t events =
        program.target({.quick = 100'000, .ci = 1'000'000, .full = 100'000'000});
    pruned_log log{program.directory() / "journal", {.events = events}, program};
    log.run();
    program.count(events);
    return program.finish();
}
