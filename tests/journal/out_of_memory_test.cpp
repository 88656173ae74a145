// Each allocation of each call fails once, first alone, then with all later ones. No call throws:
// it returns out_of_memory or an error that follows from it, or manages without the memory.
#include "../support/temporary_directory.hpp"
#include "faults/support/refused_allocations.hpp"
#include "journal_support.hpp"

#include <pawl/journal/sealed_segment.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

// The errors of a writer that ran out of memory before: it may be poisoned or closed, or lack a
// segment or a larger table of streams.
answers writer_answers() {
    return answers{{errc::poisoned, errc::back_pressure, errc::closed}};
}

// For calls that sync often. The part `allocations` of the scoreboard refuses every allocation of
// an open, a recovery and a close.
constexpr std::int64_t sampled = 23;

// Events in streams and under names, over a rollover, closed.
void write_journal(const fs::path& path) {
    auto log = must(writer::open(path, by_hand_unpopulated()));
    (void)must(log.stream("orders"));
    while (log.statistics().rollovers == 0) {
        append_numbered(log, 1, 1 + log.next_sequence() % 5);
        must(log.poll());
    }
    append_numbered(log, 10, 1);
    (void)must(log.sync());
    must(log.poll());
    must(log.close());
}

void read_all(answers& got, const fs::path& path, const cursor_options& options) {
    auto events = cursor::open(path, options);
    got.heed(events);
    if (!events)
        return;
    while (events->next() != nullptr) {
    }
    if (options.follow)
        got.heed(events->wait(std::chrono::nanoseconds{0}));
    (void)events->names_before();
    (void)events->point();
    got.heed(events->finish());
}

// Every call of a writer, with events that need memory: new streams, new names and rollovers.
void use(answers& got, writer& log) {
    const auto payload = bytes_of("some bytes");
    for (stream_id stream = 100; stream < 110; ++stream)
        got.heed(log.append({.type = 1, .stream = stream}, payload));
    got.heed(log.stream("a name that no string holds in itself"));
    const auto refused =
        log.append({.type = 1, .stream = 100, .expected = expect::exactly(7000)}, payload);
    if (!refused && refused.error().code != errc::conflict)
        got.heed(refused);
    if (auto space = log.reserve({.type = 1, .stream = 200}, 100)) {
        got.heed(space->commit(50));
    } else {
        got.heed(space);
    }
    if (auto space = log.reserve({.type = 1, .stream = 201}, 100))
        space->abandon();
    if (auto together = log.begin_batch(3, 300)) {
        got.heed(together->append({.type = 1, .stream = 300}, payload));
        if (auto inside = together->reserve({.type = 1, .stream = 301}, 50))
            got.heed(inside->commit(10));
        got.heed(together->append({.type = 1, .stream = 302}, payload));
        got.heed(together->commit());
    } else {
        got.heed(together);
    }
    if (auto dropped = log.begin_batch(2, 100)) {
        got.heed(dropped->append({.type = 1, .stream = 303}, payload));
        dropped->abandon();
    }
    got.heed(log.poll());
    if (const auto last = log.published(); last != 0)
        got.heed(log.wait_durable(last - 1));
    got.heed(log.sync());
    (void)log.version(100);
    (void)log.last_position(100);
    (void)log.statistics();
    (void)log.failure();
    got.heed(log.poll());
}

}  // namespace

