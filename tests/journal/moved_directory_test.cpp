// A path is not a directory: tests a writer whose directory was moved, deleted or replaced.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"
#include "os/io_hook.hpp"
#include "store/control.hpp"
#include "store/directory.hpp"
#include "store/remote_file_system.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>
#include <map>
#include <thread>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

std::map<std::string, std::string> contents_of(const fs::path& directory) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator{directory}) {
        // The live status changes all the time.
        if (!entry.is_regular_file() || entry.path().filename() == "control")
            continue;
        std::ifstream source{entry.path(), std::ios::binary};
        files[entry.path().string()] = std::string{std::istreambuf_iterator<char>{source}, {}};
    }
    return files;
}

bool waits_until(const std::function<bool()>& is_so) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!is_so()) {
        if (std::chrono::steady_clock::now() > end)
            return false;
        std::this_thread::yield();
    }
    return true;
}

// Like repeated `rm -rf`: the writer's threads may create files meanwhile.
void remove_under_writer(const fs::path& directory) {
    REQUIRE(waits_until([&] {
        std::error_code ignored;
        fs::remove_all(directory, ignored);
        return !fs::exists(directory);
    }));
}

void check_is_sound(const fs::path& directory) {
    const auto report = must(verify(directory));
    CHECK(report.sound());
}

// A writer on a directory whose path later leads to another journal.
struct displaced_writer {
    temporary_directory directory;
    fs::path path = directory.path() / "j";
    fs::path moved = directory.path() / "moved";

    // Puts a new journal of `events` events at the path; the events of both journals are durable.
    void replace_directory(std::uint64_t events) {
        fs::rename(path, moved);
        auto fresh = must(writer::open(path, small_segments()));
        append_numbered(fresh, events);
        (void)must(fresh.sync());
        must(fresh.close());
    }
};

class current_path_guard {
  public:
    current_path_guard() : before_{fs::current_path()} {}
    current_path_guard(const current_path_guard&) = delete;
    current_path_guard& operator=(const current_path_guard&) = delete;
    ~current_path_guard() { fs::current_path(before_); }

  private:
    fs::path before_;
};

// The directories that were synced, by their paths.
struct synced_directories {
    std::vector<std::string> paths;
    synced_directories() {
        detail::set_io_hook(
            [](void* self, const detail::io_event& event) {
                if (event.operation == detail::io_operation::sync_directory)
                    static_cast<synced_directories*>(self)->paths.emplace_back(event.path);
                return 0;
            },
            this);
    }
    synced_directories(const synced_directories&) = delete;
    synced_directories& operator=(const synced_directories&) = delete;
    ~synced_directories() { detail::set_io_hook(nullptr, nullptr); }
    [[nodiscard]] bool hold(const fs::path& path) const {
        return std::ranges::find(paths, path.string()) != paths.end();
    }
};

}  // namespace

TEST_CASE("closing a writer whose directory was moved changes nothing in the new one") {
    displaced_writer test;
    auto old = must(writer::open(test.path, small_segments()));
    append_numbered(old, 1);
    (void)must(old.sync());
    test.replace_directory(1000);
    const auto before = contents_of(test.path);

    const auto closed = old.close();
    REQUIRE_FALSE(closed);
    CHECK(closed.error().code == errc::poisoned);
    CHECK(closed.error().detail.find("no longer at this path") != std::string::npos);
    CHECK(contents_of(test.path) == before);
    check_is_sound(test.path);
    CHECK(read_numbered(test.path) == 1000);
    // The old writer's durable events are in the moved directory.
    auto again = must(writer::open(test.moved, small_segments()));
    CHECK(again.next_sequence() == 1);
    must(again.close());
    check_is_sound(test.moved);
}

TEST_CASE("a writer whose directory was moved is poisoned within a heartbeat") {
    displaced_writer test;
    auto old = must(writer::open(test.path, small_segments()));
    append_numbered(old, 10);
    (void)must(old.sync());
    SECTION("and another is there") {
        test.replace_directory(10);
    }
    SECTION("and none is there") {
        fs::rename(test.path, test.moved);
    }
    REQUIRE(waits_until([&] { return old.failure().has_value(); }));
    CHECK(old.failure()->code == errc::poisoned);
    CHECK(old.failure()->detail.find("no longer at this path") != std::string::npos);
    CHECK(old.append({.type = 1}, bytes_of("x")).error().code == errc::poisoned);
    CHECK(old.sync().error().code == errc::poisoned);
    CHECK(read_numbered(test.moved) == 10);
}

