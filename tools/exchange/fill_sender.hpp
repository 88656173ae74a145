// Sends clients their fills, and none that could still be lost.
#pragma once

#include "fill_notice.hpp"

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/error.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

namespace exchange {

// A thread with its own cursor over the journal's durable events. The receiver must know how many
// notices have arrived; it gets the others in order, whichever process journaled them.
class fill_sender {
  public:
    // Calls send(notice) on the sender's thread, for every notice after the first `arrived` of the
    // journal's `notices`; without a value for those that are journaled from now on. Fails like
    // pawl::cursor::open, and with invalid_argument if more have arrived than were journaled.
    [[nodiscard]] static pawl::result<fill_sender> start(
        const std::filesystem::path& directory, std::function<void(const fill_notice&)> send,
        std::optional<std::uint64_t> arrived, std::uint64_t notices);
    fill_sender(fill_sender&&) noexcept;
    fill_sender& operator=(fill_sender&&) noexcept;
    ~fill_sender();  // sends no more

    // Sends what is left and ends the thread. Every event of the journal must be durable. Fails
    // with what ended the thread before.
    [[nodiscard]] pawl::result<void> finish();

    [[nodiscard]] std::uint64_t sent() const noexcept;

  private:
    struct core;
    explicit fill_sender(std::unique_ptr<core> made) noexcept;
    std::unique_ptr<core> core_;
};

}  // namespace exchange
