// A writer's duties to others: to the observer, to readers, to readers of the control file, and the
// requested permissions.
#include "../support/temporary_directory.hpp"
#include "io_record.hpp"
#include "journal_support.hpp"
#include "store/control.hpp"
#include "store/directory.hpp"

#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <future>
#include <map>
#include <thread>

using namespace pawl;
using namespace pawl::test;
using namespace std::chrono_literals;
using detail::io_operation;

namespace {

// Waits for the condition; returns false if it does not hold within half a minute.
template <class Condition>
[[nodiscard]] bool comes_true(const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end)
            return false;
        std::this_thread::yield();
    }
    return true;
}

[[nodiscard]] std::uint64_t blocks_of(const std::filesystem::path& file) {
    struct stat status{};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

[[nodiscard]] unsigned mode_of(const std::filesystem::path& file) {
    struct stat status{};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    return status.st_mode & 07777U;
}

}  // namespace

TEST_CASE("the observer is called once for a sync that failed in the background", "[concurrency]") {
    const temporary_directory directory;
    std::atomic<bool> failing{false};
    std::atomic<int> told{0};
    error said{};
    const io_record record{[&](const io_call& call) {
        return failing && call.operation == io_operation::sync_range ? EIO : 0;
    }};
    auto options = small_segments();
    options.sync = sync_policy::every_us(100);
    options.observer = [&](const error& what) {
        if (told == 0)
            said = what;
        ++told;
    };
    auto log = must(writer::open(directory.path() / "j", options));
    failing = true;
    append_numbered(log, 1);
    REQUIRE(comes_true([&] { return told != 0; }));
    CHECK(said.code == errc::poisoned);
    CHECK(said.os_error == EIO);
    CHECK(said.file == segment(directory.path() / "j", 0).string());
    CHECK(log.failure()->code == errc::poisoned);
    CHECK(must(inspect(directory.path() / "j")).state == journal_state::poisoned);
    CHECK(log.append({}, {}).error().code == errc::poisoned);
    CHECK_FALSE(log.close());
    CHECK(told == 1);
}

TEST_CASE("the state is disk_full for as long as the disk is full") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    bool full = false;
    const io_record record{[&](const io_call& call) {
        return full && call.operation == io_operation::allocate ? ENOSPC : 0;
    }};
    auto log = must(writer::open(path, by_hand()));
    CHECK(must(inspect(path)).state == journal_state::open);
    full = true;
    must(log.poll());
    CHECK(must(inspect(path)).state == journal_state::disk_full);
    errc refused{};
    while (refused == errc{}) {
        const auto placed = log.append({}, bytes_of("as long as there is room"));
        if (!placed)
            refused = placed.error().code;
    }
    CHECK(refused == errc::disk_full);
    CHECK(must(inspect(path)).state == journal_state::disk_full);
    CHECK_FALSE(log.failure().has_value());
    full = false;
    must(log.poll());
    CHECK(must(inspect(path)).state == journal_state::open);
    CHECK(log.append({}, bytes_of("as long as there is room")).has_value());
    must(log.close());
    CHECK(must(inspect(path)).state == journal_state::closed);
}

TEST_CASE("a closed journal occupies no more disk space than its contents") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto options = by_hand();
    options.segment_bytes = std::uint64_t{1} << 20;
    auto log = must(writer::open(path, options));
    append_numbered(log, 3);
    must(log.poll());
    CHECK(std::filesystem::exists(segment(path, 1)));
    CHECK(blocks_of(segment(path, 0)) >= options.segment_bytes);
    must(log.close());
    // The headers and one page of frames; a file system may add a block of its own.
    CHECK(blocks_of(segment(path, 0)) <= 4 * 4096);
    CHECK(std::filesystem::file_size(segment(path, 0)) == options.segment_bytes);
    CHECK_FALSE(std::filesystem::exists(segment(path, 1)));
}

