// Loop devices, and file systems mounted from them. Needs root.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace pawl::test {

enum class file_system : std::uint8_t { ext4, xfs, btrfs };

[[nodiscard]] const char* name_of(file_system kind) noexcept;
// The smallest image that suits the tests: XFS and btrfs refuse to be made smaller.
[[nodiscard]] std::uint64_t image_bytes_of(file_system kind) noexcept;
// Creates an empty file system in a sparse file of that size. Returns why it could not, else empty.
[[nodiscard]] std::string make_file_system(const std::filesystem::path& image, file_system kind);

// Gives this process and its children a mount namespace, whose mounts end with the last of them.
// Returns why it could not, else empty.
[[nodiscard]] std::string own_mounts();

// A file as a block device. Only a mount holds the device open, so that with each unmount the
// kernel forgets what it has read from it.
class loop_device {
  public:
    loop_device() = default;
    ~loop_device() { detach(); }
    loop_device(loop_device&& other) noexcept;
    loop_device& operator=(loop_device&&) = delete;

    // Returns why it could not, else empty.
    [[nodiscard]] std::string attach(const std::filesystem::path& file);
    void detach() noexcept;
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

  private:
    std::string path_;
};

class mounted_file_system {
  public:
    mounted_file_system() = default;
    ~mounted_file_system() { (void)unmount(); }
    mounted_file_system(const mounted_file_system&) = delete;
    mounted_file_system& operator=(const mounted_file_system&) = delete;

    // Creates the directory if necessary. Returns why it could not, else empty.
    [[nodiscard]] std::string mount(const std::string& device, const std::filesystem::path& where,
                                    file_system kind);
    [[nodiscard]] std::string unmount();

  private:
    std::filesystem::path where_;
};

// Runs a program without a shell and discards its output. Returns its exit status, or -1.
[[nodiscard]] int run_quietly(std::initializer_list<std::string> command);

}  // namespace pawl::test