TEST_CASE("a writer that continues after its directory was moved does not touch the new one") {
    displaced_writer test;
    auto options = small_segments();
    options.background_threads = false;
    options.full = when_full::fail;
    auto old = must(writer::open(test.path, options));
    append_numbered(old, 10);
    test.replace_directory(3000);
    const auto before = contents_of(test.path);
    // Rolls over and seals, as long as the writer accepts appends.
    const std::string kilobyte(1000, 'x');
    for (int i = 0; i < 500; ++i) {
        if (!old.append({.type = 1}, bytes_of(kilobyte)))
            (void)old.poll();
    }
    (void)old.poll();
    CHECK(old.failure().has_value());
    CHECK_FALSE(old.close());
    CHECK(contents_of(test.path) == before);
    CHECK(read_numbered(test.path) == 3000);
}

TEST_CASE("a writer below a symlink that is repointed is poisoned and touches its own directory") {
    const temporary_directory directory;
    const auto current = directory.path() / "current";
    fs::create_directory(directory.path() / "blue");
    fs::create_directory(directory.path() / "green");
    fs::create_directory_symlink("blue", current);
    auto old = must(writer::open(current / "j", small_segments()));
    append_numbered(old, 10);
    (void)must(old.sync());
    fs::remove(current);
    fs::create_directory_symlink("green", current);
    auto fresh = must(writer::open(current / "j", small_segments()));
    append_numbered(fresh, 20);
    must(fresh.close());
    const auto before = contents_of(directory.path() / "green");
    REQUIRE(waits_until([&] { return old.failure().has_value(); }));
    CHECK_FALSE(old.close());
    CHECK(contents_of(directory.path() / "green") == before);
    CHECK(read_numbered(directory.path() / "blue" / "j") == 10);
    CHECK(read_numbered(current / "j") == 20);
}

TEST_CASE("a writer opened by a relative path continues after a chdir") {
    const temporary_directory directory;
    const current_path_guard guard;
    fs::create_directory(directory.path() / "a");
    fs::create_directory(directory.path() / "b");
    fs::current_path(directory.path() / "a");
    auto first = must(writer::open("j", small_segments()));
    append_numbered(first, 10);
    fs::current_path(directory.path() / "b");
    auto second = must(writer::open("j", small_segments()));
    append_numbered(second, 3000);
    must(second.close());
    const auto before = contents_of(directory.path() / "b");
    append_numbered(first, 3000);
    (void)must(first.sync());
    CHECK(first.directory() == directory.path() / "a" / "j");
    must(first.close());
    CHECK(contents_of(directory.path() / "b") == before);
    CHECK(read_numbered(directory.path() / "a" / "j") == 3010);
    check_is_sound(directory.path() / "a" / "j");
}

TEST_CASE("a writer whose files were deleted acknowledges no more events") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    append_numbered(log, 10);
    (void)must(log.sync());
    std::string expected = "deleted";
    SECTION("all of them") {
        remove_under_writer(path);
    }
    SECTION("the segment that is written") {
        fs::remove(segment(path, 0));
    }
    SECTION("the identity") {
        fs::remove(detail::identity_path(path));
    }
    SECTION("the segment, and another put there") {
        fs::copy_file(segment(path, 0), path / "copy");
        fs::rename(path / "copy", segment(path, 0));
        expected = "replaced";
    }
    REQUIRE(waits_until([&] { return log.failure().has_value(); }));
    CHECK(log.append({.type = 1}, bytes_of("x")).error().code == errc::poisoned);
    CHECK(log.sync().error().code == errc::poisoned);
    CHECK(log.failure()->detail.find(expected) != std::string::npos);
    CHECK_FALSE(log.close());
}

