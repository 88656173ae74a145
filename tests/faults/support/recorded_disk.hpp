// A disk in memory that records all writes and flushes. Lies in shared memory: one process serves
// it, another writes to it through a file system, and a third reads the record.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace pawl::test {

inline constexpr std::size_t disk_block_bytes = 4096;

// What a disk holds, without the blocks that are zero.
class saved_image {
  public:
    // Reads a sparse file; holes cost nothing.
    [[nodiscard]] static saved_image of(const std::filesystem::path& file);
    // `into` must hold zeros.
    void put(std::span<std::byte> into) const noexcept;
    [[nodiscard]] const std::vector<std::uint64_t>& blocks() const noexcept { return blocks_; }
    // Writes it to a sparse file.
    void write(const std::filesystem::path& file, std::uint64_t bytes) const;

  private:
    std::vector<std::uint64_t> blocks_;  // their indexes
    std::vector<std::byte> contents_;
};

// What a disk is to refuse from now on.
struct disk_refusal {
    bool writes = false;
    bool flushes = false;
    std::uint64_t after = 0;  // this many of these still work
    std::uint64_t times = 0;  // then this many are refused; 0: all until it is repaired
};

class recorded_disk {
  public:
    struct entry {
        std::uint64_t offset = 0;
        std::uint64_t bytes = 0;  // 0: a flush; all entries before it are on the disk
        std::uint64_t at = 0;     // where the bytes lie
        [[nodiscard]] bool flush() const noexcept { return bytes == 0; }
    };

    explicit recorded_disk(std::uint64_t bytes);
    ~recorded_disk();
    recorded_disk(const recorded_disk&) = delete;
    recorded_disk& operator=(const recorded_disk&) = delete;

    // Starts over with these contents, with an empty record and no refusals.
    void reset(const saved_image& contents);

    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
    // «any process» Refused operations are not done, and not recorded.
    void refuse(const disk_refusal& what) noexcept;
    void mend() noexcept { refuse({}); }
    [[nodiscard]] std::uint64_t refused() const noexcept;

    // For the serving process, which must use one thread: false if the operation is refused, or if
    // there is no more room.
    [[nodiscard]] bool write(std::uint64_t offset, std::span<const std::byte> data) noexcept;
    [[nodiscard]] bool flush() noexcept;
    [[nodiscard]] std::span<const std::byte> read(std::uint64_t offset,
                                                  std::uint64_t bytes) const noexcept;

    // «any process» How many entries there are.
    [[nodiscard]] std::uint64_t position() const noexcept;
    [[nodiscard]] const entry& at(std::uint64_t position) const noexcept {
        return entries_[position];
    }
    [[nodiscard]] std::span<const std::byte> data(const entry& of) const noexcept {
        return {data_ + of.at, of.bytes};
    }
    // Something did not fit, so the record is incomplete.
    [[nodiscard]] bool overflowed() const noexcept;

  private:
    struct counters;
    [[nodiscard]] bool refuses(std::uint32_t kind) noexcept;

    std::uint64_t bytes_;
    counters* counters_;
    std::byte* image_;
    entry* entries_;
    std::byte* data_;
};

}  // namespace pawl::test
