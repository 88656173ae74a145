// `pawl recover --salvage`: what can be read of a damaged journal, in a new one.
#include "broken_journals.hpp"
#include "salvage/journal_copy.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/journal.hpp>

#include <functional>
#include <map>

using namespace pawl::test;
using nlohmann::json;

namespace {

constexpr std::uint16_t lost_type = 0xff04;

[[nodiscard]] std::string out_of(const sample_journal& journal) {
    return journal.file("../rescued").lexically_normal();
}

[[nodiscard]] json salvaged(const sample_journal& journal, const std::string& out) {
    const finished_process done =
        run_pawl({"recover", "--json", "--salvage", out, journal.directory()});
    INFO(done.err);
    REQUIRE(done.exit_code == 0);
    return json::parse(done.out);
}

// Everything about an event that a salvage keeps.
struct kept_event {
    std::uint16_t type = 0;
    pawl::stream_id stream = 0;
    std::uint64_t timestamp_ns = 0;
    bool more_in_batch = false;
    std::vector<std::byte> metadata{};
    std::vector<std::byte> payload{};

    friend bool operator==(const kept_event&, const kept_event&) = default;
};
using events_by_sequence = std::map<std::uint64_t, kept_event>;

[[nodiscard]] kept_event kept(const pawl::event& e) {
    return {e.type(),
            e.stream(),
            e.timestamp_ns(),
            e.more_in_batch(),
            {e.metadata().bytes().begin(), e.metadata().bytes().end()},
            {e.payload().begin(), e.payload().end()}};
}

[[nodiscard]] events_by_sequence readable_in(const std::string& directory) {
    events_by_sequence found;
    const auto report = must(pawl::verify(
        directory, {.visit = [&](const pawl::event& e) { found.emplace(e.sequence(), kept(e)); }}));
    return found;
}

[[nodiscard]] std::string raw_dump(const std::string& directory) {
    const finished_process done = run_pawl({"dump", "--exact", directory});
    REQUIRE(done.exit_code == 0);
    return done.out;
}

}  // namespace

TEST_CASE("a salvage copies every readable event, and each keeps its sequence") {
    for (const auto& make :
         {broken::flipped_bit_below_the_watermark, broken::missing_middle_segment,
          broken::truncated_segment, broken::zeroed_page, broken::segment_of_another_journal,
          broken::torn_tail}) {
        const sample_journal journal;
        make(journal);
        const auto before = broken::contents(journal.directory());
        const events_by_sequence readable = readable_in(journal.directory());
        const json report = salvaged(journal, out_of(journal));
        CHECK(broken::contents(journal.directory()) == before);

        CHECK(report["sound"] == true);
        CHECK(report["events"] == readable.size());
        CHECK(report["left_out"] == 0);
        const events_by_sequence rescued = readable_in(out_of(journal));
        CHECK(rescued.size() == report["next_sequence"]);
        std::uint64_t lost = 0;
        for (const auto& [sequence, e] : rescued) {
            if (const auto there = readable.find(sequence); there != readable.end()) {
                REQUIRE(e == there->second);
            } else {
                REQUIRE(e.type == lost_type);
                REQUIRE(e.payload.empty());
                ++lost;
            }
        }
        CHECK(report["lost"] == lost);
        CHECK(readable.size() + lost == rescued.size());
        // A service can go on with it.
        CHECK(run_pawl({"append", out_of(journal)}).exit_code == 0);
    }
}

TEST_CASE("a salvage says what is lost, in 80 columns") {
    const sample_journal journal;
    broken::flipped_bit_below_the_watermark(journal);
    const finished_process done =
        run_pawl({"recover", "--salvage", out_of(journal), journal.directory()});
    CHECK(done.exit_code == 0);
    CHECK(contains(done.out, "copied     119 events to " + out_of(journal) + "\n"));
    CHECK(contains(done.out, "lost       1 event, sequence 50 up to 51\n"));
    CHECK(contains(done.out, "next       sequence 120\n"));
    CHECK(contains(done.out, "The new journal was verified, and is sound.\n"));
    CHECK(contains(done.err, "pawl: notice: damaged: "));
    for (const std::string& line : lines_of(done.out))
        CHECK((line.size() <= 80 || contains(line, out_of(journal))));
    CHECK(contains(run_pawl({"types", out_of(journal)}).out, "pawl.lost"));
}

