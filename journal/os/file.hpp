// Files as the journal uses them: owned descriptors, whole reads and writes.
#pragma once

#include "os/system_error.hpp"

#include <pawl/journal/error.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

namespace pawl::detail {

// Which file it is, whatever its name.
struct file_identity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    bool operator==(const file_identity&) const = default;
};

// Owner, group and permissions of a file.
struct file_attributes {
    std::uint32_t user = 0;
    std::uint32_t group = 0;
    std::uint32_t mode = 0600;  // permission bits
    bool operator==(const file_attributes&) const = default;
};

// Gives an open file these attributes, whatever the umask; returns 0 or an errno. If the process
// may not set the group, that is an error only if the mode grants the group anything.
[[nodiscard]] int give_attributes(int descriptor, const file_attributes& wanted) noexcept;

// Owns a file descriptor, opened with O_CLOEXEC and O_NOFOLLOW.
class file {
  public:
    enum class access : std::uint8_t {
        read,
        read_write,
        create,
    };
    // Whether bytes that a read brings into the page cache stay there. Those that were there before
    // do.
    enum class cached : std::uint8_t { stays, goes };

    file() = default;
    file(file&& other) noexcept;
    file& operator=(file&& other) noexcept;
    ~file();

    [[nodiscard]] static result<file> open(const std::filesystem::path& path, access mode,
                                           std::uint32_t permissions = 0600);
    // The same for a name relative to an open directory; errors name `path`.
    [[nodiscard]] static result<file> open_at(int directory, const std::filesystem::path& name,
                                              std::filesystem::path path, access mode,
                                              std::uint32_t permissions);

    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    // Call this after a rename: errors then use the new name.
    void renamed(std::filesystem::path path) noexcept { path_ = std::move(path); }
    [[nodiscard]] explicit operator bool() const noexcept { return descriptor_ >= 0; }

    [[nodiscard]] result<std::uint64_t> size() const;
    [[nodiscard]] result<file_identity> identity() const;
    // Fills `into`; damaged if the file ends before that.
    [[nodiscard]] result<void> read_at(std::span<std::byte> into, std::uint64_t offset,
                                       cached what = cached::stays) const;
    [[nodiscard]] result<void> write_at(std::span<const std::byte> from,
                                        std::uint64_t offset) const;
    // Tells the kernel that the file will be read from its beginning to its end.
    void will_read_in_order() const noexcept;
    // Reserves real blocks for the whole file, so that a later store cannot run out of disk space.
    [[nodiscard]] result<void> allocate(std::uint64_t bytes) const;
    // Makes the file this long without reserving blocks for what is added.
    [[nodiscard]] result<void> extend(std::uint64_t bytes) const;
    // Asks a copy-on-write file system (btrfs) to overwrite this file's blocks in place: otherwise
    // its reserved blocks would no longer help once they were written to. Call it before the first
    // write; it does nothing on other file systems.
    void write_in_place() const noexcept;
    // Releases the blocks of a range, which reads as zero afterwards. A file system without support
    // for that is not an error.
    [[nodiscard]] result<void> punch(std::uint64_t offset, std::uint64_t bytes) const;
    // Makes later writes bypass the page cache, which requires whole blocks, or ends that.
    [[nodiscard]] result<void> write_past_cache(bool on) const;
    // fdatasync.
    [[nodiscard]] result<void> sync() const;
    // Call this after a mapping of the file was synced; see os/lost_sync.hpp.
    [[nodiscard]] result<void> check_synced() const;
    // Closes the descriptor and ignores errors; also for a copy that a fork made.
    void close() noexcept;

  private:
    int descriptor_ = -1;
    std::filesystem::path path_;
};

// The absolute path, for code that opens files one after the other while the program may change its
// working directory. Returns the path unchanged if there is no working directory.
[[nodiscard]] std::filesystem::path absolute_path(const std::filesystem::path& path);

}  // namespace pawl::detail