TEST_CASE("a writer without threads sees at a sync that its files were deleted") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto options = small_segments();
    options.background_threads = false;
    options.full = when_full::fail;
    auto log = must(writer::open(path, options));
    append_numbered(log, 10);
    (void)must(log.sync());
    fs::remove_all(path);
    REQUIRE(waits_until([&] { return !log.append({.type = 1}, bytes_of("x")) || !log.sync(); }));
    CHECK(log.failure()->code == errc::poisoned);
}

TEST_CASE("a new directory's name is synced, with or without a slash at its end") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const std::string slashes = GENERATE(as<std::string>{}, "", "/", "//");
    synced_directories synced;
    auto log = must(writer::open(path.string() + slashes, small_segments()));
    CHECK(synced.hold(directory.path()));
    CHECK(synced.hold(path));
    CHECK(log.directory() == path);
    must(log.close());
}

TEST_CASE("the error for a directory that is not a journal gives the reason") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto options = small_segments();
    options.create = false;
    const auto refusals = [&] {
        return std::vector<error>{writer::open(path, options).error(),
                                  cursor::open(path).error(),
                                  verify(path).error(),
                                  inspect(path).error(),
                                  recover(path).error(),
                                  recover(path, {.dry_run = true}).error()};
    };
    std::string why = "does not exist";
    SECTION("it does not exist") {}
    SECTION("it is empty") {
        fs::create_directory(path);
        why = "is empty";
    }
    SECTION("it holds something else") {
        fs::create_directory(path);
        std::ofstream{path / "notes.txt"} << "x";
        why = "notes.txt";
        CHECK(writer::open(path).error().detail.find(why) != std::string::npos);
    }
    for (const error& refused : refusals()) {
        CHECK(refused.code == errc::not_a_journal);
        CHECK(refused.file == path.string());
        CHECK(refused.detail.find(why) != std::string::npos);
    }
}

TEST_CASE("a recovery that was killed inside the store of its end frame keeps the first bytes") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    std::uint64_t cut = 0;
    {
        auto log = must(writer::open(path, small_segments()));
        append_numbered(log, 10);
        (void)must(log.sync());
        cut = must(log.append({.type = 1}, bytes_of("torn"))).position.offset;
    }
    flip_bit(segment(path, 0), cut + 60, 0);
    const auto torn = read_bytes(segment(path, 0), cut, 96);
    must(recover(path));
    fs::path kept;
    for (const auto& entry : fs::directory_iterator{path / "torn"})
        kept = entry.path();
    REQUIRE(read_bytes(kept, 0, 96) == torn);

    // The state after the death of that recovery: half of the end frame stored, no commit word, and
    // none of the later steps.
    const std::vector<std::byte> none(8);
    overwrite(segment(path, 0), cut, none);
    fs::remove(detail::index_path(path, 0));
    fs::remove(segment(path, 1));
    fs::remove(detail::index_path(path, 1));
    fs::remove(path / "control");
    fs::remove(path / "streams");
    const auto report = must(recover(path));
    CHECK(report.kept == std::vector<std::string>{"torn/" + kept.filename().string()});
    CHECK(read_bytes(kept, 0, 96) == torn);
    CHECK(fs::file_size(kept) == 96);
    CHECK(std::distance(fs::directory_iterator{path / "torn"}, fs::directory_iterator{}) == 1);
    check_is_sound(path);
}

TEST_CASE("a sealed segment that is missing or cut short is found when the journal is opened") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    {
        auto log = must(writer::open(path, small_segments()));
        const std::string kilobyte(1000, 'x');
        for (int i = 0; i < 300; ++i)
            (void)must(log.append({.type = 1}, bytes_of(kilobyte)));
        must(log.close());
    }
    REQUIRE(must(inspect(path)).segments.size() > 3);
    const std::uint64_t ordinal = GENERATE(0U, 1U, 2U);
    errc expected = errc::missing_segment;
    SECTION("missing") {
        fs::rename(segment(path, ordinal), directory.path() / "away");
    }
    SECTION("cut short") {
        fs::resize_file(segment(path, ordinal), 10'000);
        expected = errc::damaged;
    }
    const auto opened = writer::open(path, small_segments());
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == expected);
    CHECK(opened.error().file == segment(path, ordinal).string());
    CHECK(recover(path, {.dry_run = true}).error().code == expected);
}

