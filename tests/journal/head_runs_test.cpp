// Runs of stream heads: what is written is found again, merges keep the newer head, and whatever is
// lost or damaged costs time and changes no answer.
#include "journal_support.hpp"
#include "store/directory.hpp"
#include "store/head_merge.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>

namespace pawl::test {

namespace {

namespace fs = std::filesystem;
using detail::head_lookup;
using detail::head_runs;
using detail::stream_head;
using detail::stream_heads;

constexpr journal_id id{7};

// Heads in memory as of a segment, with a model of what all runs hold together.
struct written_runs {
    temporary_directory directory;
    head_runs runs;
    std::map<stream_id, stream_head> streams{};
    std::map<std::string, stream_id> names{};
    std::uint64_t ordinal = 0;

    // Writes a run with these streams, merged with that many before it.
    void write(const std::vector<stream_id>& changed, std::size_t merged,
               const std::vector<std::string>& named = {}) {
        auto later = must(detail::heads_after(runs, 0));
        for (const stream_id stream : changed) {
            const stream_head head{stream, streams[stream].version + 1,
                                   detail::pack_position(ordinal, 8192)};
            streams[stream] = head;
            *later.slots.find_or_grow(stream) = head;
            stream_head* tip = later.tags.find_or_grow(stream + 1);
            *tip = {stream + 1, head.version, head.last};
        }
        for (const std::string& name : named) {
            const stream_id number = first_named_stream + names.size();
            names.emplace(name, number);
            later.names.emplace(name, number);
        }
        later.covers_something = true;
        later.ordinal = ordinal;
        later.epoch = 100 + ordinal;
        later.end_sequence = ordinal + 1;
        runs = must(detail::write_run(directory.path(), id, runs, merged, later));
        ++ordinal;
    }
    void check() const { check(runs); }
    void check(const head_runs& in) const {
        stream_head found{};
        for (const auto& [stream, head] : streams) {
            REQUIRE(in.find_stream(stream, found) == head_lookup::present);
            CHECK(found.version == head.version);
            CHECK(found.last == head.last);
            REQUIRE(in.find_tag(stream + 1, found) == head_lookup::present);
            CHECK(found.version == head.version);
        }
        for (stream_id stream = 1; stream < 1000; ++stream) {
            if (!streams.contains(stream))
                CHECK(in.find_stream(stream, found) == head_lookup::absent);
        }
        stream_id number = 0;
        for (const auto& [name, assigned] : names) {
            REQUIRE(in.find_name(name, number) == head_lookup::present);
            CHECK(number == assigned);
        }
        CHECK(in.find_name("no such name", number) == head_lookup::absent);
        CHECK(in.names() == names.size());
    }
    [[nodiscard]] std::size_t files() const {
        std::size_t count = 0;
        for (const auto& entry : fs::directory_iterator{directory.path()})
            count += detail::is_run_name(entry.path().filename().string()) ? 1 : 0;
        return count;
    }
};

[[nodiscard]] std::vector<stream_id> random_streams(std::mt19937_64& random, std::size_t count) {
    std::vector<stream_id> made;
    for (std::size_t i = 0; i < count; ++i)
        made.push_back(1 + random() % 5000);
    std::ranges::sort(made);
    const auto rest = std::ranges::unique(made);
    made.erase(rest.begin(), rest.end());
    return made;
}

// The streams whose search begins at the end of a table of 64 slots.
[[nodiscard]] std::vector<stream_id> streams_at_end(std::size_t count) {
    std::vector<stream_id> made;
    for (stream_id stream = 1; made.size() < count; ++stream) {
        if (detail::head_slots::home(stream, 64) == 63)
            made.push_back(stream);
    }
    return made;
}

}  // namespace

TEST_CASE("runs hold what was written, merged or not") {
    std::mt19937_64 random{20261128};
    for (const std::size_t most_merged : {0u, 1u, 2u, 9u}) {
        written_runs made;
        for (std::size_t round = 0; round < 8; ++round) {
            made.write(random_streams(random, 1 + random() % 700),
                       std::min(most_merged, made.runs.size()),
                       {"name " + std::to_string(round), "again " + std::to_string(round)});
            made.check();
        }
        CHECK(made.files() == made.runs.size());
        CHECK(made.runs.size() == (most_merged == 0 ? 8 : most_merged == 1 ? 1 : 1));
        // As an open finds them.
        made.check(must(detail::chain_runs(made.directory.path(), id)));
        const auto all = must(detail::gather_heads(made.runs, nullptr));
        CHECK(all.slots.used() == made.streams.size());
        CHECK(all.names == detail::name_map{made.names.begin(), made.names.end()});
    }
}

TEST_CASE("streams that find no slot before the end of a table lie at its beginning") {
    written_runs made;
    made.write(streams_at_end(20), 0);
    made.check();
    const auto slots = made.runs.all()[0]->streams();
    REQUIRE(slots.size() == 64);
    for (std::size_t slot = 0; slot < 19; ++slot)
        CHECK(slots[slot].stream != 0);
    CHECK(slots[19].stream == 0);
    made.write(streams_at_end(30), 1);
    made.check();
    CHECK(made.runs.size() == 1);
}

TEST_CASE("each run has more entries than the next, and each entry is written few times") {
    written_runs made;
    std::uint64_t written = 0;
    stream_id next = 1;
    for (std::size_t round = 0; round < 64; ++round) {
        std::vector<stream_id> fresh(100);
        std::ranges::generate(fresh, [&] { return next++; });
        const std::size_t merged = detail::runs_to_merge(made.runs, 2 * fresh.size());
        made.write(fresh, merged);
        written += made.runs.all().back()->entries();
        for (std::size_t i = 1; i < made.runs.size(); ++i)
            CHECK(made.runs.all()[i - 1]->entries() > made.runs.all()[i]->entries());
    }
    CHECK(made.runs.size() == 1);
    // Six doublings and the first time.
    CHECK(written <= 7 * made.runs.all()[0]->entries());
    CHECK(detail::runs_to_merge(made.runs, no_value - 1, 10) == 0);
}

TEST_CASE("after a crash between rename and unlink the longer run counts") {
    written_runs made;
    made.write({1, 2, 3}, 0);
    made.write({2, 4}, 0, {"a"});
    const auto path = made.directory.path();
    fs::copy_file(path / "streams.0000000001", path / "kept");
    made.write({4, 5}, 1, {"b"});
    CHECK(made.files() == 2);
    fs::rename(path / "kept", path / "streams.0000000001");
    const auto runs = must(detail::chain_runs(path, id));
    CHECK(runs.size() == 2);
    made.check(runs);

    fs::copy_file(path / "streams.0000000002", path / "kept");
    made.write({6}, 2);
    CHECK(made.files() == 1);
    fs::rename(path / "kept", path / "streams.0000000002");
    const auto merged = must(detail::chain_runs(path, id));
    CHECK(merged.size() == 1);
    made.check(merged);
}

TEST_CASE("a run that continues another life is not used") {
    written_runs made;
    made.write({1}, 0);
    made.write({2}, 0);
    const auto path = made.directory.path();
    written_runs other;
    other.write({1}, 0);
    other.runs = {};
    other.ordinal = 0;
    fs::remove(path / "streams");
    CHECK(detail::chain_runs(path, id).error().code == errc::not_found);
    // The same run name, but the epoch of another segment before it.
    auto later = must(detail::empty_heads(0));
    later.covers_something = true;
    later.ordinal = 0;
    later.epoch = 5;
    later.end_sequence = 1;
    (void)must(detail::write_run(other.directory.path(), id, {}, 0, later));
    fs::copy_file(other.directory.path() / "streams", path / "streams");
    CHECK(must(detail::chain_runs(path, id)).size() == 1);
}

TEST_CASE("a changed bit in a run is found by the lookups that touch its block, and by a check") {
    written_runs made;
    std::mt19937_64 random{5};
    made.write(random_streams(random, 2000), 0, {"one name", "another"});
    const auto path = made.directory.path() / "streams";
    const auto size = fs::file_size(path);
    for (std::uint64_t byte = 0; byte < size; byte += 1 + random() % 700) {
        INFO("byte " << byte);
        std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
        file.seekg(static_cast<std::streamoff>(byte));
        const int before = file.get();
        file.seekp(static_cast<std::streamoff>(byte));
        file.put(static_cast<char>(before ^ 1 << random() % 8));
        file.flush();
        const auto run = detail::head_run::open(made.directory.path(), id, "streams");
        if (run) {
            CHECK_FALSE(run->check_all());
            CHECK(run->is_bad());
            std::size_t unreadable = 0;
            for (const auto& [stream, head] : made.streams) {
                stream_head found{};
                const head_lookup how = run->find_stream(stream, found);
                unreadable += how == head_lookup::unreadable ? 1 : 0;
                if (how != head_lookup::unreadable) {
                    REQUIRE(how == head_lookup::present);
                    REQUIRE(found.version == head.version);
                    REQUIRE(found.last == head.last);
                }
            }
            CHECK(unreadable < made.streams.size());
        }
        file.seekp(static_cast<std::streamoff>(byte));
        file.put(static_cast<char>(before));
    }
    CHECK(must(detail::head_run::open(made.directory.path(), id, "streams")).check_all());
}

namespace {

// Appends to random streams, and knows the version of each.
struct model_journal {
    temporary_directory directory;
    std::mt19937_64 random{12};
    std::map<stream_id, stream_version> versions{};

