// A shortage of disk space, descriptors or memory, and what must survive it.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"
#include "os/io_hook.hpp"
#include "store/directory.hpp"

#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace pawl;
using namespace pawl::test;

namespace fs = std::filesystem;

namespace {

// Fails operations on files whose names end with `ending`, while it is armed.
struct refusal {
    std::string ending{};
    int with = 0;
    bool maps = false;  // fails mapping instead of creating and allocating
    std::atomic<bool> armed{false};
    std::atomic<int> refused{0};
};

int refuse(void* context, const detail::io_event& event) {
    auto& rule = *static_cast<refusal*>(context);
    const std::string_view path{event.path};
    const bool makes = event.operation == detail::io_operation::create ||
                       event.operation == detail::io_operation::allocate;
    const bool fails = rule.maps ? event.operation == detail::io_operation::map : makes;
    if (!rule.armed || !fails || !path.ends_with(rule.ending))
        return 0;
    ++rule.refused;
    return rule.with;
}

// Removes the hook when the test ends, however it ends.
class hooked {
  public:
    explicit hooked(refusal& rule) { detail::set_io_hook(refuse, &rule); }
    ~hooked() { detail::set_io_hook(nullptr, nullptr); }
    hooked(const hooked&) = delete;
    hooked& operator=(const hooked&) = delete;
};

std::uint64_t bytes_on_disk(const fs::path& directory) {
    std::uint64_t sum = 0;
    for (const auto& entry : fs::recursive_directory_iterator{directory}) {
        struct stat status{};
        if (::stat(entry.path().c_str(), &status) == 0 && S_ISREG(status.st_mode))
            sum += static_cast<std::uint64_t>(status.st_blocks) * 512;
    }
    return sum;
}

}  // namespace

TEST_CASE("a brief lack of descriptors at a rollover does not end the writer") {
    const temporary_directory directory;
    const int lacking = GENERATE(EMFILE, ENFILE, ENOMEM);
    auto log = must(writer::open(directory.path() / "j", by_hand()));
    refusal rule{.ending = ".seg.tmp", .with = lacking};
    const hooked hook{rule};
    rule.armed = true;
    auto refused = log.append({}, {});
    const std::vector<std::byte> payload(1000);
    while (refused) {
        must(log.poll());
        refused = log.append({}, payload);
    }
    CHECK(rule.refused > 0);
    CHECK(refused.error().code == errc::back_pressure);
    CHECK(refused.error().os_error == lacking);
    CHECK_FALSE(log.failure());
    rule.armed = false;
    must(log.poll());
    CHECK(log.append({}, payload));
    must(log.close());
    CHECK(must(verify(directory.path() / "j")).sound());
}

TEST_CASE("a shortage after a prepared segment has its name does not end the writer") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path() / "j", by_hand()));
    refusal rule{.ending = ".seg", .with = ENOMEM, .maps = true};
    const hooked hook{rule};
    rule.armed = true;
    const std::vector<std::byte> payload(1000);
    auto refused = log.append({}, payload);
    while (refused) {
        (void)log.poll();
        refused = log.append({}, payload);
    }
    CHECK(rule.refused > 0);
    CHECK_FALSE(log.failure());
    rule.armed = false;
    must(log.poll());
    CHECK_FALSE(log.failure());
    CHECK(log.append({}, payload));
    must(log.close());
    CHECK(must(verify(directory.path() / "j")).sound());
}

TEST_CASE("an append that spins waits until there are descriptors again") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path() / "j", small_segments()));
    refusal rule{.ending = ".seg.tmp", .with = EMFILE};
    const hooked hook{rule};
    rule.armed = true;
    std::thread relief{[&rule] {
        while (rule.refused < 3)
            std::this_thread::yield();
        rule.armed = false;
    }};
    const std::vector<std::byte> payload(1000);
    for (int i = 0; i < 1000; ++i)
        REQUIRE(log.append({}, payload));
    relief.join();
    CHECK_FALSE(log.failure());
    must(log.close());
}

TEST_CASE("a close without disk space for its indexes still closes the journal") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, by_hand()));
    append_numbered(log, 100);
    refusal rule{.with = GENERATE(ENOSPC, EMFILE)};
    {
        const hooked hook{rule};
        rule.armed = true;
        must(log.close());
    }
    CHECK(rule.refused > 0);
    CHECK(must(inspect(path)).state == journal_state::closed);
    CHECK(read_numbered(path) == 100);
    auto again = must(writer::open(path, by_hand()));
    CHECK(again.recovery().state == found::closed);
    must(again.close());
    CHECK(must(verify(path)).findings.empty());
}

