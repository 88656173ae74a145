// A mapped file that can be damaged and restored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace pawl::test {

class target_file {
  public:
    explicit target_file(const std::filesystem::path& path);
    ~target_file();
    target_file(const target_file&) = delete;
    target_file& operator=(const target_file&) = delete;

    [[nodiscard]] bool usable() const noexcept { return bytes_ != nullptr; }
    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {bytes_, size_}; }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    void flip(std::uint64_t bit) const noexcept {
        bytes_[bit / 8] ^= std::byte{static_cast<unsigned char>(1U << bit % 8)};
    }

  private:
    std::filesystem::path path_;
    std::byte* bytes_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace pawl::test
