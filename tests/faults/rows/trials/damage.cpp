#include "rows/trials/damage.hpp"

#include "support/scratch_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <span>
#include <utility>

namespace pawl::test {

namespace {

constexpr std::uint64_t page_bytes = 4096;
// Of the 64 contents, the search looks for this one; any but the first would do.
constexpr std::uint64_t looked_for = 37;

// A file may be far larger than its contents: LMDB's is as long as its map.
class sparse_file {
  public:
    explicit sparse_file(const std::filesystem::path& path)
        : descriptor_{::open(path.c_str(), O_RDWR | O_CLOEXEC)} {
        if (descriptor_ < 0)
            give_up(path);
    }
    ~sparse_file() { ::close(descriptor_); }
    sparse_file(const sparse_file&) = delete;
    sparse_file& operator=(const sparse_file&) = delete;

    // Offsets of the pattern, where it lies within one piece of data.
    [[nodiscard]] std::vector<std::uint64_t> find(std::span<const std::byte> pattern) const {
        const std::boyer_moore_horspool_searcher search{pattern.begin(), pattern.end()};
        std::vector<std::uint64_t> found;
        std::vector<std::byte> data;
        ::off_t end = 0;
        for (::off_t begin = 0; (begin = ::lseek(descriptor_, end, SEEK_DATA)) >= 0;) {
            end = ::lseek(descriptor_, begin, SEEK_HOLE);
            data.resize(static_cast<std::size_t>(end - begin));
            if (::pread(descriptor_, data.data(), data.size(), begin) != end - begin)
                return found;
            auto at = std::search(data.begin(), data.end(), search);
            for (; at != data.end(); at = std::search(at + 1, data.end(), search))
                found.push_back(static_cast<std::uint64_t>(begin + (at - data.begin())));
        }
        return found;
    }
    [[nodiscard]] std::byte at(std::uint64_t offset) const {
        std::byte value{};
        (void)!::pread(descriptor_, &value, 1, static_cast<::off_t>(offset));
        return value;
    }
    void fill(std::uint64_t offset, std::size_t bytes, std::byte value) const {
        const std::vector<std::byte> with(bytes, value);
        if (::pwrite(descriptor_, with.data(), bytes, static_cast<::off_t>(offset)) !=
            static_cast<::ssize_t>(bytes))
            give_up("a file to damage");
    }

  private:
    int descriptor_;
};

}  // namespace

std::string to_string(damage what) {
    switch (what) {
        case damage::none:
            return "none";
        case damage::flipped_bit:
            return "a bit of a payload flipped";
        case damage::broken_header:
            return "the bytes before a payload overwritten";
        case damage::zeroed_page:
            return "a page of 4 KiB zeroed";
        case damage::cut_file:
            return "a file truncated in the middle";
    }
    return "unknown";
}

std::optional<record_place> middle_record(const std::filesystem::path& directory) {
    std::optional<record_place> best;
    std::size_t most = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
        if (!entry.is_regular_file())
            continue;
        const auto found = sparse_file{entry.path()}.find(tried_events().at(looked_for));
        if (found.size() > most) {
            most = found.size();
            best = {entry.path(), found[found.size() / 2]};
        }
    }
    return best;
}

void hurt(const record_place& at, std::size_t header_bytes, damage what) {
    const sparse_file file{at.file};
    const std::uint64_t page = at.payload / page_bytes * page_bytes;
    switch (what) {
        case damage::none:
            return;
        case damage::flipped_bit:
            return file.fill(at.payload + 5, 1, file.at(at.payload + 5) ^ std::byte{4});
        case damage::broken_header:
            return file.fill(at.payload - header_bytes, header_bytes, std::byte{0xff});
        case damage::zeroed_page:
            return file.fill(page, page_bytes, std::byte{0});
        case damage::cut_file:
            return std::filesystem::resize_file(at.file, page);
    }
}

}  // namespace pawl::test
