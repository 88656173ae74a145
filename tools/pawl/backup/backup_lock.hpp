// Keeps two programs from working on one backup.
#pragma once

#include <pawl/journal/error.hpp>

#include <cstdint>
#include <filesystem>
#include <utility>

namespace pawl::cli {

// A lock on the directory of a backup. It ends with the object, and with the process.
class backup_lock {
  public:
    enum class to : std::uint8_t { read, write };

    // Fails with io if another process holds it: one that writes, or any if this is to write.
    [[nodiscard]] static result<backup_lock> take(const std::filesystem::path& out, to use);

    backup_lock(backup_lock&& other) noexcept : held_{std::exchange(other.held_, -1)} {}
    backup_lock& operator=(backup_lock&&) = delete;
    ~backup_lock();

  private:
    explicit backup_lock(int held) noexcept : held_{held} {}

    int held_;
};

}  // namespace pawl::cli