TEST_CASE("every file of a journal has the requested permissions") {
    const auto old_mask = ::umask(0);
    for (const std::uint32_t mode : {0600U, 0640U, 0664U}) {
        INFO("mode " << std::oct << mode);
        const temporary_directory directory;
        const auto path = directory.path() / "j";
        auto options = by_hand();
        options.mode = mode;
        std::uint64_t cut_at = 0;
        {
            auto log = must(writer::open(path, options));
            must(log.poll());
            while (log.statistics().rollovers == 0)
                append_numbered(log, 1);
            must(log.poll());
            must(log.sync());
            must(log.close());
            log = must(writer::open(path, options));
            append_numbered(log, 1);
            cut_at = must(log.append({.type = 1}, bytes_of("torn"))).position.offset;
        }
        overwrite(segment(path, 2), cut_at + 16, bytes_of("XXXXXXXX"));
        {
            auto log = must(writer::open(path, options));
            CHECK(log.recovery().kept.size() == 1);
            must(log.close());
        }
        std::map<std::string, int> kinds;
        for (const auto& entry : std::filesystem::recursive_directory_iterator{path}) {
            INFO(entry.path().string());
            ++kinds[entry.path().extension().string()];
            if (entry.is_directory())
                CHECK((mode_of(entry.path()) & 0666U) == mode);
            else
                CHECK(mode_of(entry.path()) == mode);
        }
        CHECK(kinds[".seg"] == 4);
        CHECK(kinds[".idx"] == 4);
        CHECK(kinds[".bytes"] == 1);
        CHECK(kinds[".tmp"] == 0);
        // All who may read the files may search the directory.
        CHECK(mode_of(path) == (mode | 0700U | (mode >> 2 & 0111U)));
    }
    ::umask(old_mask);
}

TEST_CASE("readers are woken when there is something new, and only then") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, by_hand()));
    must(log.poll());
    const auto view = must(detail::control_view::open(path, log.id()));
    const auto before = view.wake_word();
    must(log.poll());
    CHECK(view.wake_word() == before);
    append_numbered(log, 5);
    CHECK(view.wake_word() == before);
    must(log.poll());
    CHECK(view.wake_word() == before + 1);
    CHECK(view.published() == 5);
    must(log.poll());
    CHECK(view.wake_word() == before + 1);
    (void)must(log.sync());
    must(log.poll());
    CHECK(view.wake_word() == before + 2);
    CHECK(view.durable() == 5);
}

TEST_CASE("a reader that sleeps on the wake word is woken through another mapping",
          "[concurrency]") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const auto log = must(writer::open(path, by_hand()));
    const auto page = must(detail::control_page::open_for_writing(path, log.id(), 0));
    const auto view = must(detail::control_view::open(path, log.id()));
    auto sleeper = std::async(std::launch::async, [&] {
        constexpr std::uint64_t ten_minutes = 600'000'000'000;
        view.sleep(view.wake_word(), ten_minutes);
    });
    // A wake-up before the wait has no effect, so wake repeatedly.
    CHECK(comes_true([&] {
        page.wake_readers();
        return sleeper.wait_for(1ms) == std::future_status::ready;
    }));
}

TEST_CASE("a lock file that is replaced between open and lock is not taken") {
    const std::string name = GENERATE("writer.lock", "journal.pawl");
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    must(must(writer::open(path, by_hand())).close());
    int replaced = 0;
    std::optional<result<writer>> opened;
    {
        const io_record record{[&](const io_call& call) {
            if (call.operation == io_operation::lock && call.path.filename() == name) {
                ++replaced;
                std::filesystem::copy_file(call.path, path / "other");
                std::filesystem::rename(path / "other", call.path);
            }
            return 0;
        }};
        opened.emplace(writer::open(path, by_hand()));
    }
    CHECK(replaced == 1);
    REQUIRE_FALSE(opened->has_value());
    CHECK(opened->error().code == errc::locked);
    opened.reset();
    CHECK(writer::open(path, by_hand()).has_value());
}

