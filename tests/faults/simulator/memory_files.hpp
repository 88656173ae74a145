// Files that exist only in this process, below /simulated.
//
// A history takes some hundred system calls per cut, so with real ones a million cuts would cost an
// hour. Instead, interposed_calls.cpp replaces the C library's functions, and calls on a path below
// /simulated are served from memory. A mapping of such a file is the file's own bytes. This code
// does not track durability: simulated_disk decides what a disk would hold.
//
// For one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::test {

inline constexpr std::string_view memory_root = "/simulated";

// Zeroed, page-aligned memory that is reused.
class page_buffer {
  public:
    page_buffer() = default;
    // The first `overwritten` bytes may hold anything, because the caller writes them anyway.
    explicit page_buffer(std::size_t bytes, std::size_t overwritten = 0);
    page_buffer(page_buffer&& other) noexcept;
    page_buffer& operator=(page_buffer&& other) noexcept;
    ~page_buffer();

    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return bytes_; }

  private:
    std::byte* data_ = nullptr;
    std::size_t bytes_ = 0;
};

struct memory_file {
    bool directory = false;
    std::uint64_t number = 0;  // like an inode number
    std::uint64_t size = 0;
    page_buffer bytes{};
    int mappings = 0;
    int lock_holder = -1;   // descriptor that holds the record lock of fcntl
    int flock_holder = -1;  // descriptor that holds the lock of flock

    void resize(std::uint64_t to);
    void write(std::uint64_t offset, std::span<const std::byte> from);
    [[nodiscard]] std::span<std::byte> contents() const noexcept { return {bytes.data(), size}; }
};
using memory_file_pointer = std::shared_ptr<memory_file>;

namespace memory_files {

[[nodiscard]] bool holds(const char* path) noexcept;
[[nodiscard]] memory_file_pointer find(std::string_view path);
memory_file_pointer create(std::string_view path, bool directory);
// Creates or replaces a whole file, whose bytes the caller then writes.
[[nodiscard]] std::span<std::byte> put(std::string_view path, std::size_t bytes);
bool remove(std::string_view path);
bool rename(std::string_view from, std::string_view to);

struct entry {
    std::string name;  // relative to the directory
    memory_file_pointer file;
};
// The entries of a directory, with or without those in its subdirectories.
[[nodiscard]] std::vector<entry> list(std::string_view directory, bool below);
// Empties a directory, or creates it.
void clear(std::string_view directory);

}  // namespace memory_files

}  // namespace pawl::test
