// Named readers beside prunes, forks, moves of the directory and shortages.
#include "consumer_support.hpp"
#include "io_record.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pawl/journal/prune.hpp>

#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

using detail::io_operation;

// Whether another process could create or prune now.
[[nodiscard]] bool is_free(const fs::path& directory) {
    const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(descriptor >= 0);
    const bool taken = ::flock(descriptor, LOCK_EX | LOCK_NB) == 0;
    ::close(descriptor);
    return taken;
}

// Descriptors have run out when the file of the consumer "risk" is opened.
[[nodiscard]] int without_descriptors(const io_call& asked) {
    const bool is_the_file =
        asked.operation == io_operation::open && asked.path.filename() == "risk";
    return is_the_file ? EMFILE : 0;
}

constexpr prune_options everything{.keep_bytes = 0};

// A child process that lives until this goes out of scope. It does nothing.
class idle_child {
  public:
    idle_child() {
        REQUIRE(::pipe2(ends_.data(), O_CLOEXEC) == 0);
        process_ = ::fork();
        if (process_ == 0) {
            ::close(ends_[1]);
            char none = 0;
            (void)!::read(ends_[0], &none, 1);
            ::_exit(0);
        }
    }
    idle_child(const idle_child&) = delete;
    idle_child& operator=(const idle_child&) = delete;
    ~idle_child() {
        ::close(ends_[0]);
        ::close(ends_[1]);
        (void)::waitpid(process_, nullptr, 0);
    }

  private:
    std::array<int, 2> ends_{};
    pid_t process_ = -1;
};

}  // namespace

TEST_CASE("a writer whose directory was moved still heeds its consumers") {
    const consumed_journal journal;
    journal.grow(8);
    auto log = must(writer::open(journal.directory, by_hand()));
    auto risk = open_it(journal);
    fs::rename(journal.directory, journal.home.path() / "moved");
    const auto held = must(log.prune(everything));
    CHECK(held.segments == 0);
    REQUIRE(held.held_by.size() == 1);
    CHECK(held.held_by.front().name == "consumer risk");
}

TEST_CASE("no consumer begins while a prune moves the beginning") {
    const consumed_journal journal;
    journal.grow(8);
    // Without any consumer, and with one.
    for (const char* locked : {"", "consumers"}) {
        const fs::path where = journal.directory / locked;
        int looks = 0;
        int free = 0;
        {
            const io_record disk{[&](const io_call& asked) {
                if (asked.operation == io_operation::rename &&
                    asked.target.filename().string().starts_with("retained")) {
                    ++looks;
                    free += is_free(where) ? 1 : 0;
                }
                return 0;
            }};
            CHECK(must(prune(journal.directory, everything)).segments > 0);
        }
        CHECK(looks == 2);
        CHECK(free == 0);
        CHECK(is_free(where));
        // So that `consumers` exists the next time.
        must(open_it(journal).close());
        journal.grow(8);
        must(drop_consumer(journal.directory, "risk"));
    }
}

TEST_CASE("a consumer whose beginning is pruned meanwhile asks for it again") {
    const consumed_journal journal;
    journal.grow(8);
    int asked = 0;
    const auto begin = [&]() -> result<consumer_position> {
        ++asked;
        auto events = cursor::open(journal.directory);
        if (!events)
            return std::unexpected(std::move(events.error()));
        if (auto gone = prune(journal.directory, {.before = 300}); !gone)
            return std::unexpected(std::move(gone.error()));
        return consumer_position{events->point()};
    };
    auto risk = open_it(journal, {.begin = begin});
    CHECK(asked == 2);
    CHECK(risk.position().point.next > 100);
    CHECK(cursor::open(journal.directory, {.from = risk.resume_from()}));
    // One that insists on what is gone.
    const auto insist = [] { return result<consumer_position>{consumer_position{}}; };
    CHECK(consumer::open(journal.directory, "late", {.begin = insist}).error().code ==
          errc::pruned);
    CHECK_FALSE(fs::exists(journal.file("late")));
    // One that does not say begins where the log does.
    auto first = must(consumer::open(journal.directory, "first"));
    CHECK(first.position().point == risk.position().point);
    CHECK(cursor::open(journal.directory, {.from = first.resume_from()}));
}

