// The library continues where the golden journals end, and its bytes match FORMAT.md.
#include "golden_journal.hpp"
#include "second_reader.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/journal.hpp>
#include <pawl/journal/writer.hpp>

#include <map>

using namespace golden;

namespace {

namespace fs = std::filesystem;

pawl::writer_options quiet_options() {
    return {.segment_bytes = segment_bytes,
            .sync = pawl::sync_policy::manual(),
            .full = pawl::when_full::fail,
            .background_threads = false};
}

pawl::writer open_writer(const fs::path& directory) {
    auto opened = pawl::writer::open(directory, quiet_options());
    if (!opened)
        throw std::runtime_error(opened.error().message());
    return std::move(*opened);
}

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text});
}

void check_second_reader(const fs::path& directory) {
    const read_journal read = read_closed_journal(directory);
    for (const std::string& fault : read.faults)
        FAIL_CHECK(fault);
    CHECK_FALSE(read.segments.empty());
}

// Name and bytes of every file.
std::map<std::string, std::string> snapshot(const fs::path& directory) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator{directory}) {
        if (entry.is_regular_file())
            files[entry.path().lexically_relative(directory)] = read_whole(entry.path());
    }
    return files;
}

}  // namespace

TEST_CASE("the second reader finds nothing in the golden journals") {
    for (const scene& what : closed_scenes()) {
        INFO(what.name);
        const golden_journal journal{what};
        check_second_reader(journal.directory());
    }
}

TEST_CASE("the second reader sees a single flipped bit anywhere in a golden segment") {
    const golden_journal journal{make_rolled()};
    const fs::path segment = journal.directory() / "0000000001.seg";
    const std::string whole = read_whole(segment);
    for (std::size_t at = 0; at < whole.size(); at += at < 8192 ? 255 : at < 8400 ? 3 : 977) {
        std::string flipped = whole;
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
        write_whole(segment, flipped);
        INFO("byte " << at);
        REQUIRE_FALSE(read_closed_journal(journal.directory()).faults.empty());
    }
}

TEST_CASE("a writer continues where a golden journal ends") {
    const golden_journal journal{make_rolled()};
    {
        pawl::writer log = open_writer(journal.directory());
        CHECK(log.recovery().state == pawl::found::closed);
        CHECK(log.next_sequence() == 6);
        CHECK(log.version(42) == 3);
        CHECK(log.last_position(42) == pawl::log_position{0, 41280});
        CHECK(log.version(first_named) == 2);
        CHECK(log.stream("orders/Z\u00fcrich") == first_named);
        CHECK(log.stream("orders/Basel") == first_named + 1);
        const auto placed = log.append(
            {.type = 7, .stream = 42, .expected = pawl::expect::exactly(3)}, bytes_of("more"));
        REQUIRE(placed.has_value());
        CHECK(placed->sequence == 6);
        CHECK(placed->version == 4);
        REQUIRE(log.close().has_value());
    }
    check_second_reader(journal.directory());
}

TEST_CASE("missing indexes and stream heads are written again, byte for byte") {
    for (const scene& what : closed_scenes()) {
        INFO(what.name);
        const golden_journal journal{what};
        for (const auto& [name, bytes] : snapshot(journal.directory())) {
            if (name.ends_with(".idx") || name == "streams")
                fs::remove(journal.directory() / name);
        }
        REQUIRE(pawl::recover(journal.directory()).has_value());
        for (const golden_file& file : what.files) {
            if (file.path.ends_with(".idx"))
                CHECK(read_whole(journal.directory().parent_path() / file.path) == file.bytes);
        }
        CHECK(fs::exists(journal.directory() / "streams"));
        check_second_reader(journal.directory());
    }
}

TEST_CASE("recovery of the golden torn journal cuts where it must and keeps what it cuts") {
    const scene what = make_torn();
    const golden_journal journal{what};
    const fs::path& directory = journal.directory();
    const auto before = snapshot(directory);
    constexpr std::uint64_t cut_at = 8320;

    const auto dry = pawl::recover(directory, {.dry_run = true});
    REQUIRE(dry.has_value());
    CHECK(dry->dry_run);
    CHECK(dry->state == pawl::found::torn_tail);
    CHECK(dry->cut == pawl::log_position{0, cut_at});
    CHECK(dry->cut_sequence == 2);
    CHECK(dry->lost_about == 1);
    CHECK(dry->torn_bytes == 25);
    CHECK(dry->durable == 1);
    CHECK(dry->next_sequence == 2);
    auto after_dry = snapshot(directory);
    after_dry.erase("writer.lock");
    CHECK(after_dry == before);

    const auto done = pawl::recover(directory);
    REQUIRE(done.has_value());
    CHECK_FALSE(done->dry_run);
    CHECK(done->cut == dry->cut);
    CHECK(done->lost_about == 1);
    const std::string kept = "torn/0000000000-4444444444444444-8320.bytes";
    REQUIRE(done->kept.size() == 1);
    CHECK(done->kept[0].ends_with(kept));
    CHECK(read_whole(directory / kept) == before.at("0000000000.seg").substr(cut_at, 96));

    check_second_reader(directory);
    const read_journal read = read_closed_journal(directory);
    REQUIRE(read.segments.size() >= 2);
    CHECK(read.segments[1].header.epoch != what.epochs[1]);
    const read_frame& end = read.segments[0].frames.back();
    CHECK(end.offset == cut_at);
    CHECK(end.fields.type == cut);
    CHECK(end.fields.payload == encode_end({.successor_epoch = 0,
                                            .first_sequence = 0,
                                            .events = 2,
                                            .lost_about = 1,
                                            .torn_bytes = 25}));
}

TEST_CASE("every byte of a journal that the library writes matches FORMAT.md") {
    const pawl::test::temporary_directory home;
    const fs::path directory = home.path() / "journal";
    for (int life = 0; life < 3; ++life) {
        pawl::writer log = open_writer(directory);
        const auto named = log.stream(life == 0 ? "first" : "second");
        REQUIRE(named.has_value());
        for (std::uint64_t i = 0; i < 300; ++i) {
            const std::string payload(static_cast<std::size_t>(i * 7 % 600), 'p');
            const std::uint64_t stream = i % 4 == 0 ? 0 : i % 4 == 1 ? *named : i % 7 + 1;
            const pawl::event_header header{.type = static_cast<std::uint16_t>(i % 5),
                                            .schema_version = static_cast<std::uint16_t>(i % 2),
                                            .stream = stream};
            if (i % 10 == 9) {
                auto batch = log.begin_batch(3, 3 * payload.size());
                REQUIRE(batch.has_value());
                const std::uint64_t events = i / 10 % 3 + 1;
                for (std::uint64_t part = 0; part < events; ++part)
                    REQUIRE(batch->append(header, bytes_of(payload)).has_value());
                REQUIRE(batch->commit().has_value());
            } else if (i % 10 == 5) {
                // A reservation that is given up leaves bytes behind that must not matter.
                auto space = log.reserve(header, 500);
                REQUIRE(space.has_value());
                std::ranges::fill(space->payload(), std::byte{0xff});
                space->abandon();
            } else {
                REQUIRE(log.append(header, bytes_of(payload)).has_value());
            }
            if (i % 50 == 0)
                REQUIRE(log.sync().has_value());
            REQUIRE(log.poll().has_value());
        }
        REQUIRE(log.close().has_value());
    }
    check_second_reader(directory);
    CHECK(read_closed_journal(directory).segments.size() > 3);
}
