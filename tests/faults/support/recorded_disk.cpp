#include "recorded_disk.hpp"

#include "scratch_files.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace pawl::test {

namespace {

constexpr std::uint64_t most_entries = 1 << 20;
constexpr std::uint32_t refuses_writes = 1;
constexpr std::uint32_t refuses_flushes = 2;
constexpr std::uint64_t most_data = std::uint64_t{4} << 30;  // of addresses, not of memory

[[nodiscard]] std::byte* shared_memory(std::uint64_t bytes) {
    void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        give_up("shared memory");
    return static_cast<std::byte*>(at);
}

[[nodiscard]] bool all_zero(std::span<const std::byte> bytes) noexcept {
    return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

struct recorded_disk::counters {
    std::atomic<std::uint64_t> entries{0};
    std::atomic<std::uint64_t> data{0};
    std::atomic<bool> overflowed{false};
    std::atomic<std::uint32_t> refuses{0};  // kinds
    std::atomic<std::uint64_t> refuses_after{0};
    std::atomic<std::uint64_t> refuses_times{0};
    std::atomic<std::uint64_t> refused{0};
};

saved_image saved_image::of(const std::filesystem::path& file) {
    saved_image saved;
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        give_up(file);
    std::array<std::byte, disk_block_bytes> block{};
    ::off_t at = 0;
    while ((at = ::lseek(descriptor, at, SEEK_DATA)) >= 0) {
        const ::off_t end = ::lseek(descriptor, at, SEEK_HOLE);
        for (at -= at % static_cast<::off_t>(block.size()); at < end;
             at += static_cast<::off_t>(block.size())) {
            if (::pread(descriptor, block.data(), block.size(), at) !=
                static_cast<::ssize_t>(block.size()))
                give_up(file);
            if (all_zero(block))
                continue;
            saved.blocks_.push_back(static_cast<std::uint64_t>(at) / block.size());
            saved.contents_.insert(saved.contents_.end(), block.begin(), block.end());
        }
    }
    ::close(descriptor);
    return saved;
}

void saved_image::put(std::span<std::byte> into) const noexcept {
    const std::byte* from = contents_.data();
    for (const std::uint64_t block : blocks_) {
        std::memcpy(into.data() + block * disk_block_bytes, from, disk_block_bytes);
        from += disk_block_bytes;
    }
}

void saved_image::write(const std::filesystem::path& file, std::uint64_t bytes) const {
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0 || ::ftruncate(descriptor, static_cast<::off_t>(bytes)) != 0)
        give_up(file);
    const std::byte* from = contents_.data();
    for (const std::uint64_t block : blocks_) {
        if (::pwrite(descriptor, from, disk_block_bytes,
                     static_cast<::off_t>(block * disk_block_bytes)) !=
            static_cast<::ssize_t>(disk_block_bytes))
            give_up(file);
        from += disk_block_bytes;
    }
    ::close(descriptor);
}

recorded_disk::recorded_disk(std::uint64_t bytes)
    : bytes_{bytes},
      counters_{new(shared_memory(sizeof(counters))) counters{}},
      image_{shared_memory(bytes)},
      entries_{new(shared_memory(most_entries * sizeof(entry))) entry[1]},
      data_{shared_memory(most_data)} {}

recorded_disk::~recorded_disk() {
    ::munmap(counters_, sizeof(counters));
    ::munmap(image_, bytes_);
    ::munmap(entries_, most_entries * sizeof(entry));
    ::munmap(data_, most_data);
}

void recorded_disk::reset(const saved_image& contents) {
    if (::madvise(image_, bytes_, MADV_REMOVE) != 0)
        give_up("MADV_REMOVE");
    contents.put({image_, bytes_});
    counters_->data = 0;
    counters_->overflowed = false;
    mend();
    counters_->refused = 0;
    counters_->entries.store(0, std::memory_order_release);
}

void recorded_disk::refuse(const disk_refusal& what) noexcept {
    counters_->refuses = 0;
    counters_->refuses_after = what.after;
    counters_->refuses_times = what.times == 0 ? ~std::uint64_t{0} : what.times;
    counters_->refuses = (what.writes ? refuses_writes : 0) | (what.flushes ? refuses_flushes : 0);
}

bool recorded_disk::refuses(std::uint32_t kind) noexcept {
    if ((counters_->refuses & kind) == 0)
        return false;
    if (counters_->refuses_after != 0) {
        --counters_->refuses_after;
        return false;
    }
    if (counters_->refuses_times == 0)
        return false;
    --counters_->refuses_times;
    ++counters_->refused;
    return true;
}

std::uint64_t recorded_disk::refused() const noexcept {
    return counters_->refused;
}

bool recorded_disk::write(std::uint64_t offset, std::span<const std::byte> data) noexcept {
    const std::uint64_t count = counters_->entries.load(std::memory_order_relaxed);
    const std::uint64_t at = counters_->data.load(std::memory_order_relaxed);
    if (offset > bytes_ || data.size() > bytes_ - offset || data.empty() || refuses(refuses_writes))
        return false;
    if (count == most_entries || data.size() > most_data - at) {
        counters_->overflowed = true;
        return false;
    }
    std::memcpy(data_ + at, data.data(), data.size());
    std::memcpy(image_ + offset, data.data(), data.size());
    counters_->data.store(at + data.size(), std::memory_order_relaxed);
    entries_[count] = {.offset = offset, .bytes = data.size(), .at = at};
    counters_->entries.store(count + 1, std::memory_order_release);
    return true;
}

bool recorded_disk::flush() noexcept {
    if (refuses(refuses_flushes))
        return false;
    const std::uint64_t count = counters_->entries.load(std::memory_order_relaxed);
    if (count == most_entries) {
        counters_->overflowed = true;
        return false;
    }
    entries_[count] = {};
    counters_->entries.store(count + 1, std::memory_order_release);
    return true;
}

std::span<const std::byte> recorded_disk::read(std::uint64_t offset,
                                               std::uint64_t bytes) const noexcept {
    if (offset >= bytes_)
        return {};
    return {image_ + offset, std::min(bytes, bytes_ - offset)};
}

std::uint64_t recorded_disk::position() const noexcept {
    return counters_->entries.load(std::memory_order_acquire);
}

bool recorded_disk::overflowed() const noexcept {
    return counters_->overflowed;
}

}  // namespace pawl::test