TEST_CASE("a commit does not go back before the beginning of the log") {
    const consumed_journal journal;
    journal.grow(8);
    const auto early = journal.at(5);
    auto risk = open_it(journal);
    must(risk.commit(journal.at(300)));
    const auto pruned = must(prune(journal.directory, everything));
    REQUIRE(pruned.first_sequence > 5);
    CHECK(risk.commit(early).error().code == errc::pruned);
    CHECK(risk.position().point.next == 300);
    CHECK(journal.only().position.point.next == 300);
    const auto back = journal.at(pruned.first_sequence + 1);
    must(risk.commit(back));
    CHECK(journal.only().position.point.next == back.point.next);
    CHECK(is_free(journal.directory / "consumers"));
}

TEST_CASE("a shortage of descriptors neither drops a consumer nor calls it unreadable") {
    const consumed_journal journal;
    journal.grow(8);
    auto risk = open_it(journal);
    {
        const io_record disk{without_descriptors};
        CHECK(drop_consumer(journal.directory, "risk").error().code == errc::no_descriptors);
        CHECK(prune(journal.directory, everything).error().code == errc::no_descriptors);
        CHECK(list_consumers(journal.directory).error().code == errc::no_descriptors);
    }
    must(risk.commit(journal.at(3)));
    CHECK(journal.only().position.point.next == 3);
}

TEST_CASE("a child that is forked while a consumer is opened blocks nobody") {
    const consumed_journal journal;
    std::optional<idle_child> child;
    {
        const io_record disk{[&](const io_call& asked) {
            if (asked.operation == io_operation::rename && !child)
                child.emplace();
            return 0;
        }};
        must(open_it(journal).close());
    }
    REQUIRE(child);
    REQUIRE(is_free(journal.directory / "consumers"));
    CHECK(consumer::open(journal.directory, "other"));
}

TEST_CASE("where a consumer begins may depend on another one") {
    const consumed_journal journal;
    must(open_it(journal).commit(journal.at(7)));
    const auto begin = [&]() -> result<consumer_position> {
        if (!is_free(journal.directory / "consumers"))
            return fail(errc::locked, "opening another consumer would block for ever");
        auto old = consumer::open(journal.directory, "risk");
        if (!old)
            return std::unexpected(std::move(old.error()));
        return old->position();
    };
    CHECK(must(consumer::open(journal.directory, "next", {.begin = begin})).position().point.next ==
          7);
}

TEST_CASE("the entry of the consumers' directory is synced though the process that made it died") {
    const consumed_journal journal;
    {
        const io_record disk{[&](const io_call& asked) {
            const bool is_first =
                asked.operation == io_operation::sync_directory && asked.path.filename() == "j";
            return is_first ? EIO : 0;
        }};
        CHECK(consumer::open(journal.directory, "risk").error().code == errc::io);
    }
    CHECK(fs::exists(journal.directory / "consumers"));
    CHECK_FALSE(fs::exists(journal.file("risk")));
    const io_record disk;
    must(open_it(journal).close());
    const std::size_t made = disk.place_of(io_operation::rename, "risk.tmp");
    REQUIRE(made < disk.calls().size());
    CHECK(disk.place_of(io_operation::sync_directory, "j") < made);
}

TEST_CASE("the way out of a directory among the consumers is rmdir") {
    const consumed_journal journal;
    fs::create_directories(journal.file("folder"));
    CHECK(prune(journal.directory, everything).error().code == errc::unreadable_consumer);
    CHECK(drop_consumer(journal.directory, "folder").error().detail.contains("rmdir"));
    fs::remove(journal.file("folder"));
    CHECK(prune(journal.directory, everything));
}
