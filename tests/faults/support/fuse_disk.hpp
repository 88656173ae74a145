// Serves a recorded disk as a file, so that a loop device can be made of it.
#pragma once

#include "recorded_disk.hpp"

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace pawl::test {

// A separate process serves it for the object's lifetime.
class fuse_disk {
  public:
    explicit fuse_disk(recorded_disk& disk) noexcept : disk_{disk} {}
    ~fuse_disk();
    fuse_disk(const fuse_disk&) = delete;
    fuse_disk& operator=(const fuse_disk&) = delete;

    // Mounts it on an empty directory. Returns why it could not, else empty.
    [[nodiscard]] std::string serve(const std::filesystem::path& where);
    [[nodiscard]] std::filesystem::path file() const { return where_ / "disk"; }

  private:
    recorded_disk& disk_;
    std::filesystem::path where_;
    ::pid_t server_ = 0;
};

}  // namespace pawl::test