TEST_CASE("a segment size that an existing journal ignores leaves a notice") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    must(must(writer::open(path, small_segments())).close());
    auto options = small_segments();
    CHECK(must(writer::open(path, options)).recovery().notices.empty());
    options.segment_bytes *= 2;
    const auto notices = must(writer::open(path, options)).recovery().notices;
    REQUIRE(notices.size() == 1);
    CHECK(notices[0].find("segment_bytes = 131072 is ignored") != std::string::npos);
    CHECK(must(recover(path)).notices.empty());
}

TEST_CASE("network file systems are recognized by name, and local ones are not among them") {
    CHECK(detail::remote_file_system(0x6969) == "NFS");
    CHECK(detail::remote_file_system(0x65735546) == "FUSE");
    for (const std::uint32_t local : {0xef53U, 0x58465342U, 0x9123683eU, 0x01021994U, 0x794c7630U})
        CHECK(detail::remote_file_system(local).empty());
}

TEST_CASE("a poll after close, or in a forked child, creates no files") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto options = small_segments();
    options.background_threads = false;
    options.full = when_full::fail;
    auto log = must(writer::open(path, options));
    append_numbered(log, 10);
    const auto open = contents_of(path);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const auto polled = log.poll();
        ::_exit(!polled && polled.error().code == errc::forked ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(contents_of(path) == open);
    must(log.close());
    const auto closed = contents_of(path);
    CHECK(log.poll().error().code == errc::closed);
    CHECK(contents_of(path) == closed);
}

TEST_CASE("a segment whose preparation failed after it had its name can be prepared again") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto options = small_segments();
    options.background_threads = false;
    options.full = when_full::fail;
    auto log = must(writer::open(path, options));
    bool failed = false;
    detail::set_io_hook(
        [](void* context, const detail::io_event& event) {
            auto& once = *static_cast<bool*>(context);
            if (event.operation != detail::io_operation::map || once)
                return 0;
            once = true;
            return ENOMEM;
        },
        &failed);
    (void)log.poll();
    detail::set_io_hook(nullptr, nullptr);
    REQUIRE(failed);
    const std::string kilobyte(1000, 'x');
    for (int i = 0; i < 300; ++i) {
        if (!log.append({.type = 1}, bytes_of(kilobyte)))
            must(log.poll());
    }
    CHECK_FALSE(log.failure().has_value());
    must(log.close());
    check_is_sound(path);
}

TEST_CASE("writing to a copy made of hard links leaves the original as it was") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const auto copy = directory.path() / "copy";
    {
        auto log = must(writer::open(path, small_segments()));
        append_numbered(log, 3000);
        (void)must(log.sync());
    }
    fs::copy(path, copy, fs::copy_options::recursive | fs::copy_options::create_hard_links);
    const auto control_before = read_bytes(path / "control", 0, 16'384);
    const auto before = contents_of(path);
    {
        auto log = must(writer::open(copy, small_segments()));
        append_numbered(log, 3000);
        must(log.close());
    }
    CHECK(contents_of(path) == before);
    CHECK(read_bytes(path / "control", 0, 16'384) == control_before);
    CHECK(read_numbered(copy) == 6000);
    check_is_sound(copy);
    must(recover(path));
    CHECK(read_numbered(path) == 3000);
    check_is_sound(path);
}

TEST_CASE("a control file replaced at an open proves what the recovery synced") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    {
        auto log = must(writer::open(path, small_segments()));
        append_numbered(log, 10);
    }
    const auto id = must(inspect(path)).id;
    const auto old = must(detail::directory_handle{path}.identity_of(detail::control_name));
    auto log = must(writer::open(path, small_segments()));
    CHECK(must(detail::directory_handle{path}.identity_of(detail::control_name)) != old);
    CHECK(must(detail::control_view::open(path, id)).stored_watermark() == 10);
    // Both blocks hold it, so that one survives if the other is torn.
    flip_bit(path / "control", std::uint64_t{2} * 4096 + 8, 0);
    CHECK(must(detail::control_view::open(path, id)).stored_watermark() == 10);
    must(log.close());
}
