// Files as the journal uses them: owned descriptors, whole reads and writes.
#pragma once

#include <pawl/journal/error.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

namespace pawl::detail {

// An error of a system call on `path`; ENOSPC and EDQUOT become disk_full, ENOENT not_found.
[[nodiscard]] error system_error(int os_error, const std::filesystem::path& path,
                                 std::string_view doing);

// Whether the machine lacks a resource that it may have again soon: room, descriptors or memory.
// Background work that meets one is tried again instead of ending the writer.
[[nodiscard]] bool is_shortage(const error& why) noexcept;

// An error of a sync: always io. Even where room is what lacked, it is not made good by room: what
// a failed sync leaves in memory can no longer be trusted to reach the disk.
[[nodiscard]] error sync_error(int os_error, const std::filesystem::path& path,
                               std::string_view doing);

// Which file it is, whatever its name.
struct file_identity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    bool operator==(const file_identity&) const = default;
};

// Who may do what with a file.
struct file_attributes {
    std::uint32_t user = 0;
    std::uint32_t group = 0;
    std::uint32_t mode = 0600;  // permission bits
    bool operator==(const file_attributes&) const = default;
};

// Gives an open file these attributes, whatever the umask; 0 or an errno. A group that the mode
// grants nothing may stay another one if the process may not set it.
[[nodiscard]] int give_attributes(int descriptor, const file_attributes& wanted) noexcept;

// Owns a file descriptor. Every one is opened O_CLOEXEC and O_NOFOLLOW.
class file {
  public:
    enum class access : std::uint8_t {
        read,
        read_write,
        create,
    };
    // What becomes of bytes that a read brings into the page cache; what was there stays there.
    enum class cached : std::uint8_t { stays, goes };

    file() = default;
    file(file&& other) noexcept;
    file& operator=(file&& other) noexcept;
    ~file();

    [[nodiscard]] static result<file> open(const std::filesystem::path& path, access mode,
                                           std::uint32_t permissions = 0600);
    // The same for a name below an open directory; errors call the file by its `path`.
    [[nodiscard]] static result<file> open_at(int directory, const std::filesystem::path& name,
                                              std::filesystem::path path, access mode,
                                              std::uint32_t permissions);

    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    // The file was renamed: errors name it so from now on.
    void renamed(std::filesystem::path path) noexcept { path_ = std::move(path); }
    [[nodiscard]] explicit operator bool() const noexcept { return descriptor_ >= 0; }

    [[nodiscard]] result<std::uint64_t> size() const;
    [[nodiscard]] result<file_identity> identity() const;
    // Reads exactly as many bytes as there are in `into`; fewer in the file is damaged.
    [[nodiscard]] result<void> read_at(std::span<std::byte> into, std::uint64_t offset,
                                       cached what = cached::stays) const;
    [[nodiscard]] result<void> write_at(std::span<const std::byte> from,
                                        std::uint64_t offset) const;
    // Tells the kernel that the file will be read from its beginning to its end.
    void will_read_in_order() const noexcept;
    // Reserves real blocks for the whole file, so that a later store cannot run out of room.
    [[nodiscard]] result<void> allocate(std::uint64_t bytes) const;
    // Makes the file so long without room for what is added.
    [[nodiscard]] result<void> extend(std::uint64_t bytes) const;
    // On a file system that writes elsewhere and not over what is there (btrfs), asks it to write
    // over: allocated room could not be counted on once it was written to. Before the first write;
    // does nothing elsewhere.
    void write_in_place() const noexcept;
    // Gives the blocks of a range back; it reads as zero afterwards. Not supported is not an error.
    [[nodiscard]] result<void> punch(std::uint64_t offset, std::uint64_t bytes) const;
    // From now on what is written goes past the page cache and must be whole blocks, or no longer.
    [[nodiscard]] result<void> write_past_cache(bool on) const;
    // fdatasync.
    [[nodiscard]] result<void> sync() const;
    // Closes without looking back; for a descriptor that a fork copied.
    void close() noexcept;

  private:
    int descriptor_ = -1;
    std::filesystem::path path_;
};

// The path seen from the root, for whatever opens files one after the other while the program may
// change its working directory; as it is if there is no working directory.
[[nodiscard]] std::filesystem::path absolute_path(const std::filesystem::path& path);

}  // namespace pawl::detail