TEST_CASE(
    "a close whose index fails for another reason returns the error, and the journal is closed") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, by_hand()));
    append_numbered(log, 100);
    refusal rule{.with = EIO};
    {
        const hooked hook{rule};
        rule.armed = true;
        CHECK(log.close().error().os_error == EIO);
    }
    CHECK(must(inspect(path)).state == journal_state::closed);
    CHECK(must(writer::open(path, by_hand())).recovery().state == found::closed);
}

TEST_CASE("a crash does not hold the disk space of a segment forever") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    constexpr std::uint64_t segment_bytes = std::uint64_t{4} << 20;
    auto options = small_segments();
    options.segment_bytes = segment_bytes;
    for (std::uint64_t life = 0; life < 8; ++life) {
        auto log = must(writer::open(path, options));
        append_numbered(log, 1);
        must(log.sync());
    }
    // The newest segment, at most `ahead` prepared ones, and a few pages of each that was cut.
    constexpr std::uint64_t ahead = 4;
    CHECK(bytes_on_disk(path) < (1 + ahead) * segment_bytes + 8 * 65536 + 65536);
    const auto report = must(recover(path));
    CHECK(report.state == found::torn_tail);
    CHECK(bytes_on_disk(path) < segment_bytes);
    CHECK(read_numbered(path) == 8);
}

TEST_CASE("a recovery frees disk space without removing evidence") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto options = by_hand();
    options.segment_bytes = std::uint64_t{1} << 20;
    constexpr std::uint64_t torn_at = 500'000;
    {
        auto log = must(writer::open(path, options));
        append_numbered(log, 10);
    }
    overwrite(segment(path, 0), torn_at, bytes_of("evidence"));
    const auto report = must(recover(path));
    CHECK(report.torn_bytes != 0);
    const auto left = read_bytes(segment(path, 0), torn_at, 8);
    CHECK(std::string_view{reinterpret_cast<const char*>(left.data()), 8} == "evidence");
    CHECK(bytes_on_disk(path) < options.segment_bytes);
    CHECK(read_numbered(path) == 10);
}

TEST_CASE("recovery needs no disk space if there is nothing to do") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    {
        auto log = must(writer::open(path, by_hand()));
        append_numbered(log, 10);
        must(log.close());
    }
    const auto files = [&path] {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator{path})
            names.push_back(entry.path().filename().string());
        std::ranges::sort(names);
        return names;
    };
    const auto before = files();
    refusal rule{.with = ENOSPC};
    {
        const hooked hook{rule};
        rule.armed = true;
        CHECK(must(recover(path)).state == found::closed);
    }
    CHECK(rule.refused == 0);
    CHECK(files() == before);

    // A missing index that cannot be rebuilt for lack of disk space does not matter either.
    fs::remove(detail::index_path(path, 0));
    const hooked hook{rule};
    const auto report = must(recover(path));
    CHECK(rule.refused > 0);
    CHECK(report.next_sequence == 10);
    CHECK(report.notices.size() == 1);
}

TEST_CASE("a follower waits until there are descriptors again") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, by_hand()));
    auto events = must(cursor::open(path, {.follow = true}));
    refusal rule{.ending = "0000000001.seg", .with = EMFILE};
    const std::vector<std::byte> payload(1000);
    const auto fill = [&] {
        const std::uint64_t before = log.statistics().rollovers;
        while (log.statistics().rollovers == before) {
            must(log.poll());
            must(log.append({}, payload));
        }
    };
    fill();
    std::uint64_t seen = 0;
    detail::set_io_hook(
        [](void* context, const detail::io_event& event) {
            auto& stop = *static_cast<refusal*>(context);
            const bool hit = stop.armed && event.operation == detail::io_operation::open &&
                             std::string_view{event.path}.ends_with(stop.ending);
            stop.refused += hit ? 1 : 0;
            return hit ? stop.with : 0;
        },
        &rule);
    rule.armed = true;
    while (events.next() != nullptr)
        ++seen;
    CHECK(must(events.wait(std::chrono::milliseconds{1})) == false);
    rule.armed = false;
    while (events.next() != nullptr)
        ++seen;
    detail::set_io_hook(nullptr, nullptr);
    CHECK(rule.refused > 0);
    CHECK(seen == log.next_sequence());
}
