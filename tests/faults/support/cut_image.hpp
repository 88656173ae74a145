// Disks as a power cut leaves them, one after another in the same file in memory: only blocks that
// differ are rewritten.
#pragma once

#include "block_device.hpp"
#include "generated_log.hpp"
#include "recorded_disk.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace pawl::test {

struct disk_cut {
    std::uint64_t position = 0;  // number of the record's entries that were made
    std::uint64_t seed = 0;      // which blocks of those after the last flush are on the disk
};

class cut_image {
  public:
    cut_image(std::filesystem::path file, std::uint64_t bytes);
    ~cut_image();
    cut_image(cut_image&& other) noexcept;
    cut_image& operator=(cut_image&&) = delete;

    // Attaches it as a loop device for the object's lifetime. Returns why it could not, else empty.
    [[nodiscard]] std::string attach() { return device_.attach(file_); }
    [[nodiscard]] const std::string& device() const noexcept { return device_.path(); }
    [[nodiscard]] const std::filesystem::path& file() const noexcept { return file_; }

    // The record begins with these contents.
    void begin(const saved_image& contents);
    // Turns the file into what a cut leaves. Cheap if positions do not go back. Nothing may be
    // mounted from it. Returns how many written blocks are missing.
    std::uint64_t build(const recorded_disk& disk, const disk_cut& cut);

  private:
    struct undo {
        std::uint64_t block = 0;
        std::vector<std::byte> contents;
    };

    void store(std::uint64_t offset, std::span<const std::byte> data);
    std::uint64_t store_some(const recorded_disk& disk, std::uint64_t from, const disk_cut& cut,
                             std::vector<undo>& before);
    void write_out();

    std::filesystem::path file_;
    std::uint64_t bytes_;
    int descriptor_;
    std::byte* shown_;   // the file
    std::byte* wanted_;  // what must be in it
    std::vector<std::uint64_t> changed_;
    const saved_image* start_ = nullptr;
    std::uint64_t applied_ = 0;  // entries of the record that wanted_ holds
    loop_device device_;
};

}  // namespace pawl::test
