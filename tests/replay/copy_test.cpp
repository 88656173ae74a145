// A journal copied event by event holds the same log: it has the same digest, and the copy accepts
// its log points.
#include "bank_journal.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/replay/fold.hpp>
#include <pawl/replay/parallel_fold.hpp>
#include <pawl/replay/restore.hpp>

#include <array>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

// Copies a journal in twenty lines, as a relay, a backup or an import does.
pawl::result<void> copy(const fs::path& from, const fs::path& to, pawl::writer_options options) {
    auto events = pawl::cursor::open(from, {.names = true});
    options.clock = pawl::clock_source::caller;
    options.origin = events->identity().origin;
    auto log = pawl::writer::open(to, options);
    std::vector<std::pair<pawl::event_header, std::vector<std::byte>>> unit;
    while (const pawl::event* e = events->next()) {
        for (const pawl::recorded_name& name : events->names_before())
            if (log->stream(name.name, name.timestamp_ns) != name.stream)
                return pawl::fail(pawl::errc::diverged, "a name has another number");
        unit.push_back({{.type = e->type(),
                         .schema_version = e->schema_version(),
                         .stream = e->stream(),
                         .timestamp_ns = e->timestamp_ns()},
                        {e->payload().begin(), e->payload().end()}});
        if (e->more_in_batch())
            continue;
        std::size_t bytes = 0;
        for (const auto& [header, payload] : unit)
            bytes += payload.size();
        auto batch = log->begin_batch(static_cast<std::uint32_t>(unit.size()), bytes);
        for (const auto& [header, payload] : unit)
            static_cast<void>(batch->append(header, payload));
        if (auto done = batch->commit(); !done)
            return std::unexpected(done.error());
        unit.clear();
    }
    return log->close();
}

// Assigns names before the first event, between two, before a rollover, and after the last event.
void write_original(const fs::path& directory) {
    auto log = bank::open_writer(directory);
    bank::random_traffic traffic{5};
    for (int i = 0; i < 100; ++i) {
        REQUIRE(log.stream("account " + std::to_string(i)));
        traffic.append(log, static_cast<std::uint64_t>(i) % 20);
    }
    REQUIRE(log.stream("nothing was written to it"));
    REQUIRE(log.close());
}

struct shard_ledger : bank::ledger {
    static void merge(state& into, state&& from) { into.accounts.merge(from.accounts); }
};

pawl::log_digest digest_of(const fs::path& directory) {
    auto events = pawl::cursor::open(directory);
    REQUIRE(events);
    pawl::log_digest digest;
    REQUIRE(events->for_each([&](const pawl::event& e) { digest.add(e); }));
    return digest;
}

struct copied_journal {
    pawl::test::temporary_directory home;
    fs::path original = home.path() / "original";
    fs::path copied = home.path() / "copied";

    copied_journal() {
        write_original(original);
        const auto done = copy(original, copied, {.segment_bytes = 128 << 10});
        INFO((done ? std::string{} : done.error().message()));
        REQUIRE(done);
    }
};

}  // namespace

TEST_CASE("a journal copied event by event has the digest of its original", "[replay]") {
    const copied_journal journal;
    const auto digest = digest_of(journal.original);
    CHECK(digest_of(journal.copied) == digest);
    for (const fs::path& each : {journal.original, journal.copied}) {
        const auto folded = pawl::fold_by_stream<shard_ledger>(each, {}, {.threads = 2});
        REQUIRE(folded);
        CHECK(folded->progress.digest == digest);
        pawl::log_digest visited;
        REQUIRE(pawl::verify(each, {.visit = [&](const pawl::event& e) { visited.add(e); }}));
        CHECK(visited == digest);
    }
    const auto original = pawl::inspect(journal.original);
    const auto copied = pawl::inspect(journal.copied);
    REQUIRE(original);
    REQUIRE(copied);
    CHECK(original->origin == original->id);
    CHECK(copied->origin == original->id);
    CHECK(copied->id != original->id);
}