TEST_CASE("links in place of a journal's files are not followed") {
    const std::string name = GENERATE("journal.pawl", "control", "writer.lock", "streams",
                                      "0000000000.seg", "0000000000.idx", "0000000001.seg");
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const auto elsewhere = directory.path() / "elsewhere";
    {
        auto log = must(writer::open(path, by_hand()));
        append_numbered(log, 3);
        must(log.close());
        log = must(writer::open(path, by_hand()));
        append_numbered(log, 3);
    }
    std::filesystem::rename(path / name, elsewhere);
    std::filesystem::create_symlink(elsewhere, path / name);
    const auto bytes = std::filesystem::file_size(elsewhere);
    const auto before = read_bytes(elsewhere, 0, bytes);
    const bool derived = name == "streams" || name == "0000000000.idx";
    auto options = by_hand();
    options.verify = verify_at_open::all;
    const auto opened = writer::open(path, options);
    INFO(name);
    CHECK(opened.has_value() == derived);
    if (!opened)
        CHECK(opened.error().os_error == ELOOP);
    if (derived)
        CHECK(opened->next_sequence() == 6);
    CHECK(read_bytes(elsewhere, 0, bytes) == before);
}

TEST_CASE("a dry run changes nothing, whatever a recovery would remove") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    log_position torn{};
    {
        auto log = must(writer::open(path, by_hand()));
        must(log.poll());
        while (log.statistics().rollovers == 0)
            torn = must(log.append({.type = 1}, bytes_of("some bytes"))).position;
        must(log.poll());  // one more is prepared
        torn = must(log.append({.type = 1}, bytes_of("torn"))).position;
        append_numbered(log, 3);
    }
    overwrite(segment(path, torn.ordinal), torn.offset + 56, bytes_of("XXXX"));
    std::ofstream{path / "0000000009.seg.tmp"} << "left behind";
    const auto files = [&] {
        std::map<std::string, std::vector<std::byte>> all;
        for (const auto& entry : std::filesystem::recursive_directory_iterator{path})
            all[entry.path().string()] =
                read_bytes(entry.path(), 0, std::filesystem::file_size(entry.path()));
        return all;
    };
    const auto before = files();
    // Identity, control, lock, two used segments, eight that are ready, and the temporary file.
    CHECK(before.size() == 14);
    const auto rehearsed = must(recover(path, {.dry_run = true}));
    CHECK(rehearsed.dry_run);
    CHECK(rehearsed.state == found::torn_tail);
    CHECK(rehearsed.cut == torn);
    CHECK(rehearsed.kept.empty());
    CHECK((files() == before));
    (void)must(verify(path, {.deep = true}));
    (void)must(inspect(path));
    CHECK((files() == before));
    CHECK(must(recover(path)).kept.size() == 1);
    CHECK_FALSE(std::filesystem::exists(path / "0000000009.seg.tmp"));
}

TEST_CASE("a recovery counts lost events and torn bytes exactly") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const std::uint64_t after = GENERATE(0U, 1U, 5U);
    log_position torn{};
    std::uint64_t torn_bytes = 0;
    {
        auto log = must(writer::open(path, by_hand()));
        append_numbered(log, 10);
        const auto begin = log.statistics().appended_bytes;
        torn = must(log.append({.type = 1}, bytes_of("12345678"))).position;
        for (std::uint64_t i = 0; i < after; ++i)
            (void)must(log.append({.type = 1}, bytes_of("12345678")));
        torn_bytes = log.statistics().appended_bytes - begin;
    }
    overwrite(segment(path, 0), torn.offset + 56, bytes_of("XXXX"));
    auto log = must(writer::open(path, by_hand()));
    const auto& report = log.recovery();
    CHECK(report.state == found::torn_tail);
    CHECK(report.cut == torn);
    CHECK(report.cut_sequence == 10);
    CHECK(report.next_sequence == 10);
    // The events after the torn event prove that it was published.
    CHECK(report.lost_about == (after == 0 ? 0 : after + 1));
    CHECK(report.torn_bytes == torn_bytes);
    CHECK(report.kept.size() == 1);
    CHECK(report.segments == 1);
    CHECK(report.segments_read == 1);
}

TEST_CASE("a recovery takes the number of published events from the control file") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    log_position torn{};
    {
        auto log = must(writer::open(path, by_hand()));
        append_numbered(log, 10);
        torn = must(log.append({.type = 1}, bytes_of("12345678"))).position;
        append_numbered(log, 4);
        must(log.poll());
    }
    const std::vector<std::byte> nothing(4096);
    overwrite(segment(path, 0), torn.offset, nothing);
    CHECK(must(recover(path)).lost_about == 5);
}
