// A snapshot file: being written, or read back.
#pragma once

#include "os/file.hpp"
#include "snapshot/snapshot_layout.hpp"

#include <xxhash.h>

#include <pawl/journal/error.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl::detail {

// Returns an error for a failed system call on a snapshot or its directory.
[[nodiscard]] error snapshot_io_error(int os_error, const std::filesystem::path& path,
                                      std::string_view doing);
[[nodiscard]] error snapshot_damaged(const std::filesystem::path& path, std::uint64_t offset,
                                     std::string_view why);
[[nodiscard]] result<void> sync_snapshot_directory(const std::filesystem::path& directory);
// The names in a directory; none if it does not exist.
[[nodiscard]] result<std::vector<std::string>> snapshot_directory_names(
    const std::filesystem::path& directory);

// Who may use the files of a store, and its directory.
struct snapshot_access {
    std::uint32_t mode = 0600;  // permission bits; less those of the umask if nothing is given
    std::optional<file_attributes> given{};  // what they get whatever the umask
};

// Owns a descriptor of a regular file.
class snapshot_descriptor {
  public:
    snapshot_descriptor() = default;
    explicit snapshot_descriptor(int descriptor) noexcept : descriptor_{descriptor} {}
    snapshot_descriptor(snapshot_descriptor&& other) noexcept;
    snapshot_descriptor& operator=(snapshot_descriptor&&) = delete;
    ~snapshot_descriptor();
    [[nodiscard]] int get() const noexcept { return descriptor_; }

  private:
    int descriptor_ = -1;
};

// A snapshot under its temporary name. The destructor removes it unless it was published.
class snapshot_file {
  public:
    [[nodiscard]] static result<std::unique_ptr<snapshot_file>> create(
        const std::filesystem::path& temporary, const snapshot_access& access,
        std::uint64_t max_bytes);
    snapshot_file(const snapshot_file&) = delete;
    snapshot_file& operator=(const snapshot_file&) = delete;
    ~snapshot_file();

    // Appends to the payload. A failure is sticky.
    [[nodiscard]] result<void> append(std::span<const std::byte> bytes);

    // Completes `header` with the fields that do not depend on the fold, syncs, renames the file to
    // its final name and syncs the directory.
    [[nodiscard]] result<void> publish(snapshot_header& header,
                                       const std::filesystem::path& final_name);

  private:
    snapshot_file(snapshot_descriptor descriptor, std::filesystem::path path,
                  std::uint64_t max_bytes);
    [[nodiscard]] result<void> flush();
    [[nodiscard]] result<void> write_at(std::span<const std::byte> bytes, std::uint64_t offset);
    [[nodiscard]] std::unexpected<error> failed(error why);

    snapshot_descriptor descriptor_;
    std::filesystem::path path_;  // empty once it has its final name
    std::uint64_t max_bytes_;
    std::uint64_t bytes_ = 0;  // of payload, including those in the buffer
    std::vector<std::byte> buffer_;
    XXH3_state_t hash_;
    std::optional<error> failure_;
};

// A snapshot opened for reading, its header verified.
class snapshot_reader {
  public:
    [[nodiscard]] static result<snapshot_reader> open(const std::filesystem::path& path);
    [[nodiscard]] const snapshot_header& header() const noexcept { return header_; }
    // Reads the payload into `into`, which must be as long, and verifies it.
    [[nodiscard]] result<void> read_payload(std::span<std::byte> into) const;
    // Verifies the payload without keeping it.
    [[nodiscard]] result<void> check_payload() const;

  private:
    snapshot_reader(snapshot_descriptor descriptor, std::filesystem::path path) noexcept
        : descriptor_{std::move(descriptor)}, path_{std::move(path)} {}

    snapshot_descriptor descriptor_;
    std::filesystem::path path_;
    snapshot_header header_{};
};

}  // namespace pawl::detail
