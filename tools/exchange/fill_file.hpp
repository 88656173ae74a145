// The fills that were sent to clients, as a file: one line per fill, and one with a negative
// quantity for each that was busted.
#pragma once

#include "fill_sender.hpp"

#include <pawl/journal/error.hpp>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

namespace exchange {

// Stands in for the clients' connections. Like them it knows how many fills have arrived: a line
// that the last process did not finish has not arrived, and is removed.
class fill_file {
  public:
    // Creates the file, or continues after its last complete line.
    [[nodiscard]] static pawl::result<fill_file> open(const std::filesystem::path& path);

    [[nodiscard]] std::uint64_t arrived() const noexcept { return arrived_; }

    // Buffered; close() reports failures.
    void send(const fill_notice& fill);
    [[nodiscard]] pawl::result<void> close();

  private:
    struct closer {
        void operator()(std::FILE* f) const noexcept { (void)std::fclose(f); }
    };
    fill_file(std::string path, std::FILE* file, std::uint64_t arrived)
        : path_{std::move(path)}, file_{file}, arrived_{arrived} {}

    std::string path_;
    std::unique_ptr<std::FILE, closer> file_;
    std::uint64_t arrived_ = 0;
};

}  // namespace exchange
