#include "bank_journal.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/replay/snapshot_audit.hpp>

#include <fstream>
#include <string_view>

namespace {

namespace fs = std::filesystem;

// A journal of several segments, and the point and digest after each of its events.
struct audited_journal {
    pawl::test::temporary_directory home;
    fs::path directory = home.path() / "bank";
    pawl::journal_identity id{};
    std::vector<std::pair<pawl::log_point, pawl::log_digest>> places{{}};

    audited_journal() {
        auto log = bank::open_writer(directory);
        bank::random_traffic{3}.append(log, 2000);
        REQUIRE(log.close());
        auto events = pawl::cursor::open(directory);
        REQUIRE(events);
        id = events->identity();
        pawl::log_digest digest;
        REQUIRE(events->for_each([&](const pawl::event& each) {
            digest.add(each);
            places.emplace_back(each.point(), digest);
        }));
    }

    fs::path add(pawl::log_point point, pawl::log_digest digest, std::string name = "state",
                 std::uint32_t version = 1) const {
        return add_of(id, point, digest, std::move(name), version);
    }
    fs::path add_of(const pawl::journal_identity& journal, pawl::log_point point,
                    pawl::log_digest digest, std::string name = "state",
                    std::uint32_t version = 1) const {
        auto store = pawl::snapshot_store::open(directory, journal, version,
                                                {.name = std::move(name), .keep = 100});
        REQUIRE(store);
        const std::string state(3'000'000, 'x');  // read in more than one piece
        auto added = store->add(point, digest, [&](pawl::snapshot_sink& out) {
            return out.write(std::as_bytes(std::span{state}));
        });
        REQUIRE(added);
        return added->path;
    }
    fs::path add_right(std::size_t next, std::string name = "state",
                       std::uint32_t version = 1) const {
        return add(places.at(next).first, places.at(next).second, std::move(name), version);
    }

    std::vector<pawl::rejected_snapshot> audit(std::size_t expected_count) const {
        auto audit = pawl::snapshot_audit::open(directory);
        REQUIRE(audit);
        CHECK(audit->count() == expected_count);
        auto report =
            pawl::verify(directory, {.visit = [&](const pawl::event& each) { audit->add(each); }});
        REQUIRE(report);
        auto rejected = audit->finish({report->id, report->origin});
        REQUIRE(rejected);
        return std::move(*rejected);
    }
};

void expect_only(const std::vector<pawl::rejected_snapshot>& rejected, const fs::path& path,
                 pawl::errc code, std::uint64_t offset, std::string_view detail) {
    for (const auto& each : rejected)
        UNSCOPED_INFO(each.why.message());
    REQUIRE(rejected.size() == 1);
    CHECK(rejected[0].path == path);
    CHECK(rejected[0].why.code == code);
    CHECK(rejected[0].why.file == path.string());
    CHECK(rejected[0].why.offset == offset);
    CHECK(rejected[0].why.detail == detail);
}

void flip_bit(const fs::path& path, std::streamoff offset) {
    std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
    file.seekg(offset);
    const auto byte = static_cast<char>(file.get() ^ 1);
    file.seekp(offset);
    file.put(byte);
    REQUIRE(file.flush());
}

}  // namespace

TEST_CASE("snapshots of this log pass the audit, of whatever fold and version", "[replay]") {
    const audited_journal journal;
    CHECK(journal.audit(0).empty());
    journal.add_right(0);
    journal.add_right(1);
    journal.add_right(700);
    journal.add_right(700, "other", 12);
    journal.add_right(2000, "other", 12);
    pawl::log_point elsewhere = journal.places.at(700).first;
    elsewhere.frame_hash ^= 1;
    journal.add_of({{1, 2, 3}, journal.id.origin}, elsewhere, journal.places.at(700).second,
                   "copied");
    std::ofstream{journal.directory / "snapshots" / "state-v1-00000000000000000700.snap.rejected"};
    std::ofstream{journal.directory / "snapshots" / "notes.snap"};
    CHECK(journal.audit(6).empty());
}

TEST_CASE("the audit names a snapshot whose log point or digest is not this log's", "[replay]") {
    const audited_journal journal;
    journal.add_right(1000);
    const auto& [point, digest] = journal.places.at(700);
    const pawl::log_digest other{digest.value() + 1};
    SECTION("digest") {
        const auto path = journal.add(point, other);
        const auto rejected = journal.audit(2);
        expect_only(rejected, path, pawl::errc::diverged, 72,
                    "the events before its log point have another digest");
        CHECK(rejected[0].why.sequence == 700);
    }
    SECTION("digest at the beginning") {
        const auto path = journal.add({}, pawl::log_digest{1});
        expect_only(journal.audit(2), path, pawl::errc::diverged, 72,
                    "the events before its log point have another digest");
    }
    SECTION("hash") {
        pawl::log_point moved = point;
        auto& hash = GENERATE(0, 1) == 0 ? moved.content_hash : moved.frame_hash;
        hash ^= 1;
        const auto path = journal.add(moved, digest);
        expect_only(journal.audit(2), path, pawl::errc::diverged, 48,
                    "the event before its log point has another hash in the log");
    }
    SECTION("the content hash alone, in a copy") {
        const auto path = journal.add_of({{1, 2, 3}, journal.id.origin},
                                         {point.next, point.content_hash ^ 1, 1}, digest);
        expect_only(journal.audit(2), path, pawl::errc::diverged, 48,
                    "the event before its log point has another hash in the log");
    }
    SECTION("beyond the end") {
        const auto path = journal.add({2001, point.content_hash, point.frame_hash}, digest);
        expect_only(journal.audit(2), path, pawl::errc::diverged, 48,
                    "the log ends before its log point, at sequence 2000");
    }
    SECTION("of another journal") {
        const auto path = journal.add_of({journal.id.id, {1, 2, 3}}, point, digest);
        expect_only(journal.audit(2), path, pawl::errc::diverged, 32,
                    "a snapshot of another journal");
    }
}

TEST_CASE("the audit names a snapshot that is damaged or under another's name", "[replay]") {
    const audited_journal journal;
    const auto path = journal.add_right(700);
    SECTION("header") {
        flip_bit(path, 60);
        expect_only(journal.audit(1), path, pawl::errc::damaged, 0,
                    "the header's checksum does not fit");
    }
    SECTION("payload") {
        flip_bit(path, 2'500'000);
        expect_only(journal.audit(1), path, pawl::errc::damaged, 192,
                    "the payload's hash does not fit");
    }
    SECTION("name") {
        const auto moved = path.parent_path() / "state-v2-00000000000000000700.snap";
        fs::rename(path, moved);
        expect_only(journal.audit(1), moved, pawl::errc::damaged, 112, "the header says state-v1-");
    }
}

TEST_CASE("after missing events the audit compares log points only", "[replay]") {
    const audited_journal journal;
    const auto& [point, digest] = journal.places.at(1500);
    journal.add(point, pawl::log_digest{digest.value() + 1});  // cannot be judged
    journal.add_right(700);                                    // in the gap
    const auto wrong = journal.add({1600, 1, 1}, digest);
    auto audit = pawl::snapshot_audit::open(journal.directory);
    REQUIRE(audit);
    auto events = pawl::cursor::open(journal.directory);
    REQUIRE(events);
    REQUIRE(events->for_each([&](const pawl::event& each) {
        if (each.sequence() < 600 || each.sequence() > 800)
            audit->add(each);
    }));
    const auto rejected = audit->finish(journal.id);
    REQUIRE(rejected);
    expect_only(*rejected, wrong, pawl::errc::diverged, 48,
                "the event before its log point has another hash in the log");
}