    [[nodiscard]] static writer_options options() {
        writer_options made;
        made.segment_bytes = detail::min_segment_bytes;
        made.background_threads = false;
        made.full = when_full::fail;
        made.expected_streams = 1;
        return made;
    }
    [[nodiscard]] fs::path path() const { return directory.path() / "j"; }
    [[nodiscard]] writer open() const { return must(writer::open(path(), options())); }

    // Half of the events begin a stream, as orders do.
    void append(writer& log, std::size_t events) {
        for (std::size_t i = 0; i < events; ++i) {
            const stream_id stream =
                random() % 2 == 0 ? 1 + versions.size() : 1 + random() % (versions.size() + 1);
            stream_version& version = versions[stream];
            for (;;) {
                auto placed = log.append(
                    {.type = 1, .stream = stream, .expected = expect::exactly(version)}, {});
                if (placed)
                    break;
                INFO(placed.error().message());
                REQUIRE(placed.error().code == errc::back_pressure);
                must(log.poll());
            }
            ++version;
            if (i % 64 == 0)
                REQUIRE(log.statistics().streams == versions.size());
        }
    }
    void check(const writer& log) const {
        for (const auto& [stream, version] : versions)
            REQUIRE(log.version(stream) == version);
        CHECK(log.version(versions.size() + 1) == 0);
        CHECK(log.statistics().streams == versions.size());
    }
    // Flips a bit in every block of a run, its header apart.
    void damage_streams() const {
        std::fstream file{path() / "streams", std::ios::in | std::ios::out | std::ios::binary};
        const auto size = fs::file_size(path() / "streams");
        for (std::uint64_t byte = 4096 + 24; byte < size; byte += 4096) {
            file.seekg(static_cast<std::streamoff>(byte));
            const int before = file.get();
            file.seekp(static_cast<std::streamoff>(byte));
            file.put(static_cast<char>(before ^ 4));
        }
    }
};

}  // namespace

TEST_CASE("a writer knows every stream, in its table, in runs, and across lives") {
    model_journal journal;
    for (int life = 0; life < 4; ++life) {
        auto log = journal.open();
        journal.check(log);
        for (int part = 0; part < 4; ++part) {
            journal.append(log, 12000);
            journal.check(log);
        }
        CHECK(fs::exists(journal.path() / "streams"));
        if (life % 2 == 0)
            must(log.close());
    }
    CHECK(must(verify(journal.path(), {.deep = true})).findings.empty());
}

TEST_CASE("a damaged run costs time, and the writer writes it again") {
    model_journal journal;
    {
        auto log = journal.open();
        journal.append(log, 3000);
        must(log.close());
    }
    journal.damage_streams();
    {
        auto log = journal.open();
        for (stream_id stream = 1; stream < 20; ++stream)
            CHECK(log.version(stream) == journal.versions[stream]);
        CHECK(log.version(journal.versions.size() + 1) == 0);
        journal.append(log, 50);
        must(log.close());
    }
    CHECK(must(verify(journal.path(), {.deep = true})).findings.empty());
    auto log = journal.open();
    journal.check(log);
}

TEST_CASE("names that only runs hold keep their numbers, also if the runs are damaged") {
    const bool damaged = GENERATE(false, true);
    model_journal journal;
    std::map<std::string, stream_id> names;
    for (int life = 0; life < 3; ++life) {
        auto log = journal.open();
        for (int i = 0; i < 20; ++i) {
            const std::string name = "name " + std::to_string(life) + " " + std::to_string(i);
            names[name] = must(log.stream(name));
            CHECK(names[name] == first_named_stream + names.size() - 1);
        }
        journal.append(log, 10);
        must(log.close());
    }
    if (damaged)
        journal.damage_streams();
    auto log = journal.open();
    for (const auto& [name, number] : names)
        CHECK(must(log.stream(name)) == number);
    CHECK(must(log.stream("one more")) == first_named_stream + names.size());
}

}  // namespace pawl::test
