// The committed golden files, and journals made of them.
#pragma once

#include "scenes.hpp"
#include "support/temporary_directory.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace golden {

[[nodiscard]] inline std::string read_whole(const std::filesystem::path& path) {
    std::ifstream from{path, std::ios::binary};
    if (!from)
        throw std::runtime_error("cannot read " + path.string());
    return {std::istreambuf_iterator<char>{from}, {}};
}

inline void write_whole(const std::filesystem::path& path, std::string_view bytes) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream to{path, std::ios::binary | std::ios::trunc};
    to << bytes << std::flush;
    if (!to)
        throw std::runtime_error("cannot write " + path.string());
}

// A file as it is committed; `name` is "rolled/0000000000.seg".
[[nodiscard]] inline std::string committed_bytes(const std::string& name) {
    return read_whole(std::filesystem::path{PAWL_TESTS_DIR} / "golden" / "files" / name);
}

// A scene's committed files at full size in a directory of their own.
class golden_journal {
  public:
    explicit golden_journal(const scene& what) {
        for (const golden_file& file : what.files) {
            std::string bytes = committed_bytes(file.path);
            bytes.resize(file.bytes.size());
            write_whole(home_.path() / file.path, bytes);
        }
        directory_ = home_.path() / what.name;
    }

    [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }

  private:
    pawl::test::temporary_directory home_;
    std::filesystem::path directory_;
};

}  // namespace golden