TEST_CASE("a log whose names were given in another order has another digest", "[replay]") {
    // The events are the same; only what the numbers of the streams stand for differs.
    const pawl::test::temporary_directory home;
    const auto write = [&](const fs::path& directory, std::array<std::string, 2> names) {
        auto log = pawl::writer::open(directory, {.segment_bytes = 64 << 10,
                                                  .sync = pawl::sync_policy::manual(),
                                                  .clock = pawl::clock_source::caller});
        REQUIRE(log);
        for (const std::string& name : names)
            REQUIRE(log->stream(name, 1));
        REQUIRE(log->append({.type = 1, .stream = pawl::first_named_stream}, {}));
        REQUIRE(log->close());
        return digest_of(directory);
    };
    const auto first = write(home.path() / "first", {"debtor", "creditor"});
    CHECK(write(home.path() / "same", {"debtor", "creditor"}) == first);
    CHECK_FALSE(write(home.path() / "swapped", {"creditor", "debtor"}) == first);
}

TEST_CASE("a copy accepts the log points of its original, and the other way round", "[replay]") {
    const copied_journal journal;
    auto from = pawl::cursor::open(journal.original);
    auto to = pawl::cursor::open(journal.copied);
    REQUIRE(from);
    REQUIRE(to);
    for (int i = 0; i < 300; ++i) {
        const pawl::event* original = from->next();
        const pawl::event* copied = to->next();
        REQUIRE(original != nullptr);
        REQUIRE(copied != nullptr);
        CHECK(original->content_hash() == copied->content_hash());
        if (i % 50 != 49)
            continue;
        CHECK(original->frame_hash() != copied->frame_hash());
        auto resumed = pawl::cursor::open(
            journal.copied, {.from = pawl::from_point{original->point(), from->id()}});
        REQUIRE(resumed);
        CHECK(resumed->point() == copied->point());
        CHECK(pawl::cursor::open(journal.copied, {.from = pawl::from_point{original->point()}}));
        CHECK(pawl::cursor::open(journal.original,
                                 {.from = pawl::from_point{copied->point(), to->id()}}));
        CHECK_FALSE(
            pawl::cursor::open(journal.original, {.from = pawl::from_point{copied->point()}}));
    }
}

TEST_CASE("a copy of the log is restored from the original's snapshot", "[replay]") {
    const copied_journal journal;
    auto all = pawl::cursor::open(journal.original);
    REQUIRE(all);
    pawl::fold_progress progress;
    const bank::ledger by;
    bank::ledger::state state = by.initial();
    REQUIRE(pawl::fold(*all, by, state, progress, {.at_least = 200}));
    auto store =
        pawl::snapshot_store::open(journal.original, all->identity(), bank::ledger::state_version);
    REQUIRE(store);
    REQUIRE(store->add(progress.point, progress.digest,
                       [&](pawl::snapshot_sink& out) { return by.save(state, out); }));
    fs::copy(journal.original / "snapshots", journal.copied / "snapshots");

    const auto restored = pawl::restore<bank::ledger>(journal.copied);
    REQUIRE(restored);
    INFO(restored->report.message());
    REQUIRE(restored->report.used);
    CHECK(restored->report.used->point == progress.point);
    CHECK(restored->progress.digest == digest_of(journal.original));
}

TEST_CASE("a writer that copies another journal does not continue in a copy of this one",
          "[replay]") {
    const copied_journal journal;
    const auto refused = pawl::writer::open(journal.copied, {.origin = {1, 2, 3}});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == pawl::errc::invalid_argument);
    CHECK(pawl::writer::open(journal.copied, {.origin = pawl::inspect(journal.original)->id}));
}

TEST_CASE("an event appended again after other events is not the one that was lost", "[replay]") {
    // Caller time stamps make two events equal in content; only their positions differ.
    const pawl::test::temporary_directory home;
    const auto write = [&](const fs::path& directory, std::size_t bytes_before) {
        auto log = pawl::writer::open(
            directory, {.segment_bytes = 64 << 10, .clock = pawl::clock_source::caller});
        REQUIRE(log);
        const std::vector<std::byte> payload(bytes_before, std::byte{1});
        REQUIRE(log->append({.type = 1, .timestamp_ns = 1}, payload));
        REQUIRE(log->append({.type = 2, .timestamp_ns = 2}, {}));
        REQUIRE(log->close());
        auto events = pawl::cursor::open(directory, {.from = pawl::from_sequence{1}});
        REQUIRE(events);
        REQUIRE(events->next() != nullptr);
        return events->point();
    };
    const auto lost = write(home.path() / "lost", 8);
    const auto again = write(home.path() / "again", 16);
    CHECK(lost.content_hash == again.content_hash);
    const auto resumed =
        pawl::cursor::open(home.path() / "again", {.from = pawl::from_point{lost}});
    REQUIRE_FALSE(resumed);
    CHECK(resumed.error().code == pawl::errc::diverged);
}
