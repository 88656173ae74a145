// Files that exist only in this process, below /simulated.
//
// A history takes some hundred system calls a cut, and a million cuts then cost an hour. So the
// journal's calls end here: interposed_calls.cpp replaces the C library's functions, and what is
// asked of a path below /simulated is answered from memory. A mapping of such a file is the file's
// own bytes. Nothing here is durable or not: what a disk would hold is simulated_disk's business.
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

// Zeroed, page-aligned memory that is used again and again.
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
    std::uint64_t number = 0;  // as an inode
    std::uint64_t size = 0;
    page_buffer bytes{};
    int mappings = 0;
    int lock_holder = -1;  // descriptor

    void resize(std::uint64_t to);
    void write(std::uint64_t offset, std::span<const std::byte> from);
    [[nodiscard]] std::span<std::byte> contents() const noexcept { return {bytes.data(), size}; }
};
using memory_file_pointer = std::shared_ptr<memory_file>;

namespace memory_files {

[[nodiscard]] bool holds(const char* path) noexcept;
[[nodiscard]] memory_file_pointer find(std::string_view path);
memory_file_pointer create(std::string_view path, bool directory);
// Makes or replaces a file as a whole, of bytes that the caller now writes.
[[nodiscard]] std::span<std::byte> put(std::string_view path, std::size_t bytes);
bool remove(std::string_view path);
bool rename(std::string_view from, std::string_view to);

struct entry {
    std::string name;  // relative to the directory
    memory_file_pointer file;
};
// What lies in a directory, with what lies below it or not.
[[nodiscard]] std::vector<entry> list(std::string_view directory, bool below);
// Removes what is in a directory, or makes it.
void clear(std::string_view directory);

}  // namespace memory_files

}  // namespace pawl::test
