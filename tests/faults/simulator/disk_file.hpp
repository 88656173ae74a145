// One file of a simulated disk: what the page cache shows, what is on the disk, and what was
// stored between the two.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pawl::test {

struct cut_choice;

class disk_file {
  public:
    explicit disk_file(std::uint64_t id) noexcept : id_{id} {}
    disk_file(const disk_file&) = delete;
    disk_file& operator=(const disk_file&) = delete;

    // Starts with the contents of the real file, all of them on the disk.
    void adopt(std::span<const std::byte> bytes);

    void write(std::uint64_t offset, std::span<const std::byte> bytes, std::uint64_t time);
    void zero(std::uint64_t offset, std::uint64_t bytes, std::uint64_t time);
    void resize(std::uint64_t bytes, std::uint64_t time);
    // Compares with the file as its mappings show it; returns how many words changed.
    std::uint64_t observe(std::span<const std::byte> shown, std::uint64_t time);
    void sync(std::uint64_t offset, std::uint64_t bytes);
    void sync_size();
    // The sync of a range failed: a random part of it is on the disk, and none of it is dirty.
    void fail_sync(std::uint64_t offset, std::uint64_t bytes, const cut_choice& choice);
    // A page was stored to, whatever the value: the next sync writes all of it.
    void page_dirtied(std::uint64_t page, std::uint64_t time);

    // The size that a cut leaves, and the bytes; `into` has that size.
    [[nodiscard]] std::uint64_t size_after(const cut_choice& choice,
                                           std::uint64_t now) const noexcept;
    void contents(const cut_choice& choice, std::uint64_t now, std::span<std::byte> into) const;

  private:
    struct store {
        std::uint64_t time;
        std::uint64_t word;  // index
        std::uint64_t value;
    };
    struct size_change {
        std::uint64_t time;
        std::uint64_t bytes;
    };

    void note(std::uint64_t word, std::uint64_t value, std::uint64_t time);
    void reserve(std::uint64_t bytes);
    [[nodiscard]] std::uint64_t limit(const cut_choice& choice, std::uint64_t now,
                                      std::uint64_t byte) const noexcept;

    std::uint64_t id_;
    std::uint64_t size_ = 0;
    std::uint64_t disk_size_ = 0;
    // Whole words; zero beyond the file's size.
    std::vector<std::uint64_t> cache_;
    std::vector<std::uint64_t> disk_;
    std::vector<store> stores_;
    std::vector<size_change> sizes_;
};

}  // namespace pawl::test