TEST_CASE("a salvage that is repeated changes nothing, and one that was killed goes on") {
    const sample_journal journal;
    broken::zeroed_page(journal);
    const json first = salvaged(journal, out_of(journal));
    const std::string whole = raw_dump(out_of(journal));
    CHECK(salvaged(journal, out_of(journal))["next_sequence"] == first["next_sequence"]);
    CHECK(raw_dump(out_of(journal)) == whole);

    // Killed before the damage, inside the gap and after it.
    const auto gap = first["gaps"][0];
    const std::uint64_t inside = gap["first_sequence"].get<std::uint64_t>() + 3;
    for (const std::uint64_t stop :
         {std::uint64_t{0}, std::uint64_t{10}, inside, std::uint64_t{2500}}) {
        const std::string partial = out_of(journal) + "-" + std::to_string(stop);
        {
            auto copy = must(
                pawl::cli::journal_copy::open(partial, must(pawl::inspect(journal.directory()))));
            const auto fill = [&](std::uint64_t sequence) {
                while (copy.next() < std::min(sequence, stop))
                    must(copy.take_lost());
            };
            (void)must(pawl::verify(journal.directory(), {.visit = [&](const pawl::event& e) {
                                        fill(e.sequence());
                                        if (e.sequence() < stop)
                                            must(copy.take(e));
                                    }}));
        }
        CHECK(salvaged(journal, partial)["events"] == first["events"]);
        CHECK(raw_dump(partial) == whole);
    }
}

TEST_CASE("a salvage refuses a directory that holds anything else") {
    const sample_journal journal;
    broken::zeroed_page(journal);
    const sample_journal other;
    other.fill(10);
    const auto refused = [&](const std::string& out, int code, const std::string& why) {
        const auto before = broken::contents(out);
        const finished_process done = run_pawl({"recover", "--salvage", out, journal.directory()});
        INFO(done.err);
        CHECK(done.exit_code == code);
        CHECK(done.out.empty());
        CHECK(contains(done.err, why));
        return broken::contents(out) == before;
    };
    CHECK(refused(other.directory(), 1, "invalid_argument"));
    CHECK(refused(journal.directory(), 1, "a journal cannot be salvaged into itself"));
    // The arguments are easily mixed up: this would write to the original.
    const std::string copy = journal.file("../copy").lexically_normal();
    std::filesystem::copy(journal.directory(), copy, std::filesystem::copy_options::recursive);
    CHECK(refused(copy, 1, copy + " is the same journal, or a copy of it"));

    // A salvage that a service has gone on with, of a journal that was damaged in another way.
    (void)salvaged(journal, out_of(journal));
    broken::overwrite(journal.file("0000000000.seg"), 16384, std::string(4096, '\0'));
    (void)refused(out_of(journal), 1, "the journal is there and holds something else");
}

TEST_CASE("a salvage refuses what only somebody else may read, and a journal in use") {
    const sample_journal journal;
    journal.fill(3000);
    // Root may read any file, but no program follows a link in place of a segment.
    const auto segment = journal.file("0000000001.seg");
    std::filesystem::rename(segment, journal.file("elsewhere"));
    std::filesystem::create_symlink(journal.file("elsewhere"), segment);
    const auto refused = [&](const std::string& why) {
        const finished_process done =
            run_pawl({"recover", "--salvage", out_of(journal), journal.directory()});
        CHECK(done.exit_code == 3);
        CHECK(contains(done.err, why));
        CHECK_FALSE(std::filesystem::exists(out_of(journal)));
    };
    refused("0000000001.seg");
    std::filesystem::remove(segment);
    std::filesystem::rename(journal.file("elsewhere"), segment);
    const pawl::writer log = journal.open();
    refused("locked");
}

