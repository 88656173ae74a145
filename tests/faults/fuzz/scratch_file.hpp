// A file whose contents are replaced for each input, for parsers that take a file name.
#pragma once

#include "../../support/temporary_directory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <span>

namespace pawl::test {

class scratch_file {
  public:
    explicit scratch_file(const char* name)
        : path_{directory_.path() / name},
          descriptor_{::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)} {}
    scratch_file(const scratch_file&) = delete;
    scratch_file& operator=(const scratch_file&) = delete;
    ~scratch_file() { ::close(descriptor_); }

    [[nodiscard]] bool replace(std::span<const std::byte> bytes) const {
        return ::ftruncate(descriptor_, static_cast<::off_t>(bytes.size())) == 0 &&
               ::pwrite(descriptor_, bytes.data(), bytes.size(), 0) ==
                   static_cast<::ssize_t>(bytes.size());
    }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] const std::filesystem::path& directory() const noexcept {
        return directory_.path();
    }

  private:
    temporary_directory directory_;
    std::filesystem::path path_;
    int descriptor_;
};

}  // namespace pawl::test
