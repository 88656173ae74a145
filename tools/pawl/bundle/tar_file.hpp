// A tar archive (POSIX ustar), written front to back.
#pragma once

#include <pawl/journal/error.hpp>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>

namespace pawl::cli {

class tar_file {
  public:
    // A new file, which only its owner may read; io with EEXIST if there is one.
    [[nodiscard]] static result<tar_file> create(const std::filesystem::path& path);

    // `name` has at most 100 bytes (invalid_argument).
    [[nodiscard]] result<void> add(std::string_view name, std::string_view bytes);
    // The end of the archive, on stable storage.
    [[nodiscard]] result<void> finish();

  private:
    using open_file = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
    tar_file(open_file to, std::filesystem::path path, std::uint64_t now_s)
        : to_{std::move(to)}, path_{std::move(path)}, now_s_{now_s} {}
    [[nodiscard]] result<void> write(std::string_view bytes);

    open_file to_;
    std::filesystem::path path_;
    std::uint64_t now_s_;
};

}  // namespace pawl::cli