TEST_CASE("no reading call lets std::bad_alloc through", "[memory]") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    write_journal(path);
    answers got;
    const std::string name = "orders";
    const cursor_options readings[] = {{},
                                       {.from = from_sequence{20}},
                                       {.from = from_end{}, .follow = true},
                                       {.show = visibility::durable, .follow = true},
                                       {.stream = 1},
                                       {.names = true},
                                       {.verify = false, .keep_cached = false}};
    const std::function<void()> calls[] = {
        [&] { got.heed(inspect(path)); },
        [&] { got.heed(verify(path)); },
        [&] { got.heed(verify(path, {.deep = true})); },
        [&] { got.heed(recover(path, {.dry_run = true})); },
        [&] { got.heed(find_stream(path, name)); },
        [&] {
            auto segment = sealed_segment::open(path, 0);
            got.heed(segment);
            if (!segment)
                return;
            while (segment->next() != nullptr) {
            }
            got.heed(segment->finish());
            got.heed(segment->check_follows(nullptr));
        },
        [&] {
            for (const auto& options : readings)
                read_all(got, path, options);
        },
    };
    std::uint64_t refused = 0;
    for (const auto& call : calls)
        refused += refuse_each_allocation([] {}, call);
    CHECK(got.unexplained() == "");
    check_refusals(refused, 200);
}

TEST_CASE("no call of a writer lets std::bad_alloc through, and what it published stays",
          "[memory]") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    write_journal(path);
    answers got = writer_answers();
    const auto base = directory.path() / "base";
    fs::copy(path, base, fs::copy_options::recursive);
    std::optional<writer> log;
    // The journal that the previous writer left must be sound, and hold everything that it had
    // published.
    const auto check = [&] {
        if (!log)
            return;
        const auto published = log->published();
        log.reset();
        must(recover(path));
        const auto report = must(verify(path, {.deep = true}));
        REQUIRE(report.sound());
        REQUIRE(report.next_sequence >= published);
    };
    const auto prepare = [&] {
        check();
        fs::remove_all(path);
        fs::copy(base, path, fs::copy_options::recursive);
        log.emplace(must(writer::open(path, by_hand_unpopulated())));
    };
    std::uint64_t refused = refuse_each_allocation(prepare, [&] { use(got, *log); }, sampled);
    refused += refuse_each_allocation(
        prepare,
        [&] {
            (void)log->append({.type = 1, .stream = 7}, {});
            got.heed(log->close());
        },
        sampled);
    check();
    CHECK(got.unexplained() == "");
    check_refusals(refused, 10);
}

TEST_CASE("no opening for writing and no recovery lets std::bad_alloc through", "[memory]") {
    const temporary_directory directory;
    const auto torn = directory.path() / "torn";
    const auto path = directory.path() / "j";
    make_torn_journal(torn, by_hand_unpopulated(), 1, 3);
    const auto copy_torn = [&] {
        fs::remove_all(path);
        fs::copy(torn, path, fs::copy_options::recursive);
    };
    answers got = writer_answers();
    std::uint64_t refused =
        refuse_each_allocation(copy_torn, [&] { got.heed(recover(path)); }, sampled);
    refused += refuse_each_allocation([&] { must(recover(path)); },
                                      [&] { got.heed(writer::open(path, by_hand_unpopulated())); },
                                      sampled);
    refused += refuse_each_allocation([&] { fs::remove_all(path); },
                                      [&] { got.heed(writer::open(path, by_hand_unpopulated())); },
                                      sampled);
    CHECK(got.unexplained() == "");
    // A recovery that ran out of memory can be repeated and loses nothing.
    copy_torn();
    {
        const refused_allocation refusing{40};
        (void)recover(path);
    }
    must(recover(path));
    CHECK(read_numbered(path) == 10);
    check_refusals(refused, 10);
}

TEST_CASE("a message and a copy of an error need no memory", "[memory]") {
    const error why{.code = errc::damaged,
                    .offset = 8192,
                    .reason = "a reason",
                    .file = "/a/path/that/no/string/holds/in/itself",
                    .detail = "a sentence that no string holds in itself"};
    std::string said;
    error copied;
    {
        const refused_allocation refusing{0, true};
        said = why.message();
        copied = detail::copy_of(why);
    }
#if PAWL_ALLOCATION_HOOK
    CHECK(said == "out of memory");
    CHECK(copied.file.empty());
#endif
    CHECK(copied.code == errc::damaged);
    CHECK(copied.offset == 8192);
    CHECK(copied.reason == "a reason");
    CHECK(detail::copy_of(why).file == why.file);
}
