// The durable watermark on disk: which block is written and synced, and when.
#include "../support/temporary_directory.hpp"
#include "io_record.hpp"
#include "journal_support.hpp"
#include "store/control.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

using namespace pawl;
using namespace pawl::test;
using detail::io_operation;

namespace {

constexpr std::uint64_t block = 4096;

// Polls until the control file has been synced once more, which takes an idle interval.
void poll_until_stored(writer& log, const io_record& record, std::size_t syncs) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (record.calls(io_operation::sync_range, "control").size() < syncs) {
        must(log.poll());
        REQUIRE(std::chrono::steady_clock::now() < end);
    }
}

}  // namespace

TEST_CASE("after an idle interval the watermark is stored once, in alternating blocks") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const io_record record;
    auto log = must(writer::open(path, by_hand()));
    const auto view = must(detail::control_view::open(path, log.id()));
    CHECK(view.stored_watermark() == 0);
    const auto watermark_block = [&](std::uint64_t number) {
        return read_bytes(path / "control", number * block, 24);
    };
    std::array<std::vector<std::byte>, 2> before{watermark_block(2), watermark_block(3)};
    for (std::uint64_t generation = 1; generation <= 4; ++generation) {
        INFO("generation " << generation);
        append_numbered(log, 3);
        (void)must(log.sync());
        poll_until_stored(log, record, generation);
        // Odd generations go into the last block, even ones into the block before it.
        const std::uint64_t written = 2 + generation % 2;
        const auto synced = record.calls(io_operation::sync_range, "control");
        REQUIRE(synced.size() == generation);
        CHECK(synced.back().offset == written * block);
        CHECK(synced.back().bytes >= 24);
        CHECK(synced.back().bytes <= block);
        std::array<std::uint64_t, 2> fields{};
        const auto bytes = watermark_block(written);
        std::memcpy(fields.data(), bytes.data(), sizeof fields);
        CHECK(fields[0] == generation);
        CHECK(fields[1] == 3 * generation);
        CHECK(watermark_block(5 - written) == before[3 - written]);
        CHECK(view.stored_watermark() == 3 * generation);
        before = {watermark_block(2), watermark_block(3)};
        // Without a new event nothing more is stored, however long the writer is idle.
        for (int i = 0; i < 20; ++i)
            must(log.poll());
        CHECK(record.calls(io_operation::sync_range, "control").size() == generation);
    }
    // The next writer continues the generation count.
    must(log.close());
    CHECK(record.calls(io_operation::sync_range, "control").size() == 4);
    log = must(writer::open(path, by_hand()));
    append_numbered(log, 1);
    must(log.close());
    const auto synced = record.calls(io_operation::sync_range, "control");
    REQUIRE(synced.size() == 5);
    CHECK(synced.back().offset == 3 * block);
    // In a new control file.
    CHECK(view.stored_watermark() == 12);
    CHECK(must(detail::control_view::open(path, log.id())).stored_watermark() == 13);
}

TEST_CASE("either block of the watermark is enough, and of two the greater counts") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const io_record record;
    auto log = must(writer::open(path, by_hand()));
    for (std::uint64_t generation = 1; generation <= 3; ++generation) {
        append_numbered(log, 10);
        (void)must(log.sync());
        poll_until_stored(log, record, generation);
    }
    const auto view = must(detail::control_view::open(path, log.id()));
    CHECK(view.stored_watermark() == 30);
    flip_bit(path / "control", 3 * block + 8, 0);
    CHECK(view.stored_watermark() == 20);
    flip_bit(path / "control", 3 * block + 8, 0);
    flip_bit(path / "control", 2 * block + 8, 0);
    CHECK(view.stored_watermark() == 30);
    flip_bit(path / "control", 3 * block + 8, 0);
    CHECK(view.stored_watermark() == 0);
}

TEST_CASE("a new journal's files and names are synced before they count") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const io_record record;
    auto log = must(writer::open(path, by_hand()));
    const auto all = record.calls();
    const auto name = directory.path().filename().string();
    // The directory's own name is synced before anything is created in it.
    const auto made = record.place_of(io_operation::make_directory, "j");
    const auto parent_synced = record.place_of(io_operation::sync_directory, name);
    const auto first_created = record.place_of(io_operation::create, "writer.lock");
    CHECK(made < parent_synced);
    CHECK(parent_synced < first_created);
    REQUIRE(first_created < all.size());
    // Each file: created under another name, written, synced, renamed, and the name synced.
    for (const std::string file : {"journal.pawl", "control", "0000000000.seg"}) {
        INFO(file);
        const auto created = record.place_of(io_operation::create, file + ".tmp");
        const auto written = record.place_of(io_operation::write, file + ".tmp", created);
        const auto synced = record.place_of(io_operation::sync_file, file + ".tmp", written);
        const auto renamed = record.place_of(io_operation::rename, file + ".tmp", synced);
        const auto named = record.place_of(io_operation::sync_directory, "j", renamed);
        CHECK(created < written);
        CHECK(written < synced);
        CHECK(synced < renamed);
        CHECK(renamed < named);
        REQUIRE(named < all.size());
        CHECK(all[renamed].target == path / file);
        // Nothing is written to it between its sync and its rename.
        CHECK(record.place_of(io_operation::write, file + ".tmp", synced) == all.size());
    }
}

TEST_CASE(
    "the name of a journal's directory is synced, however its path is spelled and whoever created "
    "it") {
    const temporary_directory directory;
    const std::string spelled = GENERATE("j", "j/");
    const bool made_before = GENERATE(false, true);
    INFO(spelled << (made_before ? ", made before" : ""));
    if (made_before)
        std::filesystem::create_directory(directory.path() / "j");
    const io_record record;
    const auto log = must(writer::open(directory.path() / spelled, by_hand()));
    const auto name = directory.path().filename().string();
    CHECK(record.calls(io_operation::sync_directory, name).size() == 1);
    CHECK(record.place_of(io_operation::sync_directory, name) <
          record.place_of(io_operation::create, "writer.lock"));
}

// The directory exists then, and no other code ever syncs its name.
TEST_CASE("the next open syncs the name of a directory whose first sync failed") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    bool failing = true;
    const io_record record{[&](const io_call& call) {
        return failing && call.operation == io_operation::sync_directory ? EIO : 0;
    }};
    const auto refused = writer::open(path, by_hand());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::io);
    CHECK_FALSE(std::filesystem::exists(path / "journal.pawl"));
    failing = false;
    const auto before = record.calls().size();
    const auto log = must(writer::open(path, by_hand()));
    CHECK(record.place_of(io_operation::sync_directory, directory.path().filename().string(),
                          before) < record.calls().size());
}
