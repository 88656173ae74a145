#include "store/writer_lock.hpp"

#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"
#include "store/directory.hpp"

#include <unistd.h>

using namespace pawl;
using namespace pawl::test;

TEST_CASE("a second writer is refused even if the lock file was deleted") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path, small_segments()));
    REQUIRE(std::filesystem::remove(detail::lock_path(path)));
    CHECK(must(detail::writer_lock::is_held(path)));
    CHECK(writer::open(path, small_segments()).error().code == errc::locked);
    // And even if a new lock file has replaced it.
    CHECK(writer::open(path, small_segments()).error().code == errc::locked);
    append_numbered(log, 10);
    must(log.close());
    CHECK_FALSE(must(detail::writer_lock::is_held(path)));
    auto next = must(writer::open(path, small_segments()));
    CHECK(next.next_sequence() == 10);
}

namespace {

// Like a forked child before its handler closes the descriptors.
[[nodiscard]] std::vector<int> copies_of_descriptors(const std::filesystem::path& directory) {
    std::vector<int> copies;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
        std::error_code gone;
        const auto target = std::filesystem::read_symlink(entry.path(), gone);
        if (!gone && target.parent_path() == directory)
            copies.push_back(::dup(std::stoi(entry.path().filename())));
    }
    return copies;
}

}  // namespace

TEST_CASE("a closed writer holds no lock, even if copies of its descriptors are open") {
    const temporary_directory directory;
    const auto path = std::filesystem::canonical(directory.path()) / "j";
    auto log = must(writer::open(path, small_segments()));
    const auto copies = copies_of_descriptors(path);
    REQUIRE(copies.size() >= 2);  // of the lock file and the identity
    must(log.close());
    CHECK_FALSE(must(detail::writer_lock::is_held(path)));
    CHECK(writer::open(path, small_segments()).has_value());
    for (const int copy : copies)
        ::close(copy);
}
