#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace bench {

// The page size to request for a file mapping. Large pages (2 MiB here) need a file system that
// supports them.
enum class pages { usual, large };

// A file mapped into memory. The destructor unmaps and closes it, and unlinks it if create() made
// it.
class mapping {
  public:
    // A new file of `bytes`, fully allocated, mapped for writing and with every page populated,
    // like a segment prepared ahead of its writer.
    [[nodiscard]] static mapping create(const std::filesystem::path& path, std::size_t bytes,
                                        pages wanted = pages::usual);
    // Memory without a file, populated; shared with a forked child.
    [[nodiscard]] static mapping anonymous(std::size_t bytes);
    // An existing file, read-only, not populated.
    [[nodiscard]] static mapping open(const std::filesystem::path& path);

    mapping(mapping&& other) noexcept;
    mapping& operator=(mapping&& other) noexcept;
    ~mapping();

    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::span<const std::byte> view() const noexcept { return {data_, bytes_}; }
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

    // Drops the file's pages from the page cache, so that the next read comes from the disk. Dirty
    // pages are written first. A memory file system keeps its pages.
    void drop_cache();

  private:
    mapping() = default;
    void release() noexcept;

    std::byte* data_ = nullptr;
    std::size_t bytes_ = 0;
    int descriptor_ = -1;
    std::filesystem::path unlink_;
};

// A fresh directory under `parent`; the destructor removes it with its contents.
class scratch_directory {
  public:
    explicit scratch_directory(const std::filesystem::path& parent);
    ~scratch_directory();
    scratch_directory(const scratch_directory&) = delete;
    scratch_directory& operator=(const scratch_directory&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace bench
