// The errors of a reader whose files have been moved.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"

#include <filesystem>

using namespace pawl;
using namespace pawl::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

class working_directory {
  public:
    explicit working_directory(const fs::path& path) : before_{fs::current_path()} {
        fs::current_path(path);
    }
    ~working_directory() { fs::current_path(before_); }
    working_directory(const working_directory&) = delete;
    working_directory& operator=(const working_directory&) = delete;

  private:
    fs::path before_;
};

// A follower that has read ten events and waits for the eleventh.
cursor follower_of(const fs::path& path) {
    auto events = must(cursor::open(path, {.follow = true}));
    for (int i = 0; i < 10; ++i)
        REQUIRE(events.next() != nullptr);
    REQUIRE(events.next() == nullptr);
    return events;
}

}  // namespace

TEST_CASE("a follower opened by a relative path continues after a chdir") {
    const temporary_directory directory;
    auto log = must(writer::open(directory.path() / "j", small_segments()));
    append_numbered(log, 10);
    const working_directory here{directory.path()};
    auto events = follower_of("j");
    const working_directory elsewhere{"/"};
    CHECK_FALSE(must(events.wait(20ms)));
    append_numbered(log, 3000);  // across rollovers
    std::uint64_t seen = 0;
    while (seen < 3000 && must(events.wait(60s))) {
        REQUIRE(events.next() != nullptr);
        ++seen;
    }
    CHECK(seen == 3000);
}

TEST_CASE("a follower whose journal was moved away reports that, and not a recovery") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    {
        auto log = must(writer::open(path, small_segments()));
        append_numbered(log, 10);
    }
    auto events = follower_of(path);
    fs::rename(path, directory.path() / "k");
    errc expected = errc::not_found;
    std::string words = "no longer at this path";
    SECTION("and nothing is there") {}
    SECTION("and another journal is there") {
        must(must(writer::open(path, small_segments())).close());
        words = "another journal is at this path";
    }
    const auto waited = events.wait(60s);
    REQUIRE_FALSE(waited);
    CHECK(waited.error().code == expected);
    CHECK(waited.error().file == path.string());
    CHECK(waited.error().detail.find(words) != std::string::npos);
    CHECK(waited.error().detail.find("recovery") == std::string::npos);
}

TEST_CASE("a follower reports a segment that was removed under it as gone") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    append_numbered(log, 10);
    auto events = follower_of(path);
    fs::remove(segment(path, 0));
    const auto waited = events.wait(60s);
    REQUIRE_FALSE(waited);
    CHECK(waited.error().code == errc::rewound);
    CHECK(waited.error().file == segment(path, 0).string());
    CHECK(waited.error().detail == "events of this segment were read, and its file is gone");
}

TEST_CASE("a follower continues in a copy that replaced its segment") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    {
        auto log = must(writer::open(path, small_segments()));
        append_numbered(log, 10);
        (void)must(log.sync());
    }
    auto events = follower_of(path);
    fs::copy_file(segment(path, 0), directory.path() / "copy");
    fs::rename(directory.path() / "copy", segment(path, 0));
    CHECK_FALSE(must(events.wait(20ms)));
    auto log = must(writer::open(path, small_segments()));
    append_numbered(log, 1);
    REQUIRE(must(events.wait(60s)));
    CHECK(text_of(*events.next()) == "event 10");
}

TEST_CASE("a follower of durable events continues without its control file") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    must(must(writer::open(path, small_segments())).close());
    auto events = must(cursor::open(path, {.show = visibility::durable, .follow = true}));
    const auto take = [&](sequence_number until) {
        while (events.next_sequence() < until) {
            if (!must(events.wait(10s)))
                break;
            REQUIRE(events.next() != nullptr);
        }
        CHECK(events.next_sequence() == until);
    };
    SECTION("when it is replaced") {
        for (int life = 1; life < 4; ++life) {
            fs::remove(path / "control");
            auto log = must(writer::open(path, small_segments()));
            append_numbered(log, 10);
            const sequence_number durable = must(log.sync());
            append_numbered(log, 1);
            take(durable);
            CHECK(events.next() == nullptr);
            CHECK(events.finish());
            must(log.close());
            take(durable + 1);
        }
    }
    SECTION("when it is gone: what the log proves") {
        auto log = must(writer::open(path, small_segments()));
        fs::remove(path / "control");
        events = must(cursor::open(path, {.show = visibility::durable, .follow = true}));
        append_numbered(log, 10);
        (void)must(log.sync());
        append_numbered(log, 1);  // its witness proves the ten
        take(10);
        CHECK(events.next() == nullptr);
        must(log.close());
        fs::remove(path / "control");
        take(11);
    }
}

TEST_CASE("a durable cursor ignores a watermark with a wrong check word") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto options = small_segments();
    options.background_threads = false;
    options.full = when_full::fail;
    auto log = must(writer::open(path, options));
    append_numbered(log, 10);
    auto events = must(cursor::open(path, {.show = visibility::durable, .follow = true}));
    REQUIRE(events.next() == nullptr);
    constexpr std::uint64_t status_block = 4096;
    flip_bit(path / "control", status_block, 3);  // says 8; the check word is that of 0
    CHECK(events.next() == nullptr);
    CHECK(events.next_sequence() == 0);
}

TEST_CASE("a follower at the first slot of a prepared segment finds the one that replaces it") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto options = small_segments();
    options.background_threads = false;
    options.full = when_full::fail;
    {
        auto log = must(writer::open(path, options));
        append_numbered(log, 10);
        must(log.close());
    }
    {
        auto died_before_its_first_append = must(writer::open(path, options));
    }
    auto events = must(cursor::open(path, {.from = from_end{}, .follow = true}));
    REQUIRE_FALSE(must(events.wait(20ms)));
    auto log = must(writer::open(path, options));
    append_numbered(log, 1);
    REQUIRE(must(events.wait(10s)));
    CHECK(text_of(*events.next()) == "event 10");
}
