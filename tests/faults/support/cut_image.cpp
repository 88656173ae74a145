#include "cut_image.hpp"

#include "scratch_files.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace pawl::test {

cut_image::cut_image(std::filesystem::path file, std::uint64_t bytes)
    : file_{std::move(file)},
      bytes_{bytes},
      descriptor_{::open(file_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)} {
    if (descriptor_ < 0 || ::ftruncate(descriptor_, static_cast<::off_t>(bytes)) != 0)
        give_up(file_);
    void* shown = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
    void* wanted = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (shown == MAP_FAILED || wanted == MAP_FAILED)
        give_up(file_);
    shown_ = static_cast<std::byte*>(shown);
    wanted_ = static_cast<std::byte*>(wanted);
}

cut_image::cut_image(cut_image&& other) noexcept
    : file_{std::move(other.file_)},
      bytes_{other.bytes_},
      descriptor_{std::exchange(other.descriptor_, -1)},
      shown_{other.shown_},
      wanted_{other.wanted_},
      changed_{std::move(other.changed_)},
      start_{other.start_},
      applied_{other.applied_},
      device_{std::move(other.device_)} {}

cut_image::~cut_image() {
    if (descriptor_ < 0)
        return;
    device_.detach();
    ::munmap(shown_, bytes_);
    ::munmap(wanted_, bytes_);
    ::close(descriptor_);
    ::unlink(file_.c_str());
}

void cut_image::begin(const saved_image& contents) {
    if (::madvise(wanted_, bytes_, MADV_DONTNEED) != 0)
        give_up("MADV_DONTNEED");
    contents.put({wanted_, bytes_});
    changed_ = contents.blocks();
    start_ = &contents;
    applied_ = 0;
}

void cut_image::store(std::uint64_t offset, std::span<const std::byte> data) {
    std::memcpy(wanted_ + offset, data.data(), data.size());
    const std::uint64_t last = (offset + data.size() - 1) / disk_block_bytes;
    for (std::uint64_t block = offset / disk_block_bytes; block <= last; ++block)
        changed_.push_back(block);
}

std::uint64_t cut_image::store_some(const recorded_disk& disk, std::uint64_t from,
                                    const disk_cut& cut, std::vector<undo>& before) {
    constexpr std::array<std::uint64_t, 5> chances{0, 1, 4, 7, 8};  // of 8
    random_source random{cut.seed};
    const std::uint64_t chance = chances[random.below(chances.size())];
    std::uint64_t missing = 0;
    for (std::uint64_t i = from; i < cut.position; ++i) {
        const recorded_disk::entry& entry = disk.at(i);
        const auto data = disk.data(entry);
        for (std::uint64_t at = 0; at < entry.bytes;) {
            const std::uint64_t offset = entry.offset + at;
            const std::uint64_t block = offset / disk_block_bytes;
            const std::uint64_t bytes =
                std::min(entry.bytes - at, (block + 1) * disk_block_bytes - offset);
            if (random.below(8) < chance) {
                const std::byte* old = wanted_ + block * disk_block_bytes;
                before.push_back({.block = block, .contents = {old, old + disk_block_bytes}});
                store(offset, data.subspan(at, bytes));
            } else {
                ++missing;
            }
            at += bytes;
        }
    }
    return missing;
}

// Mounting and recovery have written to the parts of the file that are not holes.
void cut_image::write_out() {
    for (const std::uint64_t block : changed_) {
        const std::uint64_t at = block * disk_block_bytes;
        std::memcpy(shown_ + at, wanted_ + at, disk_block_bytes);
    }
    changed_.clear();
    ::off_t at = 0;
    while ((at = ::lseek(descriptor_, at, SEEK_DATA)) >= 0) {
        const ::off_t end = ::lseek(descriptor_, at, SEEK_HOLE);
        for (; at < end; at += static_cast<::off_t>(disk_block_bytes)) {
            if (std::memcmp(shown_ + at, wanted_ + at, disk_block_bytes) != 0)
                std::memcpy(shown_ + at, wanted_ + at, disk_block_bytes);
        }
    }
}

std::uint64_t cut_image::build(const recorded_disk& disk, const disk_cut& cut) {
    std::uint64_t flushed = cut.position;
    while (flushed != 0 && !disk.at(flushed - 1).flush())
        --flushed;
    if (flushed < applied_)
        begin(*start_);
    for (; applied_ < flushed; ++applied_) {
        const recorded_disk::entry& entry = disk.at(applied_);
        if (!entry.flush())
            store(entry.offset, disk.data(entry));
    }
    std::vector<undo> before;
    const std::uint64_t missing = store_some(disk, flushed, cut, before);
    write_out();
    for (auto old = before.rbegin(); old != before.rend(); ++old) {
        std::ranges::copy(old->contents, wanted_ + old->block * disk_block_bytes);
        changed_.push_back(old->block);
    }
    return missing;
}

}  // namespace pawl::test