TEST_CASE("a salvage keeps names, descriptions, metadata and batches, and loses a batch whole") {
    const sample_journal journal;
    const std::string payload(40, 'p');
    std::uint64_t hurt = 0;
    {
        pawl::writer log = journal.open();
        must(log.describe({3, 1, "order placed", bytes_of("a schema")}));
        const std::array streams{must(log.stream("ada")), must(log.stream("bob"))};
        const std::array entries{pawl::metadata_entry{pawl::metadata_tag::actor, bytes_of("Ada")}};
        for (int batch = 0; batch < 3; ++batch) {
            auto open = must(log.begin_batch(3, 1000));
            for (const pawl::stream_id stream : {streams[0], streams[1], pawl::stream_id{0}})
                must(open.append({.type = 3, .stream = stream, .metadata = entries},
                                 bytes_of(payload)));
            const auto placed = must(open.commit());
            if (batch == 1)
                hurt = placed.position.offset;
        }
        (void)must(log.stream("cyd"));
        must(log.close());
    }
    // Inside the last event of the second batch.
    flip_bit(journal.file("0000000000.seg"), static_cast<std::streamoff>(hurt + 60));
    const json report = salvaged(journal, out_of(journal));
    CHECK(report["events"] == 6);
    CHECK(report["lost"] == 3);
    CHECK(report["gaps"] == json::array({{{"first_sequence", 3}, {"next_sequence", 6}}}));
    CHECK(report["renumbered"] == 2);
    CHECK(report["names_lost"] == 0);
    const auto names = must(pawl::stream_names(out_of(journal)));
    REQUIRE(names.size() == 3);
    CHECK(names[0].name == "ada");
    CHECK(names[2].name == "cyd");
    CHECK(must(pawl::descriptions(out_of(journal))).size() == 1);
    const events_by_sequence before = readable_in(journal.directory());
    const events_by_sequence after = readable_in(out_of(journal));
    for (const auto& [sequence, e] : before)
        CHECK(after.at(sequence) == e);
    CHECK(after.at(6).more_in_batch);
    CHECK_FALSE(after.at(8).more_in_batch);
    CHECK_FALSE(after.at(6).metadata.empty());
}

TEST_CASE("a stream whose name is lost gets a placeholder, so that the others keep their numbers") {
    const sample_journal journal;
    pawl::log_position last{};
    {
        pawl::writer log = journal.open();
        last = must(log.append({.type = 3}, bytes_of("first"))).position;
        const auto ada = must(log.stream("ada"));
        const auto bob = must(log.stream("bob"));
        must(log.append({.type = 3, .stream = ada}, bytes_of("of ada")));
        must(log.append({.type = 3, .stream = bob}, bytes_of("of bob")));
        must(log.close());
    }
    // The frame of the name follows the first event. Without it, nothing says what the name was.
    flip_bit(journal.file("0000000000.seg"), static_cast<std::streamoff>(last.offset + 64 + 56));
    std::filesystem::remove(journal.file("0000000000.idx"));
    std::filesystem::remove(journal.file("streams"));
    const json report = salvaged(journal, out_of(journal));
    CHECK(report["events"] == 3);
    CHECK(report["lost"] == 0);
    CHECK(report["names_lost"] == 1);
    const auto names = must(pawl::stream_names(out_of(journal)));
    REQUIRE(names.size() == 2);
    CHECK(names[0].name == "lost-name-0");
    CHECK(names[1].name == "bob");
    CHECK(readable_in(out_of(journal)) == readable_in(journal.directory()));
}

TEST_CASE(
    "a salvage of a pruned journal keeps the names and descriptions that the prune has kept") {
    const sample_journal journal;
    {
        pawl::writer log = journal.open();
        must(log.describe({3, 1, "order placed", bytes_of("a schema")}));
        (void)must(log.stream("ada"));
        (void)must(log.stream("bob"));
        must(log.close());
    }
    journal.fill(3000);
    REQUIRE(run_pawl({"prune", "--before", "1500", journal.directory()}).exit_code == 0);
    const auto kept = must(pawl::stream_names(journal.directory()));
    // A segment that cannot be read ends every list of names and descriptions.
    std::filesystem::resize_file(journal.file("0000000003.seg"), 20000);
    const json report = salvaged(journal, out_of(journal));
    CHECK(report["pruned"] > 0);
    CHECK(report["lost"] > 0);
    CHECK(report["names_lost"] == 0);
    const auto names = must(pawl::stream_names(out_of(journal)));
    REQUIRE(names.size() == kept.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
        CHECK(names[i].stream == kept[i].stream);
        CHECK(names[i].name == kept[i].name);
    }
    const auto described = must(pawl::descriptions(out_of(journal)));
    REQUIRE(described.size() == 1);
    CHECK(described[0].name == "order placed");
    const std::string whole = raw_dump(out_of(journal));
    (void)salvaged(journal, out_of(journal));
    CHECK(raw_dump(out_of(journal)) == whole);
}
