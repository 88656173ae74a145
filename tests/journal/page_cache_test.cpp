// The pages that a long replay leaves in the page cache.

#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <vector>

using namespace pawl;
using namespace pawl::test;

namespace {

constexpr std::uint64_t segment_bytes = std::uint64_t{1} << 20;
constexpr std::uint64_t sealed_segments = 6;

// A segment's file, inspected from outside the journal.
class cached_file {
  public:
    explicit cached_file(const std::filesystem::path& path)
        : descriptor_{::open(path.c_str(), O_RDONLY | O_CLOEXEC)},
          at_{::mmap(nullptr, segment_bytes, PROT_READ, MAP_SHARED, descriptor_, 0)} {
        REQUIRE(descriptor_ >= 0);
        REQUIRE(at_ != MAP_FAILED);
    }
    ~cached_file() {
        ::munmap(at_, segment_bytes);
        ::close(descriptor_);
    }
    cached_file(const cached_file&) = delete;
    cached_file& operator=(const cached_file&) = delete;

    [[nodiscard]] std::uint64_t resident_pages() const {
        std::vector<unsigned char> present(segment_bytes / 4096);
        REQUIRE(::mincore(at_, segment_bytes, present.data()) == 0);
        return static_cast<std::uint64_t>(
            std::ranges::count_if(present, [](unsigned char page) { return (page & 1) != 0; }));
    }
    void drop() const { ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_DONTNEED); }
    [[nodiscard]] bool can_be_read_without_caching() const {
        std::array<char, 64> bytes{};
        const iovec one{bytes.data(), bytes.size()};
        return ::preadv2(descriptor_, &one, 1, 0, 0x80) >= 0;
    }

  private:
    int descriptor_;
    void* at_;
};

// Returns the number of cached pages of the segments that a cursor with these options has read from
// disk.
std::uint64_t pages_left_by(const std::filesystem::path& path, const cursor_options& options) {
    const auto each = [&](const auto& act) {
        for (std::uint64_t ordinal = 0; ordinal < sealed_segments; ++ordinal)
            act(cached_file{segment(path, ordinal)});
    };
    each([](const cached_file& file) { file.drop(); });
    std::uint64_t before = 0;
    each([&](const cached_file& file) { before += file.resident_pages(); });
    CHECK(before < sealed_segments * segment_bytes / 4096 / 4);
    read_numbered(path, options);
    std::uint64_t left = 0;
    each([&](const cached_file& file) { left += file.resident_pages(); });
    return left;
}

}  // namespace

TEST_CASE("a replay with keep_cached = false leaves nothing in the page cache") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto options = small_segments();
    options.segment_bytes = segment_bytes;
    auto log = must(writer::open(path, options));
    while (log.statistics().rollovers < sealed_segments)
        append_numbered(log, 1000);
    must(log.close());
    if (!cached_file{segment(path, 0)}.can_be_read_without_caching()) {
        REQUIRE(read_numbered(path, {.keep_cached = false}) != 0);
        WARN("skipped: this kernel or file system cannot read without caching");
        return;
    }
    constexpr std::uint64_t all = sealed_segments * segment_bytes / 4096;
    CHECK(pages_left_by(path, {}) > all * 3 / 4);
    CHECK(pages_left_by(path, {.keep_cached = false}) < all / 4);
}
